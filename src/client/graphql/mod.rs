//! Clients of GraphQL: over HTTP, a WebSocket that reconnects, and event streams.
//!
//! ```text
//!   GraphQl      ──► Client         ─┬─ Asking: what is sent, and what comes back
//!   LoopGraphQl  ──► LoopClient     ─┘
//!                ──► Reconnecting   ─┬─ hook: connection_init      ─┬─ Talk, without I/O
//!                ──► LoopReconnecting┘  listener: next, complete   ─┘
//!                ──► EventSource
//! ```

mod asking;
mod client;
mod error;
mod on_loop;
mod operation;
mod options;
mod response;
mod session;
mod subscription;
mod talk;

pub use client::GraphQl;
pub use error::GraphQlError;
pub use on_loop::{GraphQlHandle, GraphQlListener, LoopGraphQl};
pub use operation::GraphQlOperation;
pub use options::{GraphQlCredentials, GraphQlOptions, GraphQlTransport};
pub use response::{GraphQlFieldError, GraphQlResponse};
pub use subscription::{GraphQlEvent, GraphQlStopper, GraphQlSubscription};
