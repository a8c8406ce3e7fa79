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
