//! Event streams as objects.

pub(super) mod event_stream;
pub(super) mod events;
#[cfg(feature = "futures")]
pub(super) mod events_from;
pub(super) mod events_route;
mod events_session;
mod own_state;
pub(super) mod subscription;
