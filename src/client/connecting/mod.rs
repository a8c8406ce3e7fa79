//! Where a client connects, when, and what it does with a connection: shared by
//! the clients of all protocols.
//!
//! ```text
//!   Target ──► Dialler ──► connections of a loop ──┐
//!                                                  ├─ Transport ◄── requests of a client
//!   a socket of the caller ──► Connection ─────────┘                       │
//!                                                   Pool: which of them ◄──┘
//! ```

mod backoff;
mod connection;
mod dialler;
mod loss;
mod pool;
mod sealed;
mod security;
mod target;
mod transport;
mod url;
mod wire;

pub use connection::Connection;
pub(super) use dialler::Dialler;
pub(super) use loss::{Cause, Loss};
pub use pool::LinkId;
pub(super) use pool::{Phase, Pool};
pub(super) use security::Security;
pub(super) use target::Target;
pub use transport::Transport;
pub use url::{Url, UrlError};
pub use wire::Wire;
