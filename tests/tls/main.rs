//! Servers over TLS, and rustls as their client, over sockets.

mod certificates;
#[path = "../client_support/mod.rs"]
mod client_support;
mod clients;
mod dialling;
mod endings;
mod hostile;
mod on_a_loop;
mod protocols;
mod reload;
mod sans_io;
mod serving;
mod support;
