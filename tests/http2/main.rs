//! The machine of HTTP/2 and HPACK, without I/O; attacks that take time, over sockets.
#![cfg(feature = "alloc")]

#[cfg(feature = "net")]
#[path = "../app_support/mod.rs"]
mod app_support;
#[cfg(feature = "net")]
#[path = "../app_support/grpc_http2.rs"]
mod grpc_http2;
#[path = "../http2_support/mod.rs"]
mod http2_support;

mod age;
mod attacks_in_time;
mod clauses;
mod hpack_limits;
mod hpack_vectors;
mod pipe;
mod random;
mod repeats;
mod response_content;
mod splits;
