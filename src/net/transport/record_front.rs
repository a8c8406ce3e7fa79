//! The front of a record that has not come to its end, and its time.

use core::time::Duration;

use crate::wire::Instant;

/// The deadline for the rest of a record whose front has come, in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RecordFront(u32);

impl RecordFront {
    pub(super) const NONE: Self = Self(0);
    /// One has, and its time stands still: our own side does not read.
    const WITHHELD: Self = Self(u32::MAX);

    /// A record has until then.
    fn until(at: Instant) -> Self {
        let seconds = u32::try_from(at.as_secs() + 1).unwrap_or(u32::MAX);
        Self(seconds.min(u32::MAX - 1))
    }

    const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Notes a read that left the front of a record or nothing. A new one has until `at`.
    pub(super) fn note(&mut self, is_kept: bool, is_new: bool, at: Instant) {
        if !is_kept {
            *self = Self::NONE;
        } else if is_new || self.is_none() {
            *self = Self::until(at);
        }
    }

    /// Notes whether our side reads; if it does again, the rest has until `at`.
    pub(super) fn note_reading(&mut self, reads: bool, at: Instant) {
        match (reads, *self) {
            (_, Self::NONE) => {}
            (false, _) => *self = Self::WITHHELD,
            (true, Self::WITHHELD) => *self = Self::until(at),
            (true, _) => {}
        }
    }

    pub(super) fn deadline(self) -> Option<Instant> {
        match self {
            Self::NONE | Self::WITHHELD => None,
            Self(seconds) => Some(Instant::START + Duration::from_secs(seconds.into())),
        }
    }
}
