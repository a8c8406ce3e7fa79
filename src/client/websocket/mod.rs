//! WebSockets as a client.
//!
//! ```text
//!   WebSocketHandshake ──► Connection, Wire      without I/O
//! ```

mod handshake;
mod message;
mod reconnecting;

pub use handshake::{HandshakeError, WebSocketHandshake, WebSocketRequest};
pub use message::Message;
pub use reconnecting::{
    Closed, ComeBack, Confirmation, ConnectAttempt, Position, QueuePolicy, Receipt, ReceiptState,
    ReconnectError, ReconnectEvent, ReconnectLimits, ReconnectOptions, ReconnectTask, Reconnector,
    ResumeHook, Seen, ToWrite, UnknownPolicy,
};
