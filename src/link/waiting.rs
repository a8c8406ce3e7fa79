//! The answer that the peer of a raw connection owes its owner.

use core::time::Duration;

use crate::wire::Instant;

/// How often the way to a peer is looked at that is asked for answers.
const LOOK: Duration = Duration::from_secs(30);

/// The answer that the peer of a raw connection owes its owner.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiting {
    /// Since when; `NEVER` if it owes none.
    since: Instant,
    /// How long it may take.
    within: Duration,
    /// When to look at the way to the peer next; `NEVER` if it is never asked.
    look: Instant,
}

impl Waiting {
    pub(super) const NONE: Self = Self {
        since: Instant::NEVER,
        within: Duration::ZERO,
        look: Instant::NEVER,
    };

    #[cfg(feature = "net")]
    pub(super) const fn asks(&self) -> bool {
        self.look.as_nanos() != Instant::NEVER.as_nanos()
    }

    /// The way to the peer is looked at from now on.
    #[cfg(feature = "net")]
    pub(super) const fn begin(&mut self, now: Instant) {
        self.look = now;
    }

    /// The peer owes an answer from now on, and the way is looked at right away.
    #[cfg(feature = "net")]
    pub(super) const fn ask(&mut self, within: Duration, now: Instant) {
        *self = Self {
            since: now,
            within,
            look: now,
        };
    }

    /// The peer has said something.
    pub(super) const fn answered(&mut self) {
        self.since = Instant::NEVER;
    }

    pub(super) fn since(&self) -> Option<Instant> {
        (self.since != Instant::NEVER).then_some(self.since)
    }

    /// The time to answer counts from `at`, if an answer is owed.
    pub(super) fn count_from(&mut self, at: Instant) {
        if self.since != Instant::NEVER {
            self.since = at;
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        let first = (self.since + self.within).min(self.look);
        (first != Instant::NEVER).then_some(first)
    }

    /// Whether the answer is overdue; that is said once.
    pub(super) fn elapsed(&mut self, now: Instant) -> bool {
        if self.look <= now {
            self.look = now + LOOK;
        }
        let is_overdue = self.since + self.within <= now;
        if is_overdue {
            self.since = Instant::NEVER;
        }
        is_overdue
    }
}
