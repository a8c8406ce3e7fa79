//! A connected socket that one thread waits for: it can be read with a time to wait, be
//! written as far as there is room, and be ended by another thread.

#[cfg(not(unix))]
mod polled;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
pub(super) use polled::{Alarm, Socket};
#[cfg(unix)]
pub(super) use unix::{Alarm, Socket};

/// What has ended a wait for a socket and an alarm; neither if its time is over.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Woken {
    /// There may be something to read.
    pub(super) is_readable: bool,
    /// The alarm has sounded. It is silent from now on.
    pub(super) is_alarmed: bool,
}
