//! Errors by whose fault they are, whatever the protocol.

use crate::http2;
use crate::{http1, sse, websocket};

/// The peer broke the protocol that its connection speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// HTTP/1.1.
    #[error(transparent)]
    Http1(#[from] http1::ProtocolError),
    /// HTTP/2.
    #[error(transparent)]
    Http2(#[from] http2::ProtocolError),
    /// WebSocket.
    #[error(transparent)]
    WebSocket(#[from] websocket::ProtocolError),
    /// A handshake of TLS where TLS is not spoken.
    #[error("a handshake of TLS, which is not spoken here (RFC 8446 §5.1)")]
    Tls,
}

/// Our caller asked for what cannot be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UsageError {
    /// HTTP/1.1.
    #[error(transparent)]
    Http1(#[from] http1::UsageError),
    /// HTTP/2.
    #[error(transparent)]
    Http2(#[from] http2::UsageError),
    /// WebSocket.
    #[error(transparent)]
    WebSocket(#[from] websocket::UsageError),
    /// Server-Sent Events.
    #[error(transparent)]
    Sse(#[from] sse::UsageError),
    /// The connection does not speak the protocol that the call is for.
    #[error("the connection speaks another protocol at the moment")]
    OtherProtocol,
    /// The exchange is over.
    #[error("the exchange is over")]
    Over,
    /// The body is announced to be longer than may be collected.
    #[error("the body on offer exceeds the limit to collect it")]
    BodyTooLarge,
}
