//! GraphQL: one route for all its transports, and what executes the operations.

#[cfg(feature = "async-graphql")]
pub(super) mod adapter;
pub(super) mod executor;
mod guarded;
mod over_events;
mod over_http;
mod over_socket;
mod reserved;
pub(super) mod response;
pub(super) mod route;
mod shared;
pub(super) mod uploads;
