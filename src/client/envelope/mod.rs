//! The envelope's client: channels of a server, on top of WebSockets that reconnect.
//!
//! ```text
//!   Talk: subscriptions, positions, counts              without I/O
//!   EnvelopeClient ──► Reconnecting ──┐ hook: subscribes and recovers
//!   LoopEnvelopeClient ─► LoopReconnecting ─┘ listener: what comes
//! ```

mod client;
mod hook;
mod incoming;
mod listener;
mod on_loop;
mod options;
mod sender;
mod talk;

pub use client::EnvelopeClient;
pub use incoming::{EnvelopeMessage, EnvelopePublished, EnvelopeRefusal};
pub use listener::EnvelopeListener;
pub use on_loop::LoopEnvelopeClient;
pub use options::{EnvelopeOptions, WhileAway};
pub use sender::EnvelopeError;
pub use sender::{EnvelopeCounts, EnvelopeSender, EnvelopeSent, EnvelopeSocket};
