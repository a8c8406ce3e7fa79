//! Precise one-shot timers.

use alloc::collections::BinaryHeap;
use core::cmp::Reverse;

use crate::net::{Key, Slab};
use crate::wire::Instant;

/// The name of a timer, stale once it has passed or was cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimerId(Key);

/// One-shot timers, each with something to remember, that pass in the order
/// of their times, and of their setting where those are equal.
///
/// Setting and passing take logarithmic time, cancelling constant time. The
/// memory is at most twice what the running timers need at their most.
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
    /// No timer.
    pub(crate) const fn new() -> Self {
        Self {
            running: Slab::new(),
            heap: BinaryHeap::new(),
            set: 0,
        }
    }

    /// Timers that run.
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

    /// Whether no timer runs.
    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        self.running.is_empty()
    }

    /// Sets a timer.
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

    /// A mark behind the timers set so far, for [`expired`](Self::expired).
    #[inline]
    pub(crate) const fn mark(&self) -> TimerMark {
        TimerMark(self.set)
    }

    /// The next timer that has passed and was set before `until`. Timers that
    /// a handler sets meanwhile wait for the next turn, so that none with no
    /// delay keeps the loop for ever.
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

    /// The time of the next timer.
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

/// A place in the order of setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimerMark(u64);

impl TimerMark {
    /// How many timers were set between `earlier` and this.
    pub(crate) const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use core::time::Duration;
    use proptest::prelude::*;

    fn at(millis: u64) -> Instant {
        Instant::START + Duration::from_millis(millis)
    }

    #[test]
    fn a_timer_without_delay_waits_for_the_next_turn() {
        let mut timers = Timers::new();
        timers.after(at(1), 0);
        let until = timers.mark();
        let mut turns = 0;
        while timers.expired(at(1), until).is_some() {
            timers.after(at(0), 0);
            turns += 1;
        }
        assert_eq!((turns, timers.next()), (1, Some(at(0))));
    }

    #[test]
    fn a_timer_cancelled_by_one_of_the_same_time_does_not_pass() {
        let mut timers = Timers::new();
        timers.after(at(1), 1);
        let second = timers.after(at(1), 2);
        let until = timers.mark();
        assert_eq!(timers.expired(at(1), until).map(|(_, n)| n), Some(1));
        assert_eq!(timers.cancel(second), Some(2));
        assert_eq!(timers.expired(at(1), until), None);
        assert_eq!(timers.cancel(second), None);
    }

    #[test]
    fn cancelled_timers_hold_no_memory() {
        let mut timers = Timers::new();
        for _ in 0..100_000 {
            let timer = timers.after(at(1_000_000), 0);
            timers.cancel(timer);
        }
        assert!(timers.heap.capacity() <= 256 && timers.running.slots() == 1);
        assert_eq!(timers.next(), None);
    }

    proptest! {
        #[test]
        fn timers_behave_like_a_sorted_list(
            steps in prop::collection::vec((0..4u8, 0..100u64), 0..300),
        ) {
            let mut timers = Timers::new();
            let mut model: Vec<(u64, usize)> = Vec::new(); // time, number
            let mut ids = Vec::new();
            let mut now = 0;
            for (step, n) in steps {
                match step {
                    0 | 1 => {
                        let number = ids.len();
                        ids.push(timers.after(at(now + n), number));
                        model.push((now + n, number));
                    }
                    2 if !ids.is_empty() => {
                        let number = n as usize % ids.len();
                        let known = model.iter().position(|entry| entry.1 == number);
                        let expected = known.map(|place| model.remove(place).1);
                        prop_assert_eq!(timers.cancel(ids[number]), expected);
                    }
                    _ => {
                        now += n;
                        let until = timers.mark();
                        model.sort();
                        while let Some((id, number)) = timers.expired(at(now), until) {
                            prop_assert_eq!(id, ids[number]);
                            prop_assert_eq!(model.first().map(|entry| entry.1), Some(number));
                            model.remove(0);
                        }
                        prop_assert!(model.first().is_none_or(|entry| entry.0 > now));
                    }
                }
                prop_assert_eq!(timers.len(), model.len());
                prop_assert_eq!(timers.next(), model.iter().min().map(|entry| at(entry.0)));
            }
        }
    }
}
