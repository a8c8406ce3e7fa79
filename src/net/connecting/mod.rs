//! Connections that come in, and connections that are dialled.

pub(super) mod accept;
pub(super) mod attempts;
pub(super) mod dial;
pub(super) mod dialling;
pub(super) mod dials;
pub(super) mod listen_target;
pub(super) mod listener;
pub(super) mod listening;
pub(super) mod names;
pub(super) mod proxy_header;
pub(super) mod reach;
