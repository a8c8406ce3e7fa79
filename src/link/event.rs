//! The events that an owner of connections gets.

use alloc::boxed::Box;
use core::any::Any;

use super::ProtocolError;
use crate::http::{Content, Fields, RequestHead, ResponseHead};
use crate::http2::StreamError;
use crate::websocket::{CloseCode, Kind};

/// One thing that happened on a connection.
///
/// Borrows the loop's read buffer and scratch, never the connection, so that
/// the answer can be written while the event is looked at.
#[derive(Debug)]
pub enum Event<'b> {
    /// The connection is open: accepted, or dialled with success.
    Opened,

    /// A request. With [`Content::Follows`] the owner decides immediately whether
    /// to collect the body, to stream it, or to answer without it.
    Request {
        /// Its head.
        head: RequestHead<'b>,
        /// Its content, as far as it has been received.
        content: Content<'b>,
    },
    /// The body that is being collected is over the limit it was collected
    /// with: a response is owed, 413 being the one that fits.
    TooLarge,
    /// The response has been owed for longer than
    /// [`Limits::reply`](super::Limits::reply): 504 fits. An owner that does
    /// not answer now has the link answer for it.
    Overdue,

    /// An interim response to our request (1xx).
    Informational(ResponseHead<'b>),
    /// The response to our request.
    Response {
        /// Its head.
        head: ResponseHead<'b>,
        /// Its content, as far as it has been received.
        content: Content<'b>,
    },

    /// A piece of a body that is being streamed.
    Body(&'b mut [u8]),
    /// The end of a streamed body.
    End {
        /// The fields after the body.
        trailers: Fields<'b>,
        /// How many fields were left out of them because they may not stand in
        /// a trailer section (RFC 9110 §6.5.1).
        dropped: u16,
    },

    /// A WebSocket message.
    Message {
        /// Text, checked to be UTF-8, or binary.
        kind: Kind,
        /// The whole payload, unmasked.
        payload: &'b mut [u8],
    },
    /// A piece of a WebSocket message, in streaming mode.
    Chunk {
        /// Text or binary.
        kind: Kind,
        /// The piece, unmasked; of a text, whole characters.
        payload: &'b mut [u8],
        /// Whether the message ends with this piece.
        last: bool,
    },
    /// A ping, which has been answered.
    Ping(&'b [u8]),
    /// A pong.
    Pong(&'b [u8]),
    /// The peer closes its WebSocket. The answer is on its way; [`Ended`](Self::Ended)
    /// follows.
    Close {
        /// Its code, if it gave one.
        code: Option<CloseCode>,
        /// Its reason.
        reason: &'b str,
    },

    /// Bytes of a connection that speaks no protocol of ours.
    Data(&'b mut [u8]),
    /// The peer of such a connection has sent its last byte and still reads:
    /// the owner may go on writing, and ends the connection when it has
    /// finished.
    HalfClosed,

    /// The peer takes no further exchanges on this connection (RFC 9113
    /// §6.8). Those of ours above `last_stream` were not looked at; each is
    /// told so by [`Ended`](Self::Ended).
    GoingAway {
        /// The last exchange of ours that the peer may have acted on.
        last_stream: u32,
        /// Why, as an error code of HTTP/2.
        code: u32,
        /// The peer's additional debug data, for people.
        debug: &'b [u8],
    },

    /// After a write answered `Wait`: the backlog is below its low mark. For
    /// stream 0 of a client's HTTP/2 connection: the peer's settings have
    /// come, or there is room for further requests; more of them than before
    /// may be allowed.
    Writable,
    /// A timer of this exchange went off.
    Timer {
        /// The token that the timer was set with.
        token: u64,
    },
    /// Something sent from elsewhere, to this exchange or to the owner.
    Mail(Box<dyn Any + Send>),
    /// Something else on this loop has asked for this call, by a `net::LocalWaker`.
    Woken,
    /// A future of this exchange, or of the owner, has been woken, or has not been polled
    /// yet: it is to be polled once.
    Poll {
        /// The owner's own number for it.
        token: u64,
    },
    /// The loop is draining: finish what runs, start nothing.
    Draining,
    /// The exchange is over and was not ended by a complete answer of ours, or
    /// the connection is over. Nothing follows for it.
    ///
    /// On HTTP/2 each exchange that is still active is told so, and also one that has
    /// ended while the owner's number for it was not 0; stream 0 is told last,
    /// for the connection.
    Ended(EndReason),
}

/// Why an exchange or a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndReason {
    /// The regular end: a close handshake, `Connection: close`, an idle
    /// connection given up.
    Finished,
    /// The peer sent FIN.
    Disconnected,
    /// The peer reset the connection.
    Reset,
    /// The peer reset the exchange on a connection that stays open (RFC 9113 §6.4).
    StreamReset {
        /// Why, as an error code of HTTP/2.
        code: u32,
    },
    /// The peer broke the protocol in this exchange. It was reset, and the connection
    /// stays open (RFC 9113 §5.4.2).
    StreamError(StreamError),
    /// No address of a dial could be reached. Of several attempts, the last one
    /// says why.
    Unreachable(Unreachable),
    /// The peer broke the protocol.
    ProtocolError(ProtocolError),
    /// The transport below the protocol could not go on: what came cannot be opened.
    Transport,
    /// The peer took nothing for too long, or its backlog reached the cap.
    Stalled,
    /// This side ended it.
    Aborted,
    /// The owner panicked.
    Panicked,
    /// The loop was drained.
    Drained,
}

/// Why a dial has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unreachable {
    /// The name has no address, as far as its servers say.
    #[error("the name cannot be resolved")]
    NotResolved,
    /// The addresses of the name were not found in time.
    #[error("the name was not resolved in time")]
    NameTimedOut,
    /// More names wait to be resolved than the loop's limit allows.
    #[error("too many names wait to be resolved")]
    TooManyNames,
    /// Nothing listens there.
    #[error("connection refused")]
    Refused,
    /// There is no Unix socket with this path.
    #[error("no such socket")]
    NoSocket,
    /// There is no way to this network or host.
    #[error("no route to the host")]
    NoRoute,
    /// The system does not permit it.
    #[error("permission denied")]
    Denied,
    /// The peer has not answered in time.
    #[error("no answer in time")]
    TimedOut,
    /// The two sides could not agree on a transport: its handshake has failed.
    #[error("the handshake failed")]
    Handshake,
    /// The handshake of a transport was not over in its time.
    #[error("the handshake was not answered in time")]
    HandshakeTimedOut,
    /// The system has failed otherwise: it has no socket left, say.
    #[error("the system cannot connect")]
    Failed,
}
