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
//! HTTP/2 with prior knowledge answers the GETs and, on the same port, gRPC:
//! ```text
//!   /bench.Echo/Unary    the message comes back
//!   /bench.Echo/Stream   the message comes back 1,000 times
//! ```
//! A server is started as `PROGRAM PORT [THREADS [DIRECTORY [CERTIFICATES]]]` and
//! says nothing. It runs one thread unless it is told otherwise, and serves the
//! files of the directory at `/file/`. With `chain.pem` and `key.pem` in a directory
//! of certificates it speaks TLS. A WebSocket server without routes does the same
//! on every path.

pub mod floor;
mod periodic;
mod placed;
pub mod secured;
pub mod tls;

use std::net::SocketAddr;
use std::path::PathBuf;

pub use periodic::{Periodic, Progress};
pub use placed::Placed;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The body of `/hello`.
pub const HELLO: &str = "Hello, World!";

/// Bytes of `/64k`.
pub const MEDIUM: usize = 64 << 10;

/// Bytes of `/1m`.
pub const LARGE: usize = 1 << 20;

/// How often the message of `/bench.Echo/Stream` comes back.
pub const MESSAGES: usize = 1000;

/// Text of a length, the same everywhere.
pub fn content(length: usize) -> Vec<u8> {
    let text = b"The quick brown fox jumps over the lazy dog. ";
    text.iter().copied().cycle().take(length).collect()
}

/// The file of a length under `/file/`.
pub fn file_name(length: usize) -> String {
    match length {
        LARGE => "1m.txt".into(),
        _ => format!("{}k.txt", length >> 10),
    }
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

/// How many threads a server shall run: the second argument, or one.
pub fn threads() -> usize {
    let threads = std::env::args().nth(2);
    threads.and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// The directory whose files are served: the third argument.
pub fn directory() -> Option<PathBuf> {
    std::env::args_os().nth(3).map(PathBuf::from)
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
