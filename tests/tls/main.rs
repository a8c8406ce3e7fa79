//! Servers over TLS, and rustls as their client, over sockets.

mod certificates;
mod clients;
mod dialling;
mod reload;
mod serving;
mod support;
