//! Event streams as objects.

pub(super) mod event_stream;
pub(super) mod events;
pub(super) mod events_route;
mod events_session;
mod own_state;
pub(super) mod subscription;
