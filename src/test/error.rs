//! Why a test's client got no further.

use alloc::boxed::Box;
use core::time::Duration;

use super::response::TestResponse;
use crate::client::HandshakeError;
use crate::http::target::InvalidTarget;
use crate::http::{InvalidField, InvalidMethod};
use crate::link::{EndReason, UsageError};
use crate::websocket::handshake::Refused;
use crate::{net, sse};

/// Why a client of a [`TestApp`](super::TestApp) got no further. A response is no error,
/// whatever its status.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TestError {
    /// Nothing has come. Other threads had so long, and time stands still.
    #[error("nothing came within {0:?}; the clock stands still until `advance` winds it")]
    Silent(Duration),
    /// The app always had more to do.
    #[error("the app was still busy after {0:?}")]
    Restless(Duration),
    /// The exchange or its connection has ended first.
    #[error("the exchange ended first: {0:?}")]
    Ended(EndReason),
    /// The body has outgrown what a test keeps of one, 64 MiB.
    #[error("the response is longer than 64 MiB")]
    TooLong,
    /// The handshake of a WebSocket was answered otherwise.
    #[error("the app opened no WebSocket: {why}")]
    Refused {
        /// Why the response opens none.
        why: Refused,
        /// The response.
        response: Box<TestResponse>,
    },
    /// The response is no event stream.
    #[error("the response is no event stream, but {}", .0.status())]
    NoEvents(Box<TestResponse>),
    /// The stream of events is over a limit.
    #[error(transparent)]
    Events(#[from] sse::ProtocolError),
    /// The method is no token, or CONNECT.
    #[error(transparent)]
    Method(#[from] InvalidMethod),
    /// The target is no path.
    #[error(transparent)]
    Target(#[from] InvalidTarget),
    /// A field cannot be sent.
    #[error(transparent)]
    Field(#[from] InvalidField),
    /// A value cannot be serialized.
    #[cfg(feature = "json")]
    #[error("the body cannot be serialized: {0}")]
    Json(#[from] serde_json::Error),
    /// The request of a WebSocket cannot be sent.
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    /// The protocol does not allow it now.
    #[error(transparent)]
    Usage(#[from] UsageError),
    /// The app cannot start, or its loop has failed.
    #[error(transparent)]
    App(#[from] net::Error),
}
