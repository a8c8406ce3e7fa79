//! Rooms and broadcasters: who listens where, within a loop and across them.

pub(super) mod broadcast_limits;
pub(super) mod broadcaster;
pub(super) mod directory;
pub(super) mod groups;
pub(super) mod handle;
pub(super) mod hub;
pub(super) mod loop_address;
pub(super) mod member;
pub(super) mod membership;
pub(super) mod message;
pub(super) mod room_limits;
pub(super) mod rooms;
