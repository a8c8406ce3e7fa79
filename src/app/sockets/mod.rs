//! WebSockets as objects.

pub(super) mod socket;
pub(super) mod upgrade;
pub(super) mod websocket;
