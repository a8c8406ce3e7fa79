//! One property each, as a plain function of bytes: fuzzing calls them with
//! what it invents, and `tests/fuzz_replay.rs` with every input that is kept in
//! `fuzz/corpus`.
//!
//! Where an input is cut, its first two bytes are switches and the manner of the
//! cuts, so that what follows stays the plain text of the protocol.
#![allow(dead_code, unreachable_pub, missing_docs)] // every includer uses a part

mod calls;
#[cfg(feature = "client")]
mod client_http;
mod connect;
#[cfg(feature = "deflate")]
mod deflate;
mod event_loop;
#[cfg(feature = "tls")]
mod fixed_tls;
mod forms;
#[cfg(feature = "graphql")]
mod graphql;
mod grpc;
mod hpack;
mod http1;
mod http2;
mod input;
mod link;
mod proxy;
#[cfg(feature = "client")]
mod reconnect;
#[cfg(feature = "redis")]
mod redis;
mod sse;
#[cfg(feature = "tls")]
mod tls;
mod versus_httlib;
mod versus_httparse;
mod versus_tungstenite;
mod websocket;
mod wire;

#[path = "../http1_driver/mod.rs"]
mod http1_driver;
#[path = "../http2_support/mod.rs"]
mod http2_support;
#[path = "../websocket_support/mod.rs"]
mod websocket_support;

/// A property of bytes: returns, or panics where it does not hold.
pub type Check = fn(&[u8]);

/// All checks, by the names of their targets and corpora.
pub const ALL: &[(&str, Check)] = &[
    #[cfg(feature = "client")]
    ("client_http", client_http::client_http),
    ("cookies", forms::cookies),
    #[cfg(feature = "deflate")]
    ("deflate_receive", deflate::receive),
    ("connect_call", connect::call),
    #[cfg(feature = "graphql")]
    ("graphql_session", graphql::session),
    ("grpc_call", grpc::call),
    ("grpc_frames", grpc::frames),
    ("grpc_web_text", grpc::web_text),
    ("hpack_decode", hpack::decode),
    ("hpack_roundtrip", hpack::roundtrip),
    ("http1_receive", http1::receive),
    ("http1_roundtrip", http1::roundtrip),
    ("http2_pipe", http2::pipe),
    ("http2_receive", http2::receive),
    ("link", link::link),
    ("loop", event_loop::event_loop),
    ("mask_versus_naive", wire::mask),
    ("forwarded", proxy::forwarded),
    ("multipart", forms::multipart),
    ("proxy_header", proxy::header),
    #[cfg(feature = "client")]
    ("reconnect", reconnect::reconnect),
    #[cfg(feature = "redis")]
    ("redis_replies", redis::replies),
    ("sse_decode", sse::decode),
    ("sse_roundtrip", sse::roundtrip),
    #[cfg(feature = "tls")]
    ("tls", tls::tls),
    ("trace_context", proxy::trace_context),
    ("utf8_versus_std", wire::utf8),
    #[cfg(feature = "deflate")]
    ("versus_flate2", deflate::versus_flate2),
    ("versus_httlib", versus_httlib::check),
    ("versus_httparse", versus_httparse::check),
    ("versus_tungstenite", versus_tungstenite::check),
    ("websocket_receive", websocket::receive),
    ("websocket_roundtrip", websocket::roundtrip),
];

/// The check of this name.
///
/// # Panics
/// If there is none.
pub fn named(name: &str) -> Check {
    let found = ALL.iter().find(|(other, _)| *other == name);
    found.unwrap_or_else(|| panic!("no check {name}")).1
}
