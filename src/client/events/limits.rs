//! The limits of an event source.

use core::time::Duration;

use crate::sse;
use crate::wire::setters;

/// Limits of an event source: on what it takes from its server, and on how long it
/// waits.
///
/// Sizes are in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventSourceLimits {
    /// One event as it is sent, with its names and comments
    /// ([`sse::Limits::event`]). Stops a stream that never sends a blank line. Default
    /// 1 MiB.
    pub event: usize,
    /// One event ID ([`sse::Limits::id`]), which goes into every later request. Default
    /// 4 KiB.
    pub id: usize,
    /// How long an open stream may be silent before it counts as lost. Comments count as
    /// bytes, so this is to be longer than the server's heartbeat. Default: never, as a
    /// server need not send one.
    pub silence: Duration,
    /// Attempts in a row that may fail; after the last one the source gives up. Default:
    /// never.
    pub attempts: u32,
    /// How long a stream must have been open to count as of use although it brought no
    /// event. Default 30 s.
    pub settled: Duration,
    /// The reconnection time, unless the server sets another one (`retry:`). Default
    /// 3 s.
    pub reconnection: Duration,
    /// The shortest reconnection time that a server can set. Stops servers that end each
    /// stream immediately from keeping us busy. Default 100 ms.
    pub shortest: Duration,
    /// The longest reconnection time that a server can set. Stops servers from silencing
    /// us for good. Default 3,600 s.
    pub longest: Duration,
    /// The longest delay that failed attempts lead to, unless the reconnection time is
    /// longer; without the random part. Default 60 s.
    pub delay: Duration,
}

impl EventSourceLimits {
    /// Limits for servers that one has chosen, but does not trust.
    pub const DEFAULT: Self = Self {
        event: 1 << 20,
        id: 4 << 10,
        silence: Duration::MAX,
        attempts: u32::MAX,
        settled: Duration::from_secs(30),
        reconnection: Duration::from_secs(3),
        shortest: Duration::from_millis(100),
        longest: Duration::from_secs(3600),
        delay: Duration::from_secs(60),
    };

    setters! {
        with_event event: usize,
        with_id id: usize,
        with_silence silence: Duration,
        with_attempts attempts: u32,
        with_settled settled: Duration,
        with_reconnection reconnection: Duration,
        with_shortest shortest: Duration,
        with_longest longest: Duration,
        with_delay delay: Duration,
    }

    pub(super) const fn sse(&self) -> sse::Limits {
        sse::Limits::DEFAULT.with_event(self.event).with_id(self.id)
    }
}

impl Default for EventSourceLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
