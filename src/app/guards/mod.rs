//! Guards in front of routes: rate limits, authentication, headers for browsers.

pub(super) mod allowances;
pub(super) mod basic_auth;
pub(super) mod bearer_auth;
pub(super) mod credentials;
pub(super) mod rate_limit;
pub(super) mod security_headers;
