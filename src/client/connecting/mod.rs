//! Where a client connects, when, and what it does with a connection: shared by
//! the clients of all protocols.
//!
//! ```text
//!   Target ──► Dialler ──► connections of a loop ──┐
//!                                                  ├─ Transport ◄── requests of a client
//!   a socket of the caller ──► Connection ─────────┘                       │
//!                                                   Pool: which of them ◄──┘
//!
//!   Route ──dial──► Driven: a socket and a Connection, for the thread that waits
//! ```

mod backoff;
mod cancel;
pub(super) mod clock;
mod connect;
mod connection;
mod dial;
mod dial_error;
mod dialler;
mod driven;
mod duplex;
mod loss;
mod masks;
mod names;
mod phase;
mod pool;
mod proxied;
mod proxy;
mod proxy_error;
mod resolver;
mod route;
mod sealed;
mod security;
mod socket;
mod spare;
mod target;
mod transport;
mod url;
mod way;
mod wire;

pub use cancel::Canceller;
pub(super) use cancel::Watch;
pub use connection::Connection;
pub(super) use dial::{DialOptions, dial};
pub use dial_error::DialError;
pub(super) use dialler::Dialler;
pub(super) use driven::{Driven, SharedSocket, Told, Waited};
pub(super) use duplex::{Duplex, DuplexOwner};
pub(super) use loss::{Cause, Loss};
pub(super) use names::Names;
pub use phase::Phase;
pub use pool::LinkId;
pub(super) use pool::{MemberPhase, Pool};
pub use proxy::Proxy;
pub(super) use proxy::{ProxyRules, basic};
pub use proxy_error::ProxyError;
pub use resolver::Resolver;
pub(super) use route::{Place, Route, Secure};
pub(super) use security::Security;
pub(super) use target::Target;
pub use transport::Transport;
pub use url::{Url, UrlError};
pub use wire::Wire;
