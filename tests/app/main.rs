//! Apps over real sockets: routes, files, WebSockets, event streams, channels, GraphQL.
#![cfg(feature = "net")]

#[path = "../app_support/mod.rs"]
mod app_support;
#[path = "../codings/mod.rs"]
mod codings;
#[path = "../http2_support/mod.rs"]
mod http2_support;
#[path = "../app_support/http2.rs"]
mod peer;

mod access_log;
mod blocking;
mod channel_bad_input;
mod channel_http2;
mod channel_members;
mod channel_rules;
mod channels;
mod compression;
mod decompression;
mod deflate;
mod envelope;
mod events;
mod events_methods;
mod extensions;
mod files;
mod files_coded;
mod files_http2;
mod graphql;
mod http;
mod http2;
mod listen;
mod memory;
mod middleware;
mod sessions;
mod shares;
mod slow_peers;
mod splits;
mod streams;
mod websocket;
