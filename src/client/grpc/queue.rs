//! The calls that wait for a stream, in their order.

use alloc::collections::VecDeque;
use core::mem;

use crate::net::Key;

/// Calls without a stream: in front those that are sent again, which had one
/// before the others; within both, first come first.
#[derive(Debug)]
pub(super) struct Queue {
    again: VecDeque<Key>,
    new: VecDeque<Key>,
    /// A call has come that is sent again.
    hurries: bool,
}

impl Queue {
    pub(super) const fn new() -> Self {
        Self {
            again: VecDeque::new(),
            new: VecDeque::new(),
            hurries: false,
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
        self.hurries = true;
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

    /// Whether a call has come that is sent again and needs no pause; once.
    pub(super) fn take_hurry(&mut self) -> bool {
        mem::take(&mut self.hurries)
    }
}
