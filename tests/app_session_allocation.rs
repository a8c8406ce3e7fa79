//! A WebSocket session in its steady state allocates nothing, and a room
//! allocates as often for a message whether it has few members or many.
#![cfg(feature = "net")]

mod app_support;
mod counting;

use core::sync::atomic::Ordering::Relaxed;
use std::io::{Read, Write};
use std::net::TcpStream;

use app_support::{Running, read_until, wait_until};
use barewire::app::{App, Message, Socket, WebSocket};
use counting::{ALLOCATIONS, COUNTS, fewest};

/// Sends text back, and publishes what is binary.
struct Both;

impl WebSocket for Both {
    fn open(&mut self, socket: &mut Socket<'_, '_>) {
        COUNTS.set(true);
        socket.join("room").unwrap();
    }

    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        if message.as_text().is_some() {
            socket.send(message);
        } else {
            socket.publish("room", message);
        }
    }
}

fn open(running: &Running) -> TcpStream {
    let mut stream = running.connect();
    stream
        .write_all(
            b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
              Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
        )
        .unwrap();
    read_until(&mut stream, "\r\n\r\n");
    stream
}

/// How often something was allocated while a hundred rounds were made.
fn allocations(mut round: impl FnMut()) -> u64 {
    for _ in 0..100 {
        round();
    }
    fewest(|| {
        let before = ALLOCATIONS.load(Relaxed);
        assert!(before > 0, "nothing is counted");
        for _ in 0..100 {
            round();
        }
        ALLOCATIONS.load(Relaxed) - before
    })
}

/// Allocations for a hundred messages that are published to so many members.
fn publish(members: usize) -> u64 {
    let app = App::new().websocket("/ws", |_| Ok(Both));
    let hub = app.hub();
    let running = Running::start(app);
    let mut streams: Vec<TcpStream> = (0..members).map(|_| open(&running)).collect();
    wait_until("all are in the room", || {
        hub.member_count("room") == members
    });
    let mut answer = [0; 7];

    // Masked with zeros: "hello" as text and as binary.
    let echo = allocations(|| {
        streams[0].write_all(b"\x81\x85\0\0\0\0hello").unwrap();
        streams[0].read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"\x81\x05hello");
    });
    assert_eq!(echo, 0);
    allocations(|| {
        streams[0].write_all(b"\x82\x85\0\0\0\0hello").unwrap();
        for stream in &mut streams {
            stream.read_exact(&mut answer).unwrap();
            assert_eq!(&answer, b"\x82\x05hello");
        }
    })
}

#[test]
fn messages_are_sent_without_an_allocation_and_published_with_few() {
    let (few, many) = (publish(5), publish(100));
    assert!(few <= 400, "{few} allocations");
    assert!(
        many <= few + 50,
        "{few} allocations for 5 members, {many} for 100"
    );
}
