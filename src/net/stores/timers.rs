//! Precise one-shot timers.

use alloc::collections::BinaryHeap;
use alloc::vec::Vec;
use core::cmp::Reverse;

use crate::net::{Key, Owner, Slab};
use crate::wire::Instant;

/// The name of a timer, stale once it has passed or was cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimerId(Key);

/// One-shot timers with a value, in order of time, then of setting.
///
/// Setting and passing take logarithmic, cancelling constant time; memory at most twice the
/// most running.
#[derive(Debug)]
pub(crate) struct Timers<T> {
    running: Slab<T>,
    heap: BinaryHeap<Reverse<Entry>>, // of all that run, and of cancelled ones, but not first
    set: u64,                         // timers ever set
}

/// Ordered by time, then by setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    at: Instant,
    number: u64,
    key: Key,
}

impl<T> Timers<T> {
    pub(crate) const fn new() -> Self {
        Self {
            running: Slab::new(),
            heap: BinaryHeap::new(),
            set: 0,
        }
    }

    #[cfg(test)]
    pub(crate) const fn len(&self) -> usize {
        self.running.len()
    }

    /// Cancels the timers for which `keep` says no. Takes linear time.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        let running = &mut self.running;
        self.heap.retain(|entry| {
            let key = entry.0.key;
            match running.get(key) {
                Some(owner) if keep(owner) => true,
                _ => {
                    running.remove(key);
                    false
                }
            }
        });
    }

    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        self.running.is_empty()
    }

    pub(crate) fn after(&mut self, at: Instant, owner: T) -> TimerId {
        let key = self.running.insert(owner);
        let number = self.set;
        self.set += 1;
        self.heap.push(Reverse(Entry { at, number, key }));
        TimerId(key)
    }

    /// Cancels a timer: it does not pass, also if its time has come already.
    pub(crate) fn cancel(&mut self, timer: TimerId) -> Option<T> {
        let owner = self.running.remove(timer.0)?;
        // The heap forgets cancelled timers when they come up, or here when
        // they are the most.
        if self.heap.len() > 64 && self.heap.len() / 2 > self.running.len() {
            let running = &self.running;
            self.heap.retain(|entry| running.contains(entry.0.key));
        }
        self.settle();
        Some(owner)
    }

    /// A mark after the timers set so far, for [`expired`](Self::expired).
    #[inline]
    pub(crate) const fn mark(&self) -> TimerMark {
        TimerMark(self.set)
    }

    /// The next passed timer set before `until`; later ones wait for the next turn, so that
    /// none keeps the loop.
    pub(crate) fn expired(&mut self, now: Instant, until: TimerMark) -> Option<(TimerId, T)> {
        let &Reverse(Entry { at, number, key }) = self.heap.peek()?;
        if at > now || number >= until.0 {
            return None;
        }
        self.heap.pop();
        let owner = self.running.remove(key)?; // the first entry's timer runs
        self.settle();
        Some((TimerId(key), owner))
    }

    #[inline]
    pub(crate) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|entry| entry.0.at)
    }

    /// Forgets cancelled timers in front, so that the first entry is of a
    /// timer that runs.
    fn settle(&mut self) {
        while let Some(entry) = self.heap.peek()
            && !self.running.contains(entry.0.key)
        {
            self.heap.pop();
        }
    }
}

impl<T> Default for Timers<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimerMark(u64);

impl TimerMark {
    /// How many timers were set between `earlier` and this.
    pub(crate) const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// When owners want to be called, once each. An alarm needs no share, is never refused, and has
/// no exchange.
#[derive(Debug, Default)]
pub(crate) struct Alarms {
    set: Vec<(Owner, Instant)>,
    /// Those that may come a second late, and so cost the turns before nothing.
    rounds: Vec<(Owner, Instant)>,
    is_new: bool,
    /// Bytes that came on the connections an owner has dialled.
    received: Vec<u64>,
}

impl Alarms {
    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        self.set.is_empty()
    }

    pub(crate) const fn len(&self) -> usize {
        self.set.len()
    }

    /// Calls an owner at a time. Replaces a time that it has set before.
    pub(crate) fn set(&mut self, owner: Owner, at: Instant) {
        match self.set.iter_mut().find(|(it, _)| *it == owner) {
            Some((_, before)) => *before = at,
            None => self.set.push((owner, at)),
        }
    }

    /// Calls an owner within a second after a time. Replaces a round that it has set before.
    pub(crate) fn set_round(&mut self, owner: Owner, at: Instant) {
        self.rounds.retain(|it| it.0 != owner);
        self.rounds.push((owner, at));
        self.is_new = true;
    }

    /// When the first round is due, if one has been set since the last call.
    #[inline]
    pub(crate) fn new_round(&mut self) -> Option<Instant> {
        match core::mem::take(&mut self.is_new) {
            true => self.next_round(),
            false => None,
        }
    }

    pub(crate) fn next_round(&self) -> Option<Instant> {
        self.rounds.iter().map(|&(_, at)| at).min()
    }

    pub(crate) fn take_round(&mut self, now: Instant) -> Option<Owner> {
        let at = self.rounds.iter().position(|&(_, at)| at <= now)?;
        Some(self.rounds.swap_remove(at).0) // a position just found
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.set.iter().map(|&(_, at)| at).min()
    }

    pub(crate) fn take_due(&mut self, now: Instant) -> Option<Owner> {
        let at = self.set.iter().position(|&(_, at)| at <= now)?;
        Some(self.set.swap_remove(at).0) // a position just found
    }

    /// Counts bytes that have come on a connection that this owner has dialled.
    pub(crate) fn receive(&mut self, owner: Owner, bytes: usize) {
        let at = usize::from(owner.0);
        if self.received.len() <= at {
            self.received.resize(at + 1, 0);
        }
        if let Some(received) = self.received.get_mut(at) {
            *received += bytes as u64;
        }
    }

    #[cfg(feature = "client")]
    pub(crate) fn received(&self, owner: Owner) -> u64 {
        let of_owner = self.received.get(usize::from(owner.0));
        of_owner.copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests;
