//! One coarse deadline for each connection.
//!
//! Deadlines of connections are restarted with every message and hardly ever
//! pass. So they are no timers, but numbers in a dense table beside the slab:
//!
//! ```text
//! slot       0    1    2    3    4  ...
//! second    61   60    -   75   60      restarting is a store
//!                                       earliest: 58, never later than any
//! ```
//!
//! When the earliest comes up, the table is swept: four bytes for each
//! connection, a million in a third of a millisecond, at most once a second.
//! The sweep finds what has passed and the next earliest. A deadline that was
//! moved back in between costs nothing but a sweep that finds nothing.

use alloc::vec::Vec;

use super::slab::grow;
use crate::wire::Instant;

const NONE: u32 = u32::MAX;
const SECOND: u64 = 1_000_000_000;

/// Coarse deadlines by slot: none passes early, each at most a second late.
#[derive(Debug)]
pub(crate) struct Deadlines {
    seconds: Vec<u32>,
    earliest: u32, // <= every one of `seconds`
}

impl Deadlines {
    /// No deadline for any slot.
    pub(crate) const fn new() -> Self {
        Self {
            seconds: Vec::new(),
            earliest: NONE,
        }
    }

    /// A table with room for so many slots before the table has to grow.
    pub(in crate::net) fn with_room(slots: usize) -> Self {
        Self {
            seconds: Vec::with_capacity(slots),
            earliest: NONE,
        }
    }

    /// Sets, moves or ends the deadline of a slot ([`Key::slot`](crate::net::Key::slot)).
    /// Allocates only for slots higher than ever before.
    #[inline]
    pub(crate) fn set(&mut self, slot: u32, deadline: Option<Instant>) {
        let second = match deadline {
            Some(at) => u32::try_from(at.as_nanos().div_ceil(SECOND))
                .unwrap_or(NONE)
                .min(NONE - 1),
            None => NONE,
        };
        if let Some(place) = self.seconds.get_mut(slot as usize) {
            *place = second;
        } else if second != NONE {
            while self.seconds.len() < slot as usize {
                grow(&mut self.seconds);
                self.seconds.push(NONE);
            }
            grow(&mut self.seconds);
            self.seconds.push(second);
        }
        self.earliest = self.earliest.min(second);
    }

    /// Adds the slots whose deadline has passed to `passed`, by slot, and ends
    /// those deadlines. Takes constant time until the earliest may have come.
    pub(crate) fn expired(&mut self, now: Instant, passed: &mut Vec<u32>) {
        let now = u32::try_from(now.as_secs()).unwrap_or(NONE).min(NONE - 1);
        if now < self.earliest {
            return;
        }
        self.earliest = NONE;
        for (base, places) in (0..).step_by(64).zip(self.seconds.chunks_mut(64)) {
            if lowest(places) <= now {
                for (slot, place) in (base..).zip(&mut *places) {
                    if *place <= now {
                        *place = NONE;
                        passed.push(slot);
                    }
                }
            }
            self.earliest = self.earliest.min(lowest(places));
        }
    }

    /// When [`expired`](Self::expired) is worth a call: no deadline passes
    /// before. `None` if there is none.
    #[inline]
    pub(crate) fn next(&self) -> Option<Instant> {
        (self.earliest != NONE).then(|| Instant::from_nanos(u64::from(self.earliest) * SECOND))
    }
}

impl Default for Deadlines {
    fn default() -> Self {
        Self::new()
    }
}

/// A loop that the compiler makes vectors of.
#[inline]
fn lowest(places: &[u32]) -> u32 {
    places.iter().fold(NONE, |lowest, &place| lowest.min(place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;
    use proptest::prelude::*;

    fn at(millis: u64) -> Instant {
        Instant::START + Duration::from_millis(millis)
    }

    fn expired(deadlines: &mut Deadlines, millis: u64) -> Vec<u32> {
        let mut passed = Vec::new();
        deadlines.expired(at(millis), &mut passed);
        passed
    }

    #[test]
    fn a_restarted_deadline_passes_at_its_new_time_only() {
        let mut deadlines = Deadlines::new();
        deadlines.set(0, Some(at(10_000)));
        deadlines.set(0, Some(at(20_500)));
        assert_eq!(deadlines.next(), Some(at(10_000)));
        assert!(expired(&mut deadlines, 10_000).is_empty());
        assert_eq!(deadlines.next(), Some(at(21_000)));
        assert!(expired(&mut deadlines, 20_999).is_empty());
        assert_eq!(expired(&mut deadlines, 21_000), [0]);
        assert_eq!(
            (expired(&mut deadlines, 90_000), deadlines.next()),
            (Vec::new(), None)
        );
    }

    #[test]
    fn an_ended_deadline_never_passes() {
        let mut deadlines = Deadlines::new();
        deadlines.set(3, None);
        assert_eq!(deadlines.seconds.len(), 0);
        deadlines.set(3, Some(at(1000)));
        deadlines.set(3, None);
        assert!(expired(&mut deadlines, u64::MAX / 2_000_000).is_empty());
        assert_eq!(deadlines.next(), None);
    }

    #[test]
    fn the_end_of_the_clock_is_a_deadline_too() {
        let mut deadlines = Deadlines::new();
        deadlines.set(0, Some(Instant::NEVER));
        let mut passed = Vec::new();
        deadlines.expired(Instant::NEVER, &mut passed);
        assert_eq!(passed, [0]);
    }

    proptest! {
        #[test]
        fn deadlines_behave_like_a_list(
            steps in prop::collection::vec((0..4u8, 0..300u32, 0..90_000u64), 0..100),
        ) {
            let mut deadlines = Deadlines::new();
            let mut model = std::collections::BTreeMap::new();
            let mut now = 0;
            for (step, slot, millis) in steps {
                match step {
                    0 | 1 => {
                        deadlines.set(slot, Some(at(now + millis)));
                        model.insert(slot, (now + millis).div_ceil(1000) * 1000);
                    }
                    2 => {
                        deadlines.set(slot, None);
                        model.remove(&slot);
                    }
                    _ => {
                        now += millis / 4;
                        let due: Vec<u32> = model
                            .iter()
                            .filter(|&(_, &second)| second <= now)
                            .map(|(&slot, _)| slot)
                            .collect();
                        model.retain(|_, second| *second > now);
                        prop_assert_eq!(expired(&mut deadlines, now), due);
                    }
                }
                // Never later than the earliest, and none only if there is none.
                let earliest = model.values().min().map(|&millis| at(millis));
                match (deadlines.next(), earliest) {
                    (Some(next), Some(earliest)) => prop_assert!(next <= earliest),
                    (next, earliest) => prop_assert!(next.is_some() || earliest.is_none()),
                }
            }
        }
    }
}
