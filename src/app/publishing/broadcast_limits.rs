//! Limits on the names that a broadcaster looks up.

use crate::app::exchange::refusal::Refusal;
use crate::http::Status;
use crate::net::Exhausted;
use crate::sse::UsageError;
use crate::wire::setters;

/// The limits of a [`Broadcaster`](crate::app::Broadcaster) on names of streams,
/// which often come from clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BroadcastLimits {
    /// Bytes of a stream's name. Stops: names that fill the memory. The caller
    /// sees [`BroadcastError::NameTooLong`], and a client that opens a
    /// subscription sees 400. Default 128.
    pub name: usize,
    /// Names that one event is sent to, each counted as often as it is given.
    /// Stops: a list of names that holds the loop up. The caller sees
    /// [`BroadcastError::TooManyNames`]. Default 1,024.
    pub names: usize,
}

impl BroadcastLimits {
    /// Safe where clients choose the names.
    pub const DEFAULT: Self = Self {
        name: 128,
        names: 1_024,
    };

    setters! {
        with_name name: usize,
        with_names names: usize,
    }
}

impl Default for BroadcastLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Why a broadcaster refused a name or an event. As a
/// [`Refusal`](crate::app::Refusal) it is 400, or 503 for
/// [`Exhausted`](Self::Exhausted).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BroadcastError {
    /// The event's type or id holds CR, LF or NUL.
    #[error(transparent)]
    Event(#[from] UsageError),
    /// The name is longer than [`BroadcastLimits::name`].
    #[error("the stream's name is longer than the limit")]
    NameTooLong,
    /// There are more names than [`BroadcastLimits::names`].
    #[error("the event has more names than the limit")]
    TooManyNames,
    /// The loop, the peer's address or the connection has as many
    /// [`memberships`](crate::net::Limits::memberships) as it may have.
    #[error(transparent)]
    Exhausted(#[from] Exhausted),
}

impl From<BroadcastError> for Refusal {
    fn from(error: BroadcastError) -> Self {
        let reason = match error {
            BroadcastError::Exhausted(_) => return Self::new(Status::SERVICE_UNAVAILABLE),
            BroadcastError::Event(_) => "the event's type or id cannot be sent",
            BroadcastError::NameTooLong => "the stream's name is too long",
            BroadcastError::TooManyNames => "the event has too many names",
        };
        Self::new(Status::BAD_REQUEST).because(reason)
    }
}
