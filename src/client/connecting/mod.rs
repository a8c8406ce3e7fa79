//! Where a client connects, when, and what it does with a connection: shared by
//! the clients of all protocols.
//!
//! ```text
//!   Target ──► Dialler ──► connections of a loop ──┐
//!                                                  ├─ RequestSender ◄── requests of a client
//!   a socket of the caller ──► Connection ─────────┘                           │
//!                                                       Pool: which of them ◄──┘
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
mod loop_dial;
mod masks;
mod names;
mod pool;
mod proxied;
mod proxy;
mod resolver;
mod resting;
mod route;
mod sealed;
mod security;
mod socket;
mod spare;
mod target;
mod url;
mod way;
mod wire;

pub use cancel::Canceller;
pub(super) use cancel::{Watch, pause};
pub use connection::Connection;
pub(super) use dial::{DialOptions, dial, why_no_handshake};
pub use dial_error::DialError;
pub use dial_error::Phase;
pub(super) use dial_error::{Cause, Loss};
pub(super) use dialler::{Dialler, OnLoop};
pub(super) use driven::{Driven, SharedSocket, Told, Waited};
pub(super) use duplex::{Duplex, DuplexOwner, DuplexState};
pub(super) use loop_dial::LoopDial;
pub(super) use names::Names;
pub use pool::LinkId;
pub(super) use pool::{MemberPhase, Pool};
pub use proxy::Proxy;
pub use proxy::ProxyError;
pub(super) use proxy::{ProxyChoice, ProxyRules, basic, proxy_setters};
pub use resolver::Resolver;
pub(super) use resting::{AtWork, Rested};
pub(super) use route::{Place, Route, Secure};
pub(super) use security::Security;
pub(super) use target::Target;
pub use url::{Url, UrlError};
pub(super) use way::{on_a_loop, proxy_fault};
pub use wire::RequestSender;
pub use wire::Wire;
