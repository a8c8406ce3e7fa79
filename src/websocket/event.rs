//! Events of a connection.

use super::CloseCode;

/// The two kinds of message (RFC 6455 §5.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// UTF-8 text.
    Text,
    /// Any bytes.
    Binary,
}

/// An event on a connection. It borrows the input and never the machine, so that an
/// answer can be sent while it is looked at.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'b> {
    /// A whole message.
    Message {
        /// Its kind.
        kind: Kind,
        /// Its payload; UTF-8 if the kind is text.
        payload: &'b mut [u8],
    },
    /// The next part of a message, in streaming mode.
    Chunk {
        /// The kind of the message.
        kind: Kind,
        /// The part; of a text it is UTF-8 and ends with a whole character.
        /// The last one may be empty.
        payload: &'b mut [u8],
        /// Whether the message ends here.
        last: bool,
    },
    /// A ping with this payload. Its pong is in the output already.
    Ping(&'b [u8]),
    /// A pong with this payload.
    Pong(&'b [u8]),
    /// The peer's Close frame. Our own is in the output already, if it had not
    /// been sent before. Nothing follows.
    Close {
        /// The peer's code, where it gave one.
        code: Option<CloseCode>,
        /// The peer's reason.
        reason: &'b str,
    },
}
