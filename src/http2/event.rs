//! Events of a connection, and the lengths that its caller tells it.

use super::{ErrorCode, StreamError};
use crate::http::{Content, Fields, RequestHead, ResponseHead};

/// An event: borrowed from the input and the scratch, never from the machine.
///
/// HTTP/2 may be extended by frames (RFC 9113 §5.5), and so this may get events: what
/// is not known may be ignored. Those of HTTP/1.1 and WebSocket are complete, so that
/// there the compiler finds what a caller forgets.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'b> {
    /// A request (server role).
    Request {
        /// Its stream.
        stream: u32,
        /// Its head.
        head: RequestHead<'b>,
        /// [`Content::Whole`] where all of it, and it is small, was received with
        /// the head: there is neither data nor an end of it, and nothing to
        /// consume.
        content: Content<'b>,
    },
    /// The final response (client role).
    Response {
        /// Its stream.
        stream: u32,
        /// Its head.
        head: ResponseHead<'b>,
        /// [`Content::None`] or [`Content::Follows`].
        content: Content<'b>,
    },
    /// An interim response (client role); the final one is still to come.
    Informational {
        /// Its stream.
        stream: u32,
        /// Its head.
        head: ResponseHead<'b>,
    },
    /// The next piece of content, never empty. Its bytes count against the
    /// windows until they are [consumed](super::Connection::consume).
    Data {
        /// Its stream.
        stream: u32,
        /// The bytes, as many as were received: small frames of one stream come
        /// joined.
        data: &'b mut [u8],
    },
    /// The end of content that came in pieces.
    End {
        /// Its stream.
        stream: u32,
        /// The trailers, if there were any.
        trailers: Fields<'b>,
        /// How many fields were left out of them because they may not stand in
        /// a trailer section, and do no harm there (RFC 9110 §6.5.1): Date, Vary,
        /// Content-Type and the like.
        dropped: u16,
    },
    /// The peer ended a stream before its time: nothing more comes on it, and nothing
    /// can be sent.
    Reset {
        /// The stream.
        stream: u32,
        /// Why.
        code: ErrorCode,
    },
    /// We have reset a stream for an error of the peer: nothing more comes on it, and
    /// nothing can be sent.
    StreamError {
        /// The stream.
        stream: u32,
        /// The fault of the peer.
        error: StreamError,
    },
    /// The peer is going away. Our streams above `last_stream` follow as
    /// [`Reset`](Self::Reset) with REFUSED_STREAM: they were not looked at.
    GoAway {
        /// The last stream of ours that the peer may have acted on.
        last_stream: u32,
        /// Why.
        code: ErrorCode,
        /// The peer's additional debug data, for people.
        debug: &'b [u8],
    },
    /// The peer's settings changed: more or fewer streams may be allowed.
    Settings,
    /// A ping with this payload. Its answer is in the output already.
    Ping([u8; 8]),
    /// The answer to a [ping](super::Connection::send_ping) of ours.
    Pong([u8; 8]),
}
