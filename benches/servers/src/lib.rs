//! What all servers answer and the load generator expects.
//!
//! ```text
//!   GET  /hello      13 bytes of text
//!   GET  /64k        65,536 bytes from memory
//!   GET  /1m         1,048,576 bytes from memory
//!   POST /echo       the body of the request
//!   GET  /websocket  every message comes back
//!   GET  /room       every message goes to everybody in the room
//! ```
//! A server is started as `PROGRAM PORT` and says nothing. A WebSocket server
//! without routes does the same on every path.

mod periodic;

use std::net::SocketAddr;

pub use periodic::{Periodic, Progress};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The body of `/hello`.
pub const HELLO: &str = "Hello, World!";

/// Bytes of `/64k`.
pub const MEDIUM: usize = 64 << 10;

/// Bytes of `/1m`.
pub const LARGE: usize = 1 << 20;

/// Text of a length, the same everywhere.
pub fn content(length: usize) -> Vec<u8> {
    let text = b"The quick brown fox jumps over the lazy dog. ";
    text.iter().copied().cycle().take(length).collect()
}

/// A body that lives as long as the process.
pub fn fixed(length: usize) -> &'static [u8] {
    content(length).leak()
}

/// The address of a server: the port is the first argument.
///
/// # Panics
/// Without such an argument.
pub fn address() -> SocketAddr {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok());
    SocketAddr::from(([127, 0, 0, 1], port.expect("usage: PROGRAM PORT")))
}

/// Lets the process open as many connections as the system allows.
///
/// # Panics
/// If the system refuses what it announced as its maximum.
pub fn raise_descriptors() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let all = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, all).expect("raising a limit to its maximum is allowed");
}
