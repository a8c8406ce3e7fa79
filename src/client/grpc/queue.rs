//! The calls that wait for a stream, in their order.

use alloc::collections::VecDeque;

use crate::net::Key;

/// Calls without a stream: in front those that are sent again, which had one
/// before the others; within both, first come first.
#[derive(Debug)]
pub(super) struct Queue {
    again: VecDeque<Key>,
    new: VecDeque<Key>,
}

impl Queue {
    pub(super) const fn new() -> Self {
        Self {
            again: VecDeque::new(),
            new: VecDeque::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.again.is_empty() && self.new.is_empty()
    }

    /// Adds a call that was never sent.
    pub(super) fn push(&mut self, call: Key) {
        self.new.push_back(call);
    }

    /// Adds a call that was sent before.
    pub(super) fn push_again(&mut self, call: Key) {
        self.again.push_back(call);
    }

    /// Gives back the call that was just taken.
    pub(super) fn give_back(&mut self, call: Key) {
        self.again.push_front(call);
    }

    /// Takes the first call.
    pub(super) fn take(&mut self) -> Option<Key> {
        self.again.pop_front().or_else(|| self.new.pop_front())
    }

    /// Keeps the calls for which `keep` says so.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(Key) -> bool) {
        self.again.retain(|&call| keep(call));
        self.new.retain(|&call| keep(call));
    }
}
