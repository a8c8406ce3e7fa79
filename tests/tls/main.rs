//! Servers over TLS, and rustls as their client, over sockets.

mod certificates;
#[path = "../client_support/mod.rs"]
mod client_support;
mod clients;
mod damage;
mod dialling;
mod endings;
#[path = "../checks/fixed_tls.rs"]
#[allow(unreachable_pub, reason = "the checks of fuzzing have it, too")]
mod fixed_tls;
mod hostile;
#[cfg(feature = "client")]
mod http_call;
#[cfg(feature = "client")]
mod http_client;
mod lies;
mod on_a_loop;
mod protocols;
mod reload;
mod sans_io;
mod serving;
mod slow_members;
mod support;
mod tunnels;
#[cfg(feature = "client")]
mod websocket_client;
