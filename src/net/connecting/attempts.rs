//! Which address is tried when: Happy Eyeballs (RFC 8305), without I/O.
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
    /// When the next one begins, unless it may earlier.
    due: Instant,
    delay: Duration,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Begin to connect to the address of this number.
    Begin(usize),
    /// Wait until then, or for an attempt.
    Wait(Instant),
    /// Every address has failed.
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

    /// What is to be done now. An attempt that is to begin is under way from here on.
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

    /// How many were begun.
    pub(crate) const fn begun(&self) -> usize {
        self.next
    }

    /// Whether there is no address at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.addresses.is_empty()
    }

    /// The address of this number.
    pub(crate) fn address(&self, nth: usize) -> Option<&A> {
        self.addresses.get(nth)
    }
}

/// The addresses with their families in turn, beginning with the first one's (RFC 8305
/// §4), so that a broken family costs one attempt.
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
mod tests {
    use super::*;
    use alloc::vec;

    const DELAY: Duration = Duration::from_millis(250);

    fn at(millis: u64) -> Instant {
        Instant::START + Duration::from_millis(millis)
    }

    /// What became of an address: it answers, or fails, so long after it was tried.
    #[derive(Debug, Clone, Copy)]
    enum Fate {
        Connects(u64),
        Fails(u64),
        Silent,
    }
    use Fate::{Connects, Fails, Silent};

    /// Runs a schedule to its end: when which address connected, and when each was begun.
    fn run(fates: &[Fate]) -> (Option<(usize, u64)>, Vec<u64>) {
        let mut attempts = Attempts::new(fates.iter().copied(), DELAY);
        let (mut now, mut begun, mut running) = (at(0), vec![], vec![]);
        loop {
            match attempts.next(now) {
                Next::Over => return (None, begun),
                Next::Begin(nth) => {
                    begun.push(now.as_millis());
                    running.push((nth, now.as_millis()));
                }
                Next::Wait(until) => {
                    let ends = running.iter().filter_map(|&(nth, since)| match fates[nth] {
                        Connects(after) | Fails(after) => Some((since + after, nth)),
                        Silent => None,
                    });
                    match ends.min() {
                        Some((end, nth)) if at(end) <= until => {
                            now = at(end);
                            if let Connects(_) = fates[nth] {
                                return (Some((nth, end)), begun);
                            }
                            attempts.failed();
                            running.retain(|&(it, _)| it != nth);
                        }
                        _ if until == Instant::NEVER => return (None, begun),
                        _ => now = until,
                    }
                }
            }
        }
    }

    #[test]
    fn a_black_hole_costs_the_delay_and_a_round_trip() {
        let black_hole = run(&[Silent, Connects(40)]);
        assert_eq!(black_hole, (Some((1, 290)), vec![0, 250]));
    }

    #[test]
    fn the_first_that_connects_is_taken() {
        for (fates, expected) in [
            (&[Connects(10), Connects(1)][..], (Some((0, 10)), vec![0])),
            // Slower than the delay, and still the first.
            (
                &[Connects(260), Connects(40)],
                (Some((0, 260)), vec![0, 250]),
            ),
            (
                &[Connects(300), Connects(40)],
                (Some((1, 290)), vec![0, 250]),
            ),
            // What fails hands on immediately, and its successors have the delay anew.
            (&[Fails(5), Connects(1)], (Some((1, 6)), vec![0, 5])),
            (
                &[Silent, Fails(10), Silent, Connects(1)],
                (Some((3, 511)), vec![0, 250, 260, 510]),
            ),
            (&[Fails(1), Fails(2), Fails(3)], (None, vec![0, 1, 3])),
            (&[Fails(300), Silent], (None, vec![0, 250])),
            (&[], (None, vec![])),
        ] {
            assert_eq!(run(fates), expected, "{fates:?}");
        }
    }

    #[test]
    fn there_are_few_attempts_and_they_are_not_all_made_together() {
        assert_eq!(run(&[Fails(0); 1000]).1.len(), MOST_ADDRESSES);
        let mut hasty = Attempts::new([0; 2], Duration::ZERO);
        assert_eq!(hasty.next(at(0)), Next::Begin(0));
        assert_eq!(hasty.next(at(0)), Next::Wait(at(10)));
    }
}
