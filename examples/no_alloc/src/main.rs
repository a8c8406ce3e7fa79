//! A server on arrays alone: no standard library, no allocator, no start files.
//!
//! It is fed, through a queue of 256 bytes and in pieces of every size from 1
//! to 64, what a client sends that asks for two pages and then speaks WebSocket.
//! The exit status says whether every byte of its answers was right: 0, or the
//! size of the pieces with which one was not.
//!
//! ```text
//! cargo run --release --manifest-path examples/no_alloc/Cargo.toml --bin no-alloc
//! ```
#![no_std]
#![no_main]

mod system;

use barewire::wire::{Sink, Slice};
use no_alloc::queue::Queue;
use no_alloc::server::Server;

/// Two requests, the handshake of RFC 6455 §1.3, and frames: a text, a binary
/// message in two pieces with a ping between them, and a Close.
const SENT: &[u8] = b"GET /status HTTP/1.1\r\nHost: device\r\n\r\n\
    GET /nothing HTTP/1.1\r\nHost: device\r\n\r\n\
    GET /chat HTTP/1.1\r\nHost: device\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n\
    \x81\x85\x01\x02\x03\x04\x69\x67\x6f\x68\x6e\
    \x02\x82\0\0\0\0\x01\x02\x89\x81\0\0\0\0!\x80\x81\0\0\0\0\x03\
    \x88\x82\0\0\0\0\x03\xe8";

/// What they must be answered with.
const EXPECTED: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nup\
    HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n\
    HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\
    \x81\x05hello\x8a\x01!\x82\x03\x01\x02\x03\x88\x02\x03\xe8";

fn run() -> i32 {
    (1..=64)
        .find(|size| !is_answered_in_pieces_of(*size))
        .map_or(0, |size| size as i32)
}

fn is_answered_in_pieces_of(size: usize) -> bool {
    let mut server = Server::new();
    let mut queue = Queue::<256>::new();
    let mut memory = [0; 512];
    let mut out = Slice::new(&mut memory);
    let mut right = EXPECTED;
    for mut piece in SENT.chunks(size) {
        while !piece.is_empty() {
            piece = queue.push(piece);
            loop {
                let Ok(taken) = server.step(queue.front(), &mut out) else {
                    return false;
                };
                queue.drop_front(taken.used);
                let Some(rest) = right.strip_prefix(out.written()) else {
                    return false;
                };
                right = rest;
                out.clear(); // sent
                if !taken.again {
                    break;
                }
            }
        }
    }
    right.is_empty() && out.room() == 512
}
