//! The output of machines, which the caller lends.

#[cfg(any(feature = "alloc", test))]
use alloc::vec::Vec;
#[cfg(feature = "alloc")]
use bytes::{Bytes, BytesMut};

/// An output that bytes are appended to.
///
/// Writing cannot fail: a machine asks for [`room`](Self::room) before it
/// consumes anything, and answers [`Step::Full`](super::Step::Full) or its
/// `UsageError::NoRoom` when there is too little.
pub trait Sink {
    /// Bytes that can still be appended.
    #[inline]
    fn room(&self) -> usize {
        usize::MAX
    }

    /// Appends `bytes`. The caller has checked that they fit.
    fn put(&mut self, bytes: &[u8]);

    /// Appends the first `n` of `bytes`, or all if they are fewer. Of a piece
    /// whose size is known to the compiler, more may be copied than is kept.
    #[inline]
    fn put_front<const N: usize>(&mut self, bytes: &[u8; N], n: usize)
    where
        Self: Sized,
    {
        self.put(bytes.get(..n).unwrap_or(bytes));
    }

    /// Appends pieces, one after the other. The caller has checked that they fit.
    #[inline]
    fn put_all<const N: usize>(&mut self, pieces: [&[u8]; N])
    where
        Self: Sized,
    {
        for piece in pieces {
            self.put(piece);
        }
    }

    /// Appends `n` bytes and lends them for writing; what they hold before is
    /// unspecified. The caller has checked that they fit, and gets exactly `n`
    /// bytes if they do.
    fn space(&mut self, n: usize) -> &mut [u8];

    /// Appends `bytes`, by reference where the output can hold references, so
    /// that a large body reaches the socket without a copy.
    #[cfg(feature = "alloc")]
    #[inline]
    fn put_shared(&mut self, bytes: Bytes) {
        self.put(&bytes);
    }
}

impl<S: Sink + ?Sized> Sink for &mut S {
    #[inline]
    fn room(&self) -> usize {
        (**self).room()
    }

    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        (**self).put(bytes);
    }

    #[inline]
    fn space(&mut self, n: usize) -> &mut [u8] {
        (**self).space(n)
    }

    #[cfg(feature = "alloc")]
    #[inline]
    fn put_shared(&mut self, bytes: Bytes) {
        (**self).put_shared(bytes);
    }
}

#[cfg(any(feature = "alloc", test))]
impl Sink for Vec<u8> {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    #[inline]
    fn put_front<const N: usize>(&mut self, bytes: &[u8; N], n: usize) {
        let end = self.len() + n;
        self.extend_from_slice(bytes);
        self.truncate(end);
    }

    #[inline]
    fn space(&mut self, n: usize) -> &mut [u8] {
        let at = self.len();
        self.resize(at + n, 0);
        // In range: the vector has just been made `at + n` long.
        &mut self[at..]
    }
}

#[cfg(feature = "alloc")]
impl Sink for BytesMut {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    #[inline]
    fn space(&mut self, n: usize) -> &mut [u8] {
        let at = self.len();
        self.resize(at + n, 0);
        // In range: the buffer has just been made `at + n` long.
        &mut self[at..]
    }
}

/// A sink of fixed size over a caller's array: the output where there is no
/// allocator.
///
/// ```
/// use barewire::wire::{Sink, Slice};
///
/// let mut memory = [0; 8];
/// let mut out = Slice::new(&mut memory);
/// out.put(b"abc");
/// assert_eq!(out.written(), b"abc");
/// assert_eq!(out.room(), 5);
/// ```
#[derive(Debug)]
pub struct Slice<'a> {
    memory: &'a mut [u8],
    len: usize, // <= memory.len()
}

impl<'a> Slice<'a> {
    /// An empty sink over `memory`.
    pub const fn new(memory: &'a mut [u8]) -> Self {
        Self { memory, len: 0 }
    }

    /// The bytes written so far.
    pub fn written(&self) -> &[u8] {
        &self.memory[..self.len]
    }

    /// Forgets what has been written, after it was sent.
    pub const fn clear(&mut self) {
        self.len = 0;
    }
}

impl Sink for Slice<'_> {
    #[inline]
    fn room(&self) -> usize {
        self.memory.len() - self.len
    }

    /// Bytes beyond the room are dropped: asking for room first is the
    /// caller's part.
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        let n = bytes.len().min(self.room());
        debug_assert_eq!(n, bytes.len(), "a machine wrote without asking for room");
        self.memory[self.len..self.len + n].copy_from_slice(&bytes[..n]);
        self.len += n;
    }

    #[inline]
    fn space(&mut self, n: usize) -> &mut [u8] {
        debug_assert!(n <= self.room(), "a machine wrote without asking for room");
        let at = self.len;
        self.len += n.min(self.room());
        &mut self.memory[at..self.len]
    }
}

#[cfg(test)]
mod tests;
