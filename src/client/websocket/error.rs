//! The failures of a WebSocket.

use alloc::boxed::Box;
use alloc::string::String;
use core::time::Duration;
use std::io;

use super::HandshakeError;
use crate::client::connecting::Waited;
use crate::client::{DialError, UrlError};
use crate::http::Status;
use crate::http2::StreamError;
use crate::link::{self, EndReason, UsageError};
use crate::websocket::handshake::Refused;

/// Why a WebSocket could not be opened, or cannot be used any more.
///
/// ```
/// use barewire::client::WebSocket;
///
/// match WebSocket::connect("ws://127.0.0.1:9/") {
///     Ok(socket) => drop(socket),
///     Err(error) if error.is_connect() => println!("nobody there: {error}"),
///     Err(error) => println!("{error}"),
/// }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WebSocketError {
    /// The URL is not valid, or its scheme does not lead to a WebSocket.
    #[error("not a valid URL: {0}")]
    Url(#[from] UrlError),
    /// The options cannot be used: TLS has no roots, say.
    #[error("the options cannot be used: {0}")]
    Options(#[source] Box<dyn core::error::Error + Send + Sync>),
    /// There is no connection to the server.
    #[error("no connection to {url}: {error}")]
    Dial {
        /// The URL, without user, password and query.
        url: String,
        /// Why.
        #[source]
        error: DialError,
    },
    /// The handshake was not begun.
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    /// The server has refused, or has answered something else.
    #[error("{url} refuses: {reason}")]
    Refused {
        /// The URL, without user, password and query.
        url: String,
        /// The fault of its answer.
        #[source]
        reason: Refused,
        /// After so long it asks to be tried again (RFC 9110 §10.2.3).
        retry_after: Option<Duration>,
    },
    /// The server sends interim responses (1xx) without end: more than 16.
    #[error("too many interim responses")]
    Informational,
    /// The server broke the protocol. It was told so, where that can be said.
    #[error("the server broke the protocol: {0}")]
    Protocol(#[from] link::ProtocolError),
    /// The server broke the protocol on the stream of this WebSocket (RFC 8441), or sent
    /// more fields than its limits allow.
    #[error("the server broke the protocol: {0}")]
    Stream(#[from] StreamError),
    /// The connection has ended without a closing handshake: what applications know as
    /// 1006.
    #[error("the connection was lost: {}", name(*.0))]
    Lost(EndReason),
    /// The WebSocket is closed, or closing.
    #[error("the WebSocket is closed")]
    Closed,
    /// More waits to be sent than [`WebSocketOptions::queue`] allows: the message was
    /// not taken.
    ///
    /// [`WebSocketOptions::queue`]: crate::client::WebSocketOptions::queue
    #[error("too many bytes wait to be sent")]
    Full,
    /// The loop has no memory left for what waits to be sent
    /// ([`net::Limits::memory`](crate::net::Limits::memory)): the message was not taken.
    #[error("the loop has no memory left")]
    NoMemory,
    /// The call would block a thread that runs a loop, or the listener's thread that it
    /// would wait for. It was not made, or not waited for.
    #[error("a blocking call on a thread that runs a loop or a listener")]
    OnLoop,
    /// The time is over.
    #[error("no answer in time")]
    TimedOut,
    /// A [`Canceller`](crate::client::Canceller) was used.
    #[error("cancelled")]
    Cancelled,
    /// The call is not allowed in this state.
    #[error(transparent)]
    Usage(#[from] UsageError),
    /// The system refuses what is needed.
    #[error("the system refuses: {0}")]
    System(#[from] io::Error),
}

const fn name(reason: EndReason) -> &'static str {
    match reason {
        EndReason::Reset => "reset, or cut off",
        EndReason::Transport => "TLS cannot go on",
        EndReason::Stalled => "the server takes nothing",
        EndReason::StreamReset { .. } => "the server reset its stream",
        _ => "ended without a close frame",
    }
}

impl WebSocketError {
    pub(crate) fn ended(reason: EndReason) -> Self {
        use crate::websocket::ProtocolError;
        match reason {
            EndReason::ProtocolError(link::ProtocolError::WebSocket(
                ProtocolError::UnexpectedEof,
            )) => Self::Lost(EndReason::Disconnected),
            EndReason::ProtocolError(error) => Self::Protocol(error),
            EndReason::StreamError(error) => Self::Stream(error),
            reason => Self::Lost(reason),
        }
    }

    pub(super) const fn waited(waited: Waited) -> Self {
        match waited {
            Waited::TimedOut => Self::TimedOut,
            Waited::Cancelled => Self::Cancelled,
            Waited::Moved | Waited::Over => Self::Closed,
        }
    }

    /// The status that the server has answered the handshake with, if it was another than
    /// it should be.
    pub const fn status(&self) -> Option<Status> {
        match self {
            Self::Refused {
                reason: Refused::Status(status),
                ..
            } => Some(*status),
            _ => None,
        }
    }

    /// Whether a time was over: that of the call, of a phase of connecting, that of a Pong,
    /// or that of output that the server does not take.
    pub const fn is_timeout(&self) -> bool {
        use crate::websocket::ProtocolError::{CloseTimeout, MessageTimeout, PongTimeout};
        match self {
            Self::TimedOut | Self::Lost(EndReason::Stalled) => true,
            Self::Dial { error, .. } => error.is_timeout(),
            Self::Protocol(link::ProtocolError::WebSocket(error)) => {
                matches!(error, CloseTimeout | MessageTimeout | PongTimeout)
            }
            _ => false,
        }
    }

    /// Whether there was no connection: nothing was sent.
    pub const fn is_connect(&self) -> bool {
        matches!(self, Self::Dial { .. })
    }

    /// Whether a canceller was used.
    pub const fn is_cancelled(&self) -> bool {
        match self {
            Self::Cancelled => true,
            Self::Dial { error, .. } => error.is_cancelled(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests;
