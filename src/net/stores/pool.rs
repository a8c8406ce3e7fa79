//! Buffers that no connection needs at the moment.

use alloc::vec::Vec;

/// Empty buffers kept for the next who needs one, within a bound.
///
/// Taking and giving back allocate nothing while the pool has buffers.
/// A buffer that has grown beyond [`buffer`](Self::new) is shrunk by being
/// freed, so that a burst of large messages leaves no memory behind.
///
/// ```
/// use barewire::net::Pool;
///
/// let mut pool = Pool::new(64 * 1024, 1024 * 1024);
/// let mut buffer = pool.take();
/// buffer.extend_from_slice(b"left over");
/// pool.give(buffer);
/// assert!(pool.take().is_empty());
/// ```
#[derive(Debug)]
pub struct Pool {
    spare: Vec<Vec<u8>>,
    kept: usize, // bytes of all spare buffers
    buffer: usize,
    total: usize,
}

impl Pool {
    /// A pool that keeps buffers of at most `buffer` bytes each, and of at
    /// most `total` bytes together.
    pub const fn new(buffer: usize, total: usize) -> Self {
        Self {
            spare: Vec::new(),
            kept: 0,
            buffer,
            total,
        }
    }

    /// An empty buffer, with memory if the pool has some.
    #[inline]
    pub fn take(&mut self) -> Vec<u8> {
        match self.spare.pop() {
            Some(buffer) => {
                self.kept -= buffer.capacity();
                buffer
            }
            None => Vec::new(),
        }
    }

    /// Gives a buffer back; what it holds is dropped.
    #[inline]
    pub fn give(&mut self, mut buffer: Vec<u8>) {
        let size = buffer.capacity();
        if size > 0 && size <= self.buffer && size <= self.total - self.kept {
            buffer.clear();
            self.kept += size;
            self.spare.push(buffer);
        }
    }

    /// Bytes that wait for the next user.
    #[inline]
    pub const fn kept(&self) -> usize {
        self.kept
    }

    /// Frees all buffers.
    pub fn clear(&mut self) {
        self.spare.clear();
        self.kept = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_with_its_memory() {
        let mut pool = Pool::new(100, 1000);
        let mut buffer = pool.take();
        buffer.reserve_exact(80);
        buffer.push(1);
        let (memory, size) = (buffer.as_ptr(), buffer.capacity());
        pool.give(buffer);
        assert_eq!(pool.kept(), size);
        let buffer = pool.take();
        assert_eq!((buffer.as_ptr(), buffer.len(), pool.kept()), (memory, 0, 0));
    }

    #[test]
    fn a_burst_leaves_no_more_than_the_bound() {
        let mut pool = Pool::new(100, 250);
        pool.give(Vec::with_capacity(101));
        pool.give(Vec::new());
        assert_eq!(pool.kept(), 0);
        for _ in 0..10 {
            pool.give(Vec::with_capacity(100));
        }
        assert_eq!(pool.kept(), 200);
        pool.clear();
        assert_eq!((pool.kept(), pool.take().capacity()), (0, 0));
    }
}
