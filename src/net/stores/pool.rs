//! Buffers that no connection needs at the moment.

use alloc::vec::Vec;

use crate::link::{Account, Charge};

/// Empty buffers kept for the next who needs one, within a bound.
///
/// Taking and giving back allocate nothing while the pool has buffers.
/// A buffer that has grown beyond [`buffer`](Self::new) is shrunk by being
/// freed, so that a burst of large messages leaves no memory behind.
#[derive(Debug)]
pub(crate) struct Pool {
    spare: Vec<Vec<u8>>,
    charge: Charge, // bytes of all spare buffers
    unused: usize,  // the fewest that were spare since they were aged last
    buffer: usize,
    total: usize,
}

impl Pool {
    /// A pool that keeps buffers of at most `buffer` bytes each, and of at
    /// most `total` bytes together.
    pub(crate) const fn new(buffer: usize, total: usize) -> Self {
        Self {
            spare: Vec::new(),
            charge: Charge::NONE,
            unused: 0,
            buffer,
            total,
        }
    }

    /// Charges what it keeps to an account.
    pub(crate) fn charge_to(&mut self, account: &Account) {
        self.charge.move_to(Some(account));
    }

    /// Frees the buffers that nobody has needed since the last call, or all.
    pub(crate) fn age(&mut self, all: bool) {
        let most = if all { usize::MAX } else { self.unused };
        for buffer in self.spare.drain(..most.min(self.spare.len())) {
            self.charge.shrink(buffer.capacity());
        }
        self.unused = self.spare.len();
        if self.spare.is_empty() {
            self.spare = Vec::new();
        }
    }

    /// An empty buffer, with memory if the pool has some.
    #[inline]
    pub(crate) fn take(&mut self) -> Vec<u8> {
        match self.spare.pop() {
            Some(buffer) => {
                self.charge.shrink(buffer.capacity());
                self.unused = self.unused.min(self.spare.len());
                buffer
            }
            None => Vec::new(),
        }
    }

    /// Gives a buffer back; what it holds is dropped.
    #[inline]
    pub(crate) fn give(&mut self, mut buffer: Vec<u8>) {
        let size = buffer.capacity();
        if size > 0 && size <= self.buffer && size <= self.total - self.kept() {
            buffer.clear();
            self.charge.grow(size);
            self.spare.push(buffer);
        }
    }

    /// Bytes that wait for the next user.
    #[inline]
    pub(crate) const fn kept(&self) -> usize {
        self.charge.bytes()
    }

    /// Frees all buffers.
    #[cfg(test)]
    pub(crate) fn clear(&mut self) {
        self.spare.clear();
        self.charge.set(0);
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
    fn what_nobody_needs_is_freed_and_what_is_used_stays() {
        let mut pool = Pool::new(100, 1000);
        for _ in 0..10 {
            pool.give(Vec::with_capacity(100));
        }
        pool.age(false);
        assert_eq!(pool.kept(), 1000);
        let used: Vec<_> = (0..3).map(|_| pool.take()).collect();
        used.into_iter().for_each(|buffer| pool.give(buffer));
        pool.age(false);
        assert_eq!(pool.kept(), 300);
        pool.age(false);
        assert_eq!(pool.kept(), 0);
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
