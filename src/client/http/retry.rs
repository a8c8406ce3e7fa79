//! Whether a request is made again, and when.

use core::sync::atomic::{AtomicI64, Ordering};
use core::time::Duration;

use crate::http::Status;

/// Which responses have a request made again: none by default.
///
/// That a request is made again whose connection turned out to be dead is apart from
/// this, and happens without it where it is safe.
///
/// Only requests that may be repeated are made again: those of idempotent methods (RFC
/// 9110 §9.2.2), and those with an `Idempotency-Key`, with a body that can be sent again.
/// The pause is what `Retry-After` says; else it is drawn between nothing and a time that
/// doubles with each attempt ("full jitter"), so that clients which failed together do
/// not come back together. A budget that all requests of a client share keeps a server
/// that fails from getting a multiple of the load: each response that is no failure adds
/// a tenth of an attempt, and the client begins with ten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    attempts: u16,
    first: Duration,
    most: Duration,
    also_unreachable: bool,
}

impl RetryPolicy {
    /// Makes no request again for its status.
    pub const fn none() -> Self {
        Self::attempts(1)
    }

    /// Makes a request at most `attempts` times, the first included, as long as the
    /// response is 429 (Too Many Requests) or 503 (Service Unavailable).
    pub const fn attempts(attempts: u16) -> Self {
        Self {
            attempts,
            first: Duration::from_millis(500),
            most: Duration::from_secs(30),
            also_unreachable: false,
        }
    }

    /// Sets the longest first pause (default 0.5 s), and the longest of all (default
    /// 30 s). A `Retry-After` that is longer makes the response the answer.
    #[must_use]
    pub const fn with_pauses(mut self, first: Duration, most: Duration) -> Self {
        (self.first, self.most) = (first, most);
        self
    }

    /// Tries again also where no connection could be had, whatever the method: nothing
    /// was sent then.
    #[must_use]
    pub const fn with_unreachable(mut self, also: bool) -> Self {
        self.also_unreachable = also;
        self
    }

    /// How long to wait before the next attempt, after `made` of them; `None` if the
    /// response is the answer. `dice` is any number.
    pub(super) fn pause(
        &self,
        status: Status,
        retry_after: Option<Duration>,
        made: u16,
        dice: u64,
    ) -> Option<Duration> {
        if !matches!(status.code(), 429 | 503) || made >= self.attempts {
            return None;
        }
        match retry_after {
            Some(asked) => (asked <= self.most).then_some(asked),
            None => Some(self.jitter(made, dice)),
        }
    }

    /// The pause after a server could not be reached.
    pub(super) fn pause_unreachable(&self, made: u16, dice: u64) -> Option<Duration> {
        let again = self.also_unreachable && made < self.attempts;
        again.then(|| self.jitter(made, dice))
    }

    fn jitter(&self, made: u16, dice: u64) -> Duration {
        let doublings = u32::from(made.saturating_sub(1)).min(20);
        let longest = self.first.saturating_mul(1 << doublings).min(self.most);
        let parts = dice % 1025; // of 1,024
        longest.mul_f64(parts as f64 / 1024.0)
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self::none()
    }
}

/// How many more attempts all requests of a client may make, in tenths.
#[derive(Debug)]
pub(super) struct Budget(AtomicI64);

impl Budget {
    const MOST: i64 = 100;

    pub(super) const fn new() -> Self {
        Self(AtomicI64::new(Self::MOST))
    }

    /// A response came that was no failure.
    pub(super) fn earn(&self) {
        if self.0.load(Ordering::Relaxed) < Self::MOST {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes one attempt, if there is one.
    pub(super) fn take(&self) -> bool {
        let taken = self.0.fetch_sub(10, Ordering::Relaxed) >= 10;
        if !taken {
            self.0.fetch_add(10, Ordering::Relaxed);
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_jitter_fully() {
        let policy = RetryPolicy::attempts(20);
        let busy = Status::SERVICE_UNAVAILABLE;
        let longest = |made| policy.pause(busy, None, made, 1024).unwrap();
        assert_eq!(longest(1), Duration::from_millis(500));
        assert_eq!(longest(3), Duration::from_secs(2));
        assert_eq!(longest(19), Duration::from_secs(30));
        assert_eq!(policy.pause(busy, None, 3, 0), Some(Duration::ZERO));
        assert_eq!(policy.pause(busy, None, 20, 0), None);
        assert_eq!(policy.pause(Status::BAD_GATEWAY, None, 1, 0), None);
        assert_eq!(RetryPolicy::none().pause(busy, None, 1, 0), None);
    }

    #[test]
    fn a_server_says_how_long_within_reason() {
        let policy = RetryPolicy::attempts(3);
        let asked = |seconds| Some(Duration::from_secs(seconds));
        let pause = |seconds| policy.pause(Status::TOO_MANY_REQUESTS, asked(seconds), 1, 7);
        assert_eq!(pause(30), asked(30));
        assert_eq!(pause(31), None);
    }

    #[test]
    fn a_budget_is_earned_by_tenths() {
        let budget = Budget::new();
        for _ in 0..10 {
            assert!(budget.take());
        }
        assert!(!budget.take());
        for _ in 0..9 {
            budget.earn();
            assert!(!budget.take());
        }
        budget.earn();
        assert!(budget.take() && !budget.take());
    }
}
