//! The front of a record that has not come to its end, and its time.

use core::time::Duration;

use crate::wire::Instant;

/// The deadline for the rest of a record whose front was received, in whole seconds like
/// all deadlines of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RecordFront(u32);

impl RecordFront {
    /// No record has begun.
    pub(super) const NONE: Self = Self(0);
    /// One has, and its time stands still: our own side does not read.
    const WITHHELD: Self = Self(u32::MAX);

    /// A record has until then.
    fn until(at: Instant) -> Self {
        let seconds = u32::try_from(at.as_secs() + 1).unwrap_or(u32::MAX);
        Self(seconds.min(u32::MAX - 1))
    }

    /// Whether no record has begun.
    const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Notes a read that has left the front of a record, or nothing. One that
    /// `is_new` has its time until `at`.
    pub(super) fn note(&mut self, is_kept: bool, is_new: bool, at: Instant) {
        if !is_kept {
            *self = Self::NONE;
        } else if is_new || self.is_none() {
            *self = Self::until(at);
        }
    }

    /// Notes whether our own side reads; if it does again, the rest has its time until
    /// `at`.
    pub(super) fn note_reading(&mut self, reads: bool, at: Instant) {
        match (reads, *self) {
            (_, Self::NONE) => {}
            (false, _) => *self = Self::WITHHELD,
            (true, Self::WITHHELD) => *self = Self::until(at),
            (true, _) => {}
        }
    }

    /// When the rest has to be here.
    pub(super) fn deadline(self) -> Option<Instant> {
        match self {
            Self::NONE | Self::WITHHELD => None,
            Self(seconds) => Some(Instant::START + Duration::from_secs(seconds.into())),
        }
    }
}
