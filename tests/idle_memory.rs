//! What a connection at rest costs, as `docs/limits.md` says.
#![cfg(feature = "net")]

mod app_support;
mod counting;

use core::sync::atomic::Ordering::Relaxed;
use std::io::{Read, Write};
use std::net::TcpStream;

use app_support::{Running, wait_until};
use barewire::app::{App, EventStream, Events, Message, Socket, WebSocket};
use barewire::net::Limits;
use counting::{COUNTS, LIVE};

/// Sends everything back.
struct Echo;

impl WebSocket for Echo {
    fn open(&mut self, _socket: &mut Socket<'_, '_>) {
        COUNTS.set(true);
    }

    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        socket.send(message);
    }
}

/// Sends nothing.
struct Silent;

impl Events for Silent {
    fn open(&mut self, _stream: &mut EventStream<'_, '_>) {}
}

fn app() -> App {
    App::new()
        .limits(Limits::DEFAULT.with_warm(0))
        .get("/", |_request, reply| {
            COUNTS.set(true);
            reply.text("hello")
        })
        .websocket("/ws", |_request| Ok(Echo))
        .events("/events", |_request| {
            COUNTS.set(true);
            Ok(Silent)
        })
}

/// Writes `bytes`, and reads until `answer` has come.
fn exchange(stream: &mut TcpStream, bytes: &[u8], answer: &[u8]) {
    stream.write_all(bytes).unwrap();
    let (mut seen, mut buffer) = (Vec::new(), [0; 1024]);
    while !seen.windows(answer.len()).any(|part| part == answer) {
        let length = stream.read(&mut buffer).unwrap();
        assert_ne!(length, 0, "the server has closed");
        seen.extend_from_slice(&buffer[..length]);
    }
}

/// Opens connections, uses each once by `talk`, and asserts that a further one
/// costs at most so many bytes.
fn costs(most: i64, talk: impl Fn(&mut TcpStream)) {
    const MANY: i64 = 240;
    let running = Running::start(app());
    let open = || {
        let mut stream = running.connect();
        talk(&mut stream);
        stream
    };
    // What the first connections cost once is no cost of a connection.
    let first: Vec<TcpStream> = (0..60).map(|_| open()).collect();
    let before = LIVE.load(Relaxed);
    let streams: Vec<TcpStream> = (0..MANY).map(|_| open()).collect();
    let each = || (LIVE.load(Relaxed) - before) / MANY;
    // The last one is packed behind its answer.
    wait_until(&format!("{most} bytes a connection"), || each() <= most);
    assert!(each() >= 40, "nothing is counted: {} bytes", each());
    drop((first, streams));
}

#[test]
#[ignore = "waits for a minute"]
fn a_connection_at_rest_costs_what_is_promised() {
    costs(64, |stream| {
        exchange(stream, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"hello");
    });
    costs(304, |stream| {
        exchange(
            stream,
            b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
              Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
            b"\r\n\r\n",
        );
        exchange(stream, b"\x81\x85\0\0\0\0hello", b"\x81\x05hello");
    });
    costs(640, |stream| {
        exchange(
            stream,
            b"GET /events HTTP/1.1\r\nHost: a\r\n\r\n",
            b"\r\n\r\n",
        );
    });
    costs(1536, |stream| {
        let mut request = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        request.extend(b"\0\0\0\x04\0\0\0\0\0\0\0\0\x04\x01\0\0\0\0");
        request.extend(b"\0\0\x06\x01\x05\0\0\0\x01\x82\x86\x84\x41\x01a");
        exchange(stream, &request, b"hello");
    });
}
