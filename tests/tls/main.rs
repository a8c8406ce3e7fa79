//! Servers over TLS, and rustls as their client, over sockets.

mod serving;
mod support;
