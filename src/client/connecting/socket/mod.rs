//! A connected socket that one thread waits for: it can be read with a time to wait, be
//! written as far as there is room, and be ended by another thread.

// The former is tested on Unix with `--cfg barewire_polled`.
#[cfg(any(not(unix), barewire_polled))]
mod polled;
#[cfg(all(unix, not(barewire_polled)))]
mod unix;

#[cfg(any(not(unix), barewire_polled))]
pub(super) use polled::{Alarm, Socket};
#[cfg(all(unix, not(barewire_polled)))]
pub(super) use unix::{Alarm, Socket};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WaitFor {
    Bytes,
    Room,
    Both,
}

/// The cause of the end of a wait for a socket and an alarm; neither if the time is
/// over.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Woken {
    pub(super) is_readable: bool,
    /// The alarm has sounded. It is silent from now on.
    pub(super) is_alarmed: bool,
}
