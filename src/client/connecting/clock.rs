//! One clock for all clients of a process that block.

use std::sync::OnceLock;

use crate::net::SystemClock;
use crate::wire::Instant;

pub(crate) fn now() -> Instant {
    static CLOCK: OnceLock<SystemClock> = OnceLock::new();
    CLOCK.get_or_init(SystemClock::start).now()
}
