//! Work that blocks, on threads of its own.

pub(super) mod answer;
pub(super) mod blocking_limits;
pub(super) mod handle;
pub(super) mod job;
pub(super) mod pool;
pub(super) mod session;
mod taken_request;
