//! WebSockets as a client.
//!
//! ```text
//!   WebSocketHandshake ──► Connection, Wire      without I/O
//! ```

mod handshake;

pub use handshake::{HandshakeError, WebSocketHandshake, WebSocketRequest};
