//! Whose turn it is to send.
//!
//! A stream from which less was taken than it has waits here, in the order in
//! which streams came; each turn takes a limited share, so that none starves
//! another.

use alloc::collections::VecDeque;

pub(super) const SHARE: usize = 16 << 10;

/// Bytes that one stream may send in a turn while it is alone.
pub(super) const ALONE: usize = 256 << 10;

#[derive(Debug, Default)]
pub(super) struct Schedule {
    queue: VecDeque<u32>, // allocates when a stream must wait for the first time
}

impl Schedule {
    pub(super) const fn new() -> Self {
        Self {
            queue: VecDeque::new(),
        }
    }

    /// How much a stream may send now.
    #[inline]
    pub(super) fn share(&self) -> usize {
        if self.queue.is_empty() { ALONE } else { SHARE }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) fn memory(&self) -> usize {
        self.queue.capacity() * size_of::<u32>()
    }

    pub(super) fn push(&mut self, id: u32) {
        self.queue.push_back(id);
    }

    pub(super) fn pop(&mut self) -> Option<u32> {
        self.queue.pop_front()
    }

    pub(super) fn remove(&mut self, id: u32) {
        self.queue.retain(|&queued| queued != id);
    }
}
