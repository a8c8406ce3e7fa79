//! Clients of GraphQL, against servers that say exactly what they are told to.
#![cfg(all(feature = "client", feature = "graphql"))]

mod http;
mod on_loop;
mod over_events;
mod over_sockets;
mod scripted;
