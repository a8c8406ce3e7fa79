//! The envelope's server: channels for browsers without a library.

pub(super) mod call;
pub(super) mod envelope_hub;
mod format;
pub(super) mod metrics;
mod route;
pub(super) mod session;
mod voice;
