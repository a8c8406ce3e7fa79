//! The times of attempts: full jitter, in windows that double.
//!
//! ```text
//!   lost   0 ─────── 1 s           each client somewhere in here
//!   again  0 ─────────────── 2 s
//!   again  0 ─────────────────────────────── 4 s  ... up to the longest
//! ```

use core::time::Duration;

use super::{ComeBack, ReconnectLimits};
use crate::wire::Instant;

/// How many attempts have failed, and since when the connection is open.
#[derive(Debug, Clone, Default)]
pub(super) struct Schedule {
    /// In a row; a connection that was stable begins a row.
    failures: u32,
    /// Those without one that was stable, and without those that this side has ended.
    counted: u32,
    opened: Option<Instant>,
}

impl Schedule {
    pub(super) const fn failures(&self) -> u32 {
        self.failures
    }

    /// How many of them count against the most that may fail.
    pub(super) const fn counted(&self) -> u32 {
        self.counted
    }

    pub(super) const fn opened(&mut self, now: Instant) {
        self.opened = Some(now);
    }

    /// An attempt failed, or the connection is over, perhaps to be replaced.
    pub(super) fn failed(&mut self, now: Instant, limits: &ReconnectLimits, is_asked_for: bool) {
        let opened = self.opened.take();
        let was_stable = opened.is_some_and(|it| now.saturating_since(it) >= limits.stable);
        if was_stable {
            (self.failures, self.counted) = (0, 0);
        }
        if !was_stable && !is_asked_for {
            self.counted = self.counted.saturating_add(1);
        }
        self.failures = self.failures.saturating_add(1);
    }

    pub(super) fn delay(
        &self,
        come_back: ComeBack,
        limits: &ReconnectLimits,
        dice: u64,
    ) -> Option<Duration> {
        let window = self.window(limits);
        match come_back {
            ComeBack::Never => None,
            ComeBack::Retry => Some(drawn(Duration::ZERO, window, dice)),
            ComeBack::Between { least, most } => {
                let least = least.min(limits.later);
                let most = most.min(limits.later).max(least.saturating_add(window));
                Some(drawn(least, most, dice))
            }
        }
    }

    fn window(&self, limits: &ReconnectLimits) -> Duration {
        let doublings = self.failures.saturating_sub(1).min(31);
        let window = limits.first.saturating_mul(1 << doublings);
        window.min(limits.longest.max(limits.first))
    }
}

/// A time from `least` to `most`, evenly.
fn drawn(least: Duration, most: Duration, dice: u64) -> Duration {
    let width = u64::try_from(most.saturating_sub(least).as_nanos()).unwrap_or(u64::MAX);
    let part = (u128::from(width) * u128::from(dice)) >> 64; // less than the width
    least.saturating_add(Duration::from_nanos(part as u64))
}

#[cfg(test)]
mod tests;
