//! WebSocket (RFC 6455) as a machine without I/O, for both sides.
//!
//! ```text
//!   client                                   server
//!     | -- GET, Upgrade: websocket ------------> |   handshake (HTTP)
//!     | <----------- 101 Switching Protocols --- |
//!     | == frames: masked ====================>  |   Connection
//!     | <====================== frames: plain == |
//!     | -- Close ------------------------------> |
//!     | <----------------------------- Close --- |   the server ends TCP
//! ```
//! - [`handshake`] works on the heads of [`http`](crate::http), so that it
//!   serves HTTP/1.1 upgrades and extended CONNECT (RFC 8441) alike.
//! - [`Connection`] takes the bytes that follow and gives [`Event`]s. It checks
//!   everything that RFC 6455 demands, answers pings and Close frames by
//!   itself, puts fragmented messages together in the caller's own buffer, and
//!   keeps the timers for keep-alive and closing.
//! - [`deflate`] is the compression of messages (RFC 7692).
//! - [`frame`] and [`mask`] are the codec alone, for other machines.
//!
//! A fault is a [`ProtocolError`] by the peer, which knows its close code, or a
//! [`UsageError`] by the caller. What a peer may cost is in [`Limits`].

mod close;
mod code;
mod connection;
pub mod deflate;
mod error;
mod event;
pub mod extension;
pub mod frame;
pub mod handshake;
mod limits;
mod located_event;
pub mod mask;
mod message;
mod timer;

pub use code::CloseCode;
pub use connection::Connection;
#[cfg(feature = "alloc")]
pub(crate) use connection::resting::Resting;
#[cfg(feature = "alloc")]
pub(crate) use deflate::Meter;
pub use error::{ProtocolError, UsageError};
pub use event::{Event, Kind};
pub use frame::encode_message;
pub use limits::Limits;
#[cfg(feature = "alloc")]
pub(crate) use located_event::LocatedEvent;
