//! The whole loop, deterministic: a scripted system, a virtual clock, and a
//! peer that says exactly what it is told to.
#![cfg(feature = "net")]

mod backpressure;
mod context;
mod dialling;
mod drain;
mod endings;
mod exchanges;
mod files;
mod handshakes;
#[cfg(feature = "alloc")]
mod http2;
#[cfg(feature = "alloc")]
#[path = "../http2_support/mod.rs"]
mod http2_support;
mod limits;
mod memory;
mod pace;
mod panics;
mod proxied;
mod scene;
mod slow_readers;
mod splits;
mod toy;
mod toy_peer;
mod transport;
mod transport_ends;
mod turns;
