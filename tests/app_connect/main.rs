//! Services over the Connect protocol and real sockets: what its specification says of
//! requests and their responses, rule by rule.

#![cfg(feature = "net")]

#[path = "../app_support/mod.rs"]
mod app_support;
#[path = "../app_support/grpc_http2.rs"]
mod grpc_http2;
#[path = "../http2_support/mod.rs"]
mod http2_support;

mod conformance;
mod get;
#[cfg(feature = "proto-json")]
mod mapped;
mod scene;
mod streams;
mod unary;
