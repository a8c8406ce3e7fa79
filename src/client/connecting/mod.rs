//! Where a client connects, and when: shared by the clients of all protocols.

mod backoff;
mod target;

pub(super) use backoff::Backoff;
pub(super) use target::Target;
