//! Work that blocks, on threads of its own.

pub(super) mod handle;
pub(super) mod pool;
pub(super) mod session;
mod taken_request;
pub(super) mod writer;
