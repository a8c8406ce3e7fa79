//! The HTTP client.
//!
//! ```text
//!   Client ──► RequestBuilder ──send──► Exchange ──► Response
//!                                          │
//!              Call (no I/O) ◄─────────────┤ steps, events, deadlines
//!                                          │
//!              Pool ◄──────────────────────┘ leases of connections
//! ```
//!
//! [`Call`](call::Call) decides: redirects, further attempts, deadlines, limits,
//! decoding. [`Exchange`](exchange::Exchange) does what it says on the thread that waits.

mod as_url;
mod background;
mod body;
mod builder;
mod call;
mod carrier;
mod client;
mod content;
#[cfg(feature = "cookies")]
mod cookies;
mod error;
mod exchange;
mod feed;
mod http_call;
#[cfg(feature = "http")]
mod http_types;
mod limits;
mod metrics;
mod multipart;
mod on_loop;
mod options;
mod over_http2;
mod policy;
mod pool;
mod redirect;
mod repeated;
mod request;
mod response;
mod retry;
mod shared;
mod shared_state;
mod spare;

pub use as_url::AsUrl;
pub use background::BackgroundDriver;
pub use body::Body;
pub use builder::RequestBuilder;
pub use client::Client;
#[cfg(feature = "cookies")]
pub use cookies::{CookieJar, CookieLimits};
pub use error::{Error, ErrorKind, RedirectError};
pub use http_call::{HttpCall, HttpEvent};
pub use limits::ClientLimits;
pub use metrics::{DecodedBytes, Metrics};
#[cfg(feature = "test")]
pub(crate) use multipart::push as push_pair;
pub use multipart::{Multipart, Part};
pub use on_loop::{LoopCall, LoopClient, ResponseListener, ResponseView, WholeResponse};
pub use options::ClientOptions;
pub use redirect::RedirectPolicy;
pub(in crate::client) use repeated::{Form, Repeated};
pub use response::{BodyReader, Response};
pub use retry::RetryPolicy;
