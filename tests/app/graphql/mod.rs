//! A route of GraphQL, by all its transports, over real sockets.
#![cfg(feature = "async-graphql")]

mod bad_input;
mod events;
mod requests;
mod scene;
mod sockets;
mod uploads;
