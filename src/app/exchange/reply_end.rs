//! The ends of replies, as middleware sees them.

use core::time::Duration;

use crate::http::Status;

/// The end of a reply: all of it has left, or no more of it will.
#[derive(Debug, Clone, Copy)]
pub struct ReplyEnd<'a> {
    pub(super) status: Status,
    pub(crate) bytes: u64,
    pub(super) elapsed: Duration,
    pub(crate) unix_seconds: u64,
    pub(super) route: Option<&'a str>,
}

impl<'a> ReplyEnd<'a> {
    pub(crate) const fn of_route<'r>(&self, route: Option<&'r str>) -> ReplyEnd<'r> {
        ReplyEnd { route, ..*self }
    }

    /// The status.
    pub const fn status(&self) -> Status {
        self.status
    }

    /// The pattern of the route that answered: `/users/{id}`; `None` if there was none.
    pub const fn route(&self) -> Option<&'a str> {
        self.route
    }

    /// The bytes of content that the system has taken to send. Heads, chunk
    /// sizes and frames do not count; of a WebSocket, the payloads of its
    /// messages do.
    ///
    /// A reply that was cut short has fewer than it had announced. Where the
    /// connection carried several replies (HTTP/2), or a body in chunks, what
    /// waited around its last bytes cannot be told from them and counts as not
    /// sent: the number may then be a little too low, and never too high.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The time from the turn of the loop in which the request's head was read,
    /// until this.
    pub const fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// The wall clock, in seconds since 1970-01-01 00:00:00 UTC.
    pub const fn unix_seconds(&self) -> u64 {
        self.unix_seconds
    }
}
