//! Buffers that no connection needs at the moment.

use alloc::vec::Vec;

use crate::link::{Account, Charge};

/// Empty buffers for the next user, within a bound.
///
/// Allocates nothing while it has some. A buffer grown beyond [`buffer`](Self::new) is freed,
/// so that a burst leaves no memory behind.
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

    pub(crate) fn charge_to(&mut self, account: &Account) {
        self.charge.move_to(Some(account));
    }

    /// Frees the buffers that were not needed since the last call, or all.
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

    #[cfg(test)]
    pub(crate) fn clear(&mut self) {
        self.spare.clear();
        self.charge.set(0);
    }
}

#[cfg(test)]
mod tests;
