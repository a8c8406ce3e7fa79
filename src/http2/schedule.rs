//! Whose turn it is to send.
//!
//! A stream from which less was taken than it has waits here, in the order in
//! which streams came; each turn takes a limited share, so that none starves
//! another.

use alloc::collections::VecDeque;

/// Bytes that one stream may send in a turn while others wait.
pub(super) const SHARE: usize = 16 << 10;

/// Bytes that one stream may send in a turn while it is alone.
pub(super) const ALONE: usize = 256 << 10;

/// The streams that have something to send and a window for it.
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

    /// Bytes of memory held.
    pub(super) fn memory(&self) -> usize {
        self.queue.capacity() * size_of::<u32>()
    }

    /// Adds a stream that is not in the queue.
    pub(super) fn push(&mut self, id: u32) {
        self.queue.push_back(id);
    }

    /// Takes the stream whose turn it is.
    pub(super) fn pop(&mut self) -> Option<u32> {
        self.queue.pop_front()
    }

    /// Takes a stream out that is gone.
    pub(super) fn remove(&mut self, id: u32) {
        self.queue.retain(|&queued| queued != id);
    }
}
