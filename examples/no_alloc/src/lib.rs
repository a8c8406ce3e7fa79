//! The server without its system. It compiles whatever features of barewire
//! another crate turns on, which the programs cannot: with `alloc` they would owe
//! an allocator.
#![no_std]

pub mod queue;
pub mod server;
