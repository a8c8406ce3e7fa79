//! gRPC, gRPC-Web and Connect: their machines, and services over real sockets.
#![cfg(feature = "alloc")]

#[cfg(feature = "net")]
#[path = "../app_support/mod.rs"]
mod app_support;
#[cfg(feature = "net")]
#[path = "../app_support/grpc_http2.rs"]
mod grpc_http2;
#[path = "../http2_support/mod.rs"]
mod http2_support;

mod calls;
mod connect;
mod discovery;
mod framing;
mod http2;
mod keep_alive;
mod rules;
mod slow;
mod streams;
mod web;
