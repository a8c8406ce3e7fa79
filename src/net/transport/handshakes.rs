//! The handshakes of a loop: how many are in flight, and which of them can go on.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use core::time::Duration;

use crate::net::Key;
use crate::wire::Instant;

/// From this age on, a waiting handshake may be ended for another.
const PATIENCE: Duration = Duration::from_secs(1);

/// Counts of the handshakes of a loop's transports, by outcome
/// ([`Transport`](crate::net::Transport)). Any thread may look.
///
/// ```
/// use barewire::net::{Limits, Loop};
///
/// # fn main() -> Result<(), barewire::net::Error> {
/// let events = Loop::new(Limits::DEFAULT)?;
/// let handshakes = events.handshakes();
/// assert_eq!((handshakes.started(), handshakes.in_flight()), (0, 0));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct HandshakeCounts(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    started: AtomicU64,
    completed: AtomicU64,
    failed: AtomicU64,
    refused: AtomicU64,
}

impl HandshakeCounts {
    /// Handshakes that have begun, of connections accepted and dialled.
    pub fn started(&self) -> u64 {
        self.0.started.load(Relaxed)
    }

    /// Those that came to an agreement.
    pub fn completed(&self) -> u64 {
        self.0.completed.load(Relaxed)
    }

    /// Those that failed: the peer spoke something else, took too long, or went away.
    pub fn failed(&self) -> u64 {
        self.0.failed.load(Relaxed)
    }

    /// Those that were ended before their time, since there were
    /// [`Limits::handshakes`](crate::net::Limits::handshakes), or memory was short.
    pub fn refused(&self) -> u64 {
        self.0.refused.load(Relaxed)
    }

    /// Those that run now.
    pub fn in_flight(&self) -> u64 {
        // What is counted by another thread meanwhile may make it one too many.
        let over = self.completed() + self.failed() + self.refused();
        self.started().saturating_sub(over)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Completed,
    Failed,
    Refused,
}

#[derive(Debug, Default)]
pub(crate) struct Handshakes {
    /// Those that can go on without an event.
    pub(crate) ready: Vec<Key>,
    pub(super) is_behind: bool,
    /// Those of connections that were accepted, the oldest first. Some are over.
    began: VecDeque<(Key, Instant)>,
    counts: Arc<Counts>,
}

impl Handshakes {
    pub(crate) fn counts(&self) -> HandshakeCounts {
        HandshakeCounts(self.counts.clone())
    }

    pub(super) fn in_flight(&self) -> usize {
        self.counts().in_flight() as usize
    }

    pub(super) fn begin(
        &mut self,
        key: Key,
        is_dial: bool,
        now: Instant,
        mut is_over: impl FnMut(Key) -> bool,
    ) {
        self.counts.started.fetch_add(1, Relaxed);
        if is_dial {
            return; // it makes room for nobody
        }
        while self.began.front().is_some_and(|&(key, _)| is_over(key)) {
            self.began.pop_front();
        }
        if self.began.len() > 2 * self.in_flight() + 64 {
            self.began.retain(|&(key, _)| !is_over(key));
        }
        self.began.push_back((key, now));
    }

    pub(super) fn note(&self, outcome: Outcome) {
        let counter = match outcome {
            Outcome::Completed => &self.counts.completed,
            Outcome::Failed => &self.counts.failed,
            Outcome::Refused => &self.counts.refused,
        };
        counter.fetch_add(1, Relaxed);
    }

    /// Those that have had their [`PATIENCE`], the oldest first, and some that are over.
    pub(super) fn overdue(&self, now: Instant) -> impl Iterator<Item = Key> {
        let began = self.began.iter();
        let overdue = began.take_while(move |(_, since)| *since + PATIENCE <= now);
        overdue.map(|&(key, _)| key)
    }
}
