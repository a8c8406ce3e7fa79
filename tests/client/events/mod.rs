//! Event sources: without I/O, at every cut of their input, and over real sockets.
#![cfg(feature = "client")]

mod cases;
mod coded;
mod hostile;
mod on_loop;
mod over_sockets;
mod random;
mod scripted;
mod without_io;
