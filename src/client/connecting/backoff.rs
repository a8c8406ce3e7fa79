//! The times of attempts to connect (gRPC connection backoff).
//!
//! ```text
//!  attempt ... 1 s ... attempt ... 1.6 s ± 20 % ... attempt ... 2.56 s ± 20 % ...
//! ```
//!
//! The time counts from the beginning of an attempt. A connection that has
//! been of use starts it anew.

use core::time::Duration;

use crate::wire::Instant;

const FIRST: Duration = Duration::from_secs(1);

#[derive(Debug, Clone)]
pub(super) struct Backoff {
    step: Duration, // of the next attempt
    most: Duration,
    next: Instant,
}

impl Backoff {
    pub(super) fn new(most: Duration) -> Self {
        Self {
            step: FIRST.min(most),
            most,
            next: Instant::START,
        }
    }

    pub(super) const fn next(&self) -> Instant {
        self.next
    }

    /// An attempt begins; `jitter` is any number.
    pub(super) fn begin(&mut self, now: Instant, jitter: u32) {
        // 0.8 to 1.2 of the step, in 4,096 parts of it.
        let share = 3277 + jitter % 1639;
        self.next = now + self.step / 4096 * share;
        self.step = (self.step / 5 * 8).min(self.most);
    }

    /// The next attempt need not wait; the one after it does.
    pub(super) const fn skip(&mut self) {
        self.next = Instant::START;
    }

    /// The connection was of use: the next one need not wait.
    pub(super) fn reset(&mut self) {
        *self = Self::new(self.most);
    }
}

#[cfg(test)]
mod tests;
