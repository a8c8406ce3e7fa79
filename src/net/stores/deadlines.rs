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
    pub(crate) const fn new() -> Self {
        Self {
            seconds: Vec::new(),
            earliest: NONE,
        }
    }

    pub(crate) fn with_room(slots: usize) -> Self {
        Self {
            seconds: Vec::with_capacity(slots),
            earliest: NONE,
        }
    }

    /// Sets, moves or ends the deadline of a slot ([`Key::slot`](crate::net::Key::slot)).
    /// Allocates only for new highest slots.
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

    /// Has the table looked at by this time.
    pub(crate) fn look_at(&mut self, at: Instant) {
        let second = u32::try_from(at.as_nanos().div_ceil(SECOND)).unwrap_or(NONE);
        self.earliest = self.earliest.min(second);
    }

    /// Adds the passed slots to `passed`, by slot, and ends their deadlines. Constant time
    /// until one may have passed.
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

#[inline]
fn lowest(places: &[u32]) -> u32 {
    places.iter().fold(NONE, |lowest, &place| lowest.min(place))
}

#[cfg(test)]
mod tests;
