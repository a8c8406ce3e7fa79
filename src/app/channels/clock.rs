//! The clock that the ages of publications are told by, on all threads.

use core::time::Duration;
use std::time::{Instant as StdInstant, SystemTime, UNIX_EPOCH};

use crate::wire::Instant;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock(StdInstant);

impl Clock {
    pub(crate) fn start() -> Self {
        Self(StdInstant::now())
    }

    /// The time on it, which only goes forward.
    pub(crate) fn now(self) -> Instant {
        Instant::START + self.0.elapsed()
    }
}

/// Milliseconds since 1970-01-01 00:00:00 UTC.
pub(crate) fn unix_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let millis = since.unwrap_or(Duration::ZERO).as_millis();
    u64::try_from(millis).unwrap_or(u64::MAX)
}
