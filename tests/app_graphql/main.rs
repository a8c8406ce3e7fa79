//! A route of GraphQL, by all its transports, over real sockets.
#![cfg(feature = "async-graphql")]

#[path = "../app_support/mod.rs"]
mod app_support;

mod bad_input;
mod events;
mod requests;
mod scene;
mod sockets;
