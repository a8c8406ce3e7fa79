//! WebSockets as a client.
//!
//! ```text
//!   WebSocketHandshake ──► Connection, Wire      without I/O
//!   WebSocket: the same on a socket, for the thread that waits
//!   Reconnector: what one that reconnects has to decide, without I/O
//!   Reconnecting: the same on sockets, with a thread and a listener
//! ```

mod error;
mod handshake;
mod inbox;
mod message;
mod on_loop;
mod opening;
mod options;
mod reconnecting;
mod socket;

pub use error::WebSocketError;
pub use handshake::{HandshakeError, WebSocketHandshake, WebSocketRequest};
pub use message::{AsMessage, CloseFrame, Message};
pub use on_loop::{LoopWebSocket, LoopWebSockets, WebSocketListener};
pub use options::WebSocketOptions;
pub use reconnecting::{
    Closed, ComeBack, Confirmation, ConnectAttempt, LoopReconnecting, Position, QueuePolicy,
    Receipt, ReceiptState, ReconnectError, ReconnectEvent, ReconnectLimits, ReconnectListener,
    ReconnectOptions, ReconnectSender, ReconnectTask, Reconnecting, Reconnector, ResumeHook, Seen,
    ToWrite, UnknownPolicy,
};
pub use socket::{WebSocket, WebSocketReceiver, WebSocketSender};
