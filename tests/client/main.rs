//! Clients: without I/O, on threads that wait and on loops, against servers that do what a
//! script says and against our own.

#![allow(
    clippy::duplicate_mod,
    reason = "what threads and loops have in common is tried with both"
)]

#[path = "../app_support/mod.rs"]
mod app_support;
#[path = "../client_support/mod.rs"]
mod client_support;

mod both_ways;
mod calls;
mod channel;
mod connect;
mod events;
mod graphql;
mod http;
mod http2;
mod http_loop;
mod keep_alive;
mod on_loop;
mod splits;
mod upstream;
mod websocket;
