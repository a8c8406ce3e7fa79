//! Points in time that cost four bytes.

use core::time::Duration;

use crate::wire::Instant;

/// How far from now a point may be that is still to come: 4.6 hours.
const AHEAD: u32 = 1 << 24;

/// A recent point on the clock, in milliseconds that wrap after 49 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tick(u32);

impl Tick {
    pub(super) const ZERO: Self = Self(0);

    #[inline]
    pub(super) const fn at(now: Instant) -> Self {
        Self(now.as_millis() as u32)
    }

    #[inline]
    pub(super) const fn millis(self) -> u32 {
        self.0
    }

    /// The rest of `limit` from this point, which may lie some hours ahead; zero once passed,
    /// [`Duration::MAX`] if out of reach.
    pub(super) fn left(self, limit: Duration, now: Instant) -> Duration {
        match u32::try_from(limit.as_millis()) {
            Ok(u32::MAX) | Err(_) => Duration::MAX,
            Ok(_) => {
                let passed = Self::at(now).0.wrapping_sub(self.0);
                match passed.wrapping_neg() {
                    ahead @ 1..AHEAD => limit.saturating_add(Duration::from_millis(ahead.into())),
                    _ => limit.saturating_sub(Duration::from_millis(passed.into())),
                }
            }
        }
    }
}

/// The soonest thing that time makes due.
#[derive(Debug, Clone, Copy)]
pub(super) struct Due {
    pub(super) action: Action,
    pub(super) left: Duration,
}

/// The action when its time has come.
#[derive(Debug, Clone, Copy)]
pub(super) enum Action {
    /// Ask a silent peer for a sign of life.
    Ping,
    PongTimeout,
    MessageTimeout,
    /// Forget what was sent to a connection that sleeps.
    Forget,
    Idle,
    CloseTimeout,
}

impl Due {
    /// `action` once `limit` has passed since `since`.
    pub(super) fn after(action: Action, since: Tick, limit: Duration, now: Instant) -> Self {
        let left = since.left(limit, now);
        Self { action, left }
    }

    /// The sooner of two; the first if they come together.
    pub(super) fn or(self, other: Self) -> Self {
        if other.left < self.left { other } else { self }
    }
}

/// The point `left` after `now`: at least a millisecond, so that a loop does not
/// spin.
pub(super) fn later(now: Instant, left: Duration) -> Instant {
    now + left.max(Duration::from_millis(1))
}
