//! A route of GraphQL, by all its transports, over real sockets.
#![cfg(feature = "async-graphql")]

mod bad_input;
mod connecting;
#[cfg(feature = "deflate")]
mod deflated;
mod events;
mod requests;
mod scene;
mod sockets;
mod uploads;
