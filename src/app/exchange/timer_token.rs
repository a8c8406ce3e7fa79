//! Tokens of the timers that the app sets for itself. Those of applications are `u32`.

/// The time that a route has for a reply.
pub(crate) const ROUTE: u64 = u64::MAX;
/// The deadline of a call.
pub(crate) const CALL: u64 = u64::MAX - 1;
/// The time that a message of a call may be incomplete.
pub(crate) const MESSAGE: u64 = u64::MAX - 2;
/// The next comment of an event stream on which nothing happens.
pub(crate) const HEARTBEAT: u64 = u64::MAX - 3;
/// More of a body to be coded.
pub(crate) const RESUME: u64 = u64::MAX - 4;
