//! Events of a connection, and what its caller says of lengths and ends.

use crate::http::{Content, Fields, RequestHead, ResponseHead};

/// An event: borrowed from the input and the scratch, never from the machine.
#[derive(Debug)]
pub enum Event<'b> {
    /// A request (server role). It is owed exactly one response.
    Request {
        /// Its head.
        head: RequestHead<'b>,
        /// Its content, as far as it was received with the head.
        content: Content<'b>,
    },
    /// The final response (client role). A body that follows does so without being asked
    /// for.
    Response {
        /// Its head.
        head: ResponseHead<'b>,
        /// Its content, as far as it was received with the head.
        content: Content<'b>,
    },
    /// An interim response (client role); the final one is still to come.
    Informational(ResponseHead<'b>),
    /// The next piece of a body, never empty.
    Body(&'b mut [u8]),
    /// The end of a body that came in pieces.
    End {
        /// The trailer section of a chunked body.
        trailers: Fields<'b>,
        /// How many fields were left out of it because they may not stand in a
        /// trailer section, and do no harm there (RFC 9110 §6.5.1): Date, Vary,
        /// Content-Type and the like.
        dropped: u16,
    },
}

impl Event<'_> {
    /// The end of a body without trailers.
    pub(super) const END: Self = Self::End {
        trailers: Fields::EMPTY,
        dropped: 0,
    };
}

/// How a connection ends, once its output is flushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// Close it: nothing more is expected.
    Now,
    /// Close the sending half, then read and discard for a while: closing
    /// immediately would reset the connection and destroy the answer before the peer
    /// has read it (RFC 9112 §9.6).
    Linger,
}
