//! From a head to the closure that answers it: middleware, the router, refusals.

pub(super) mod access_log;
pub(super) mod bounded;
pub(super) mod compression;
pub(super) mod cors;
pub(super) mod decompression;
pub(super) mod dispatch;
pub(super) mod endpoint;
pub(super) mod middleware;
pub(super) mod origin_guard;
pub(super) mod request_ids;
pub(super) mod route;
pub(super) mod router;
pub(super) mod scoped;
pub(super) mod shared;
#[cfg(feature = "tracing")]
pub(super) mod spans;
pub(super) mod table;
pub(super) mod trusted_proxies;
