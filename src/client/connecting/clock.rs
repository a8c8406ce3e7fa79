//! One clock for all clients of a process that block.

use crate::net::SystemClock;
use crate::wire::Instant;

pub(crate) fn now() -> Instant {
    SystemClock::of_process().now()
}
