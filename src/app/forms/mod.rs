//! Forms of several parts (`multipart/form-data`): collected, streamed to a handler, or
//! written to disk.

pub(super) mod multipart;
pub(super) mod receiving;
pub(super) mod spool;
mod spooling;
mod store;
