//! The calls that wait for a stream, in their order.

use alloc::collections::VecDeque;

use crate::net::Key;

/// Calls without a stream: in front those that are sent again, which had one
/// before the others; within both, first come first.
#[derive(Debug)]
pub(super) struct Queue {
    again: VecDeque<Key>,
    new: VecDeque<Key>,
    /// How many of all those wait no more.
    gone: usize,
}

/// Calls that may stand here and wait no more, beside as many as there are others.
const FEW: usize = 16;

impl Queue {
    pub(super) const fn new() -> Self {
        Self {
            again: VecDeque::new(),
            new: VecDeque::new(),
            gone: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting() == 0
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        self.len() - self.gone // those stand here
    }

    fn len(&self) -> usize {
        self.again.len() + self.new.len()
    }

    /// A call that stands here has ended: `waits` says so of it. It is removed with
    /// others, so that each costs the same however many wait.
    pub(super) fn leave(&mut self, waits: impl FnMut(Key) -> bool) {
        self.gone += 1; // it stands here
        if self.gone > self.len() / 2 + FEW {
            self.retain(waits);
        }
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

    /// Takes the first call that still `waits`.
    pub(super) fn take(&mut self, mut waits: impl FnMut(Key) -> bool) -> Option<Key> {
        loop {
            let first = self.again.pop_front().or_else(|| self.new.pop_front())?;
            if waits(first) {
                return Some(first);
            }
            self.gone -= 1; // it was counted
        }
    }

    /// Keeps the calls for which `keep` says so: none that waits no more.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(Key) -> bool) {
        self.gone = 0;
        self.again.retain(|&call| keep(call));
        self.new.retain(|&call| keep(call));
    }
}

#[cfg(test)]
mod tests;
