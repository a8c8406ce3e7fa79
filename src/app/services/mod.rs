//! gRPC services: methods by name, calls and their messages.

pub(super) mod call;
pub(super) mod call_session;
pub(super) mod codec;
pub(super) mod inbox;
pub(super) mod later;
pub(super) mod methods;
pub(super) mod responses;
pub(super) mod service;
