//! Services over the Connect protocol and real sockets: what its specification says of
//! requests and their responses, rule by rule.

#![cfg(feature = "net")]

mod conformance;
mod get;
#[cfg(feature = "proto-json")]
mod mapped;
mod scene;
mod streams;
mod unary;
