//! The reasons for a stream's interruption, and for a source's end.

use alloc::string::String;

use crate::sse::ProtocolError;

/// Why an attempt or an open stream of an event source came to nothing further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Interruption {
    /// The server was not reached, or has provably not acted on the request.
    #[error("the server was not reached")]
    NotReached,
    /// There was no response, and the server may have acted on the request.
    #[error("no response")]
    NoResponse,
    /// The response had this status, one of
    /// [`EventSourceOptions::retry_on`](super::EventSourceOptions::retry_on).
    #[error("a response with status {0}")]
    Status(u16),
    /// The connection of an open stream was lost.
    #[error("the connection was lost")]
    Lost,
    /// The stream ended, between two events.
    #[error("the stream ended")]
    Ended,
    /// The stream ended inside of an event, which is not dispatched.
    #[error("the stream ended inside of an event")]
    CutInEvent,
    /// No byte came for [`EventSourceLimits::silence`](super::EventSourceLimits::silence).
    #[error("the stream was silent for too long")]
    Silent,
}

/// Why an event source is over.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventSourceEnd {
    /// It was closed on this side.
    Closed,
    /// The server answered 204 (No Content), by which it says not to come back.
    NoContent,
    /// The stream's terminal marker has come.
    Marker,
    /// The stream ended between two events, and is not to be resumed.
    Finished,
    /// It failed.
    Failed(EventSourceFault),
}

/// How an event source failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventSourceFault {
    /// The request cannot be made, now or later: its URL, a field or its body is at
    /// fault, or a redirect cannot be followed.
    #[error("the request cannot be made")]
    Request,
    /// The response had another status than 200.
    #[error("the response has status {0}, not 200 (WHATWG HTML §9.2.3)")]
    Status(u16),
    /// The response was none of `text/event-stream`, but of this type, of which the first
    /// 256 bytes are kept; `None` if it had none.
    #[error(
        "the response is {}, not text/event-stream (WHATWG HTML §9.2.3)",
        .0.as_deref().unwrap_or("of no type")
    )]
    ContentType(Option<String>),
    /// An event was over a limit. The stream is not resumed, since that event would come
    /// again.
    #[error(transparent)]
    Event(#[from] ProtocolError),
    /// The stream ended without its terminal marker, and is not to be resumed.
    #[error("the stream ended without its terminal marker")]
    NoMarker,
    /// It was interrupted, and is not to be resumed.
    #[error("{0}")]
    Interrupted(Interruption),
    /// So many attempts in a row brought nothing
    /// ([`EventSourceLimits::attempts`](super::EventSourceLimits::attempts)).
    #[error("gave up after {attempts} attempts in vain; the last: {last}")]
    GaveUp {
        /// How many.
        attempts: u32,
        /// The end of the last one.
        last: Interruption,
    },
}
