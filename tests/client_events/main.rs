//! Event sources: without I/O, at every cut of their input, and over real sockets.
#![cfg(feature = "client")]

mod scripted;
mod without_io;
