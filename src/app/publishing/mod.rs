//! Channels and broadcasters: who listens where, within a loop and across them.

mod asking;
pub(super) mod broadcast_limits;
pub(super) mod broadcaster;
pub(super) mod channel;
pub(super) mod directory;
mod filling;
mod forms;
pub(super) mod groups;
pub(super) mod handing_out;
pub(super) mod handle;
pub(super) mod hub;
pub(super) mod inbox;
pub(super) mod join;
mod lagging;
pub(super) mod loop_address;
pub(super) mod loop_channels;
pub(super) mod member;
pub(super) mod membership;
pub(super) mod message;
mod parts;
mod place;
pub(super) mod post;
mod recovering;
