//! gRPC services: methods by name, calls and their messages.

mod bare;
pub(super) mod call;
pub(super) mod call_session;
pub(super) mod codec;
pub(super) mod conversation;
pub(super) mod descriptors;
pub(super) mod guard;
pub(super) mod health;
pub(super) mod inbox;
pub(super) mod interceptor;
pub(super) mod later;
mod machine;
mod mapping;
pub(super) mod methods;
pub(super) mod mount;
pub(super) mod outgoing;
pub(super) mod polled;
pub(super) mod reflection;
pub(super) mod responses;
pub(super) mod rules;
pub(super) mod running;
pub(super) mod sending;
pub(super) mod service;
mod subscribing;
pub(super) mod typed;
pub(super) mod unknown;
