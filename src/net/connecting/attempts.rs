//! The order of attempts: Happy Eyeballs (RFC 8305), without I/O.
//!
//! ```text
//!   2001:db8::1 ├─────────────────── no answer ─ ─ ─ ─ ─┤ given up
//!   192.0.2.1   │◄── delay ──►├── connects ──► the one
//!   2001:db8::2 │             (never begun)
//! ```
//!
//! The families take turns. The next attempt begins when the one before it has had
//! its delay, or immediately when one has failed; those that were begun earlier go on, and
//! the first that connects is taken.

use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

use crate::wire::Instant;

/// Addresses of one name that are tried. More come from a broken or hostile
/// name server only.
const MOST_ADDRESSES: usize = 16;
/// The least delay between two attempts (RFC 8305 §8).
const LEAST_DELAY: Duration = Duration::from_millis(10);

/// The attempts to connect to one of some addresses.
#[derive(Debug, Clone)]
pub(crate) struct Attempts<A> {
    addresses: Vec<A>,
    next: usize, // <= addresses.len()
    running: usize,
    due: Instant,
    delay: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Begin to connect to the address of this number.
    Begin(usize),
    /// Wait until then, or for an attempt.
    Wait(Instant),
    Over,
}

impl<A> Attempts<A> {
    /// The first may begin. The next ones follow each `delay` later.
    pub(crate) fn new(addresses: impl IntoIterator<Item = A>, delay: Duration) -> Self {
        Self {
            addresses: addresses.into_iter().take(MOST_ADDRESSES).collect(),
            next: 0,
            running: 0,
            due: Instant::START,
            delay: delay.max(LEAST_DELAY),
        }
    }

    /// The next thing to do. An attempt that is to begin is under way from here on.
    pub(crate) fn next(&mut self, now: Instant) -> Next {
        let has_more = self.next < self.addresses.len();
        if has_more && (self.due <= now || self.running == 0) {
            self.next += 1;
            self.running += 1;
            self.due = now + self.delay;
            return Next::Begin(self.next - 1); // it was increased just now
        }
        match (has_more, self.running) {
            (true, _) => Next::Wait(self.due),
            (false, 0) => Next::Over,
            (false, _) => Next::Wait(Instant::NEVER),
        }
    }

    /// An attempt has failed: another one need not wait.
    pub(crate) fn failed(&mut self) {
        self.running = self.running.saturating_sub(1);
        self.due = Instant::START;
    }

    /// An attempt could not begin, and is to be made again.
    #[cfg(all(unix, feature = "client"))]
    pub(crate) fn again(&mut self, nth: usize) {
        self.next = self.next.min(nth);
        self.failed();
    }

    /// When the next one begins, if there is another.
    pub(crate) fn due(&self) -> Option<Instant> {
        (self.next < self.addresses.len()).then_some(self.due)
    }

    pub(crate) const fn begun(&self) -> usize {
        self.next
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.addresses.is_empty()
    }

    pub(crate) fn address(&self, nth: usize) -> Option<&A> {
        self.addresses.get(nth)
    }
}

/// The addresses with alternating families (RFC 8305 §4), so that a broken family costs one
/// attempt.
pub(crate) fn in_turns(found: &[SocketAddr]) -> impl Iterator<Item = SocketAddr> + '_ {
    let first_is_v6 = found.first().is_some_and(SocketAddr::is_ipv6);
    let mut first = found.iter().filter(move |a| a.is_ipv6() == first_is_v6);
    let mut other = found.iter().filter(move |a| a.is_ipv6() != first_is_v6);
    let mut turn = false;
    core::iter::from_fn(move || {
        turn = !turn;
        if turn {
            first.next().or_else(|| other.next())
        } else {
            other.next().or_else(|| first.next())
        }
    })
    .copied()
}

#[cfg(test)]
mod tests;
