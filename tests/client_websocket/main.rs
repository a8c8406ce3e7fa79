//! WebSockets as a client: against our own server, against servers that say exactly what
//! they are told to, and without I/O.
#![cfg(feature = "client")]

mod core;
mod hostile;
mod restarts;
mod server;
mod socket;
mod threads;
