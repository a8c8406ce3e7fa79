//! When a client may come again (RFC 9110 §10.2.3).

use alloc::string::{String, ToString};
use core::time::Duration;
use std::time::{SystemTime, UNIX_EPOCH};

use super::refusal::Refusal;
use super::reply::Reply;
use super::response::Response;
use crate::http::date::Date;

/// When a client may come again: after a [`Duration`], or at a [`SystemTime`].
///
/// ```
/// use barewire::app::{Refusal, Status};
/// use std::time::Duration;
///
/// let refusal = Refusal::new(Status::SERVICE_UNAVAILABLE).retry_after(Duration::from_secs(30));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryAfter(String);

impl From<Duration> for RetryAfter {
    /// In whole seconds, rounded up.
    fn from(time: Duration) -> Self {
        let more = u64::from(time.subsec_nanos() > 0);
        Self(time.as_secs().saturating_add(more).to_string())
    }
}

impl From<SystemTime> for RetryAfter {
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(Date::from_unix(since.as_secs()).as_str().into())
    }
}

impl Reply<'_, '_> {
    /// Says when the client may come again (`Retry-After`).
    #[must_use]
    pub fn retry_after(self, when: impl Into<RetryAfter>) -> Self {
        self.set_header("Retry-After", when.into().0)
    }
}

impl Response {
    /// Says when the client may come again (`Retry-After`).
    #[must_use]
    pub fn retry_after(self, when: impl Into<RetryAfter>) -> Self {
        self.header("Retry-After", when.into().0)
    }
}

impl Refusal {
    /// Says when the client may come again (`Retry-After`).
    #[must_use]
    pub fn retry_after(mut self, when: impl Into<RetryAfter>) -> Self {
        // Digits or a date can stand on the wire.
        let _ = self.fields_mut().set("Retry-After", when.into().0);
        self
    }
}
