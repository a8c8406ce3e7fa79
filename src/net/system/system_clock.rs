//! The system's monotonic clock.
//!
//! On Linux a look is one call and one subtraction of nanoseconds, where std's
//! `Instant` makes a `Duration` of two times that are in two parts each: 37
//! instructions more, and a turn takes two looks.

#[cfg(any(target_os = "linux", target_os = "android"))]
use rustix::time::{ClockId, clock_gettime};

use std::sync::OnceLock;

use crate::wire::Instant;

/// The system's monotonic clock, since it was started.
///
/// ```
/// use barewire::net::SystemClock;
/// use barewire::wire::Instant;
///
/// let clock = SystemClock::start();
/// let now = clock.now();
/// assert!(now >= Instant::START && clock.now() >= now);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    start: Start,
}

#[cfg(any(target_os = "linux", target_os = "android"))]
type Start = u64; // nanoseconds
#[cfg(not(any(target_os = "linux", target_os = "android")))]
type Start = std::time::Instant;

#[cfg(any(target_os = "linux", target_os = "android"))]
impl SystemClock {
    /// A clock that shows [`Instant::START`] at this moment.
    pub fn start() -> Self {
        Self { start: nanos() }
    }

    /// The time that it shows.
    #[inline]
    pub fn now(&self) -> Instant {
        Instant::from_nanos(nanos().saturating_sub(self.start))
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
impl SystemClock {
    /// A clock that shows [`Instant::START`] at this moment.
    pub fn start() -> Self {
        let start = std::time::Instant::now();
        Self { start }
    }

    /// The time that it shows.
    #[inline]
    pub fn now(&self) -> Instant {
        Instant::START + self.start.elapsed()
    }
}

impl SystemClock {
    /// One clock for all of a process, so that what one loop has noted another can compare.
    pub(crate) fn of_process() -> Self {
        static CLOCK: OnceLock<SystemClock> = OnceLock::new();
        *CLOCK.get_or_init(Self::start)
    }
}

/// Nanoseconds on the system's own scale: of neither part is any negative.
#[cfg(any(target_os = "linux", target_os = "android"))]
#[inline]
fn nanos() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

#[cfg(test)]
mod tests;
