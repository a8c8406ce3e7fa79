//! A queue of bytes in an array: all that stands between a driver's interrupt
//! and a machine.

/// Up to `N` bytes that have arrived and are not used up.
pub struct Queue<const N: usize> {
    bytes: [u8; N],
    len: usize, // <= N
}

impl<const N: usize> Queue<N> {
    /// An empty queue.
    pub const fn new() -> Self {
        Self {
            bytes: [0; N],
            len: 0,
        }
    }

    /// Appends as many of `bytes` as there is room for; returns the others.
    pub fn push<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let (now, later) = bytes.split_at(bytes.len().min(N - self.len));
        self.bytes[self.len..self.len + now.len()].copy_from_slice(now);
        self.len += now.len();
        later
    }

    /// What has arrived; machines unmask it where it lies.
    pub fn front(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.len]
    }

    /// Drops `used` bytes from the front.
    pub fn drop_front(&mut self, used: usize) {
        self.bytes.copy_within(used..self.len, 0);
        self.len -= used;
    }
}
