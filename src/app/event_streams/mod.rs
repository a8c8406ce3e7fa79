//! Event streams as objects.

pub(super) mod event_stream;
pub(super) mod events;
pub(super) mod subscription;
