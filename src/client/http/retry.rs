//! Further attempts at a request, and their times.

use core::sync::atomic::{AtomicI64, Ordering};
use core::time::Duration;

use crate::http::{Fields, Status, date};
use crate::wire::ascii;

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
///
/// ```
/// use barewire::client::{Client, ClientOptions, RetryPolicy};
/// use std::time::Duration;
///
/// let retries = RetryPolicy::attempts(3).pauses(Duration::from_millis(200), Duration::from_secs(5));
/// let client = Client::with(ClientOptions::new().retries(retries))?;
/// # Ok::<(), barewire::client::Error>(())
/// ```
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
    pub const fn pauses(mut self, first: Duration, most: Duration) -> Self {
        (self.first, self.most) = (first, most);
        self
    }

    /// Also tries again if no connection could be made, whatever the method: nothing was
    /// sent then.
    #[must_use]
    pub const fn unreachable(mut self, also: bool) -> Self {
        self.also_unreachable = also;
        self
    }

    /// The pause before the next attempt, after `made`; `None` if the response is the answer.
    /// `dice` is any number.
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

/// The pause before the `nth` repetition of an unseen request: random up to 10 ms, doubling to
/// a second.
pub(super) fn pause_unseen(nth: u16, dice: u64) -> Duration {
    const POLICY: RetryPolicy =
        RetryPolicy::attempts(0).pauses(Duration::from_millis(10), Duration::from_secs(1));
    POLICY.jitter(nth, dice)
}

/// How many more attempts all requests of a client may make.
#[derive(Debug)]
pub(super) struct Budget {
    left: AtomicI64,
    most: i64,
    earned: i64,
}

impl Budget {
    /// For attempts that a status asks for: ten, and a tenth per answer.
    pub(super) const fn of_statuses() -> Self {
        Self::new(100, 1)
    }

    /// For unseen requests: a hundred, and two per answer: a leaving server may refuse more
    /// than it answers.
    pub(super) const fn of_unseen() -> Self {
        Self::new(1000, 20)
    }

    const fn new(most: i64, earned: i64) -> Self {
        Self {
            left: AtomicI64::new(most),
            most,
            earned,
        }
    }

    pub(super) fn earn(&self) {
        if self.left.load(Ordering::Relaxed) < self.most {
            self.left.fetch_add(self.earned, Ordering::Relaxed);
        }
    }

    pub(super) fn take(&self) -> bool {
        let taken = self.left.fetch_sub(10, Ordering::Relaxed) >= 10;
        if !taken {
            self.left.fetch_add(10, Ordering::Relaxed);
        }
        taken
    }
}

/// The wait that a response's fields ask for: seconds, or a date relative to its Date.
pub(super) fn read(fields: Fields<'_>) -> Option<Duration> {
    let value = fields.get("retry-after")?;
    if let Some(seconds) = ascii::parse_decimal(value) {
        return Some(Duration::from_secs(seconds));
    }
    let sent = date::parse(fields.get("date")?, 0)?;
    let at = date::parse(value, sent)?;
    Some(Duration::from_secs(at.saturating_sub(sent)))
}

#[cfg(test)]
mod tests;
