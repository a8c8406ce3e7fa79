//! WebSockets as a client: against our own server, against servers that say exactly what
//! they are told to, and without I/O.
#![cfg(feature = "client")]

mod chat;
mod core;
mod deflated;
#[cfg(feature = "envelope")]
mod envelope;
mod herd;
mod hostile;
mod http2;
mod memory;
mod on_loop;
mod on_loop_again;
mod restarts;
mod resuming;
mod server;
mod slow;
mod socket;
mod threads;
mod usage;
