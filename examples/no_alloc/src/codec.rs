//! A whole WebSocket server codec and nothing else, to be weighed: the check of
//! a handshake, its answer, every kind of frame both ways, the close.
//!
//! Whatever HTTP parser a device has gives the fields of the request; the rest
//! of the head is not this codec's affair.
#![no_std]
#![no_main]

mod system;

use core::hint::black_box;

use barewire::http::{Field, Fields, CallContext, Method, RequestHead, Scratch, Target, Version};
use barewire::websocket::{CloseCode, Connection, Event, Limits, handshake};
use barewire::wire::{Instant, Role, Slice, Step};

/// Answers the request for a WebSocket; `None` if it is not a correct one.
#[inline(never)]
fn open(head: &RequestHead<'_>, out: &mut Slice<'_>) -> Option<Connection> {
    let opening = handshake::check(head).ok()?;
    let accepted = handshake::accept(&opening, None).ok()?;
    accepted.put_switching(out).ok()?;
    Some(Connection::new(Role::Server, Instant::START))
}

/// Takes what is at the front of `input` and echoes messages; a message `bye`
/// is answered by the server's own Close.
#[inline(never)]
fn turn(socket: &mut Connection, input: &mut [u8], now: Instant, out: &mut Slice<'_>) -> usize {
    let lent = CallContext {
        now,
        date: None,
        mask_key: [0; 4],
        limits: &Limits::DEFAULT,
        scratch: Scratch::new(&mut []),
    };
    let Ok(received) = socket.receive(input, lent, out) else {
        return 0;
    };
    let sent = match received.step {
        Step::Event(Event::Message { payload, .. }) if payload == b"bye" => {
            socket.send_close(CloseCode::NORMAL, "bye", [0; 4], now, out)
        }
        Step::Event(Event::Message { kind, payload }) => {
            socket.send_message(kind, payload, [0; 4], now, out)
        }
        _ => Ok(()),
    };
    if sent.is_err() { 0 } else { received.used }
}

fn run() -> i32 {
    const LIST: &[Field<'_>] = &[
        Field::new("Host", "device"),
        Field::new("Upgrade", "websocket"),
        Field::new("Connection", "Upgrade"),
        Field::new("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        Field::new("Sec-WebSocket-Version", "13"),
    ];
    const HEAD: &RequestHead<'_> = &RequestHead {
        method: Method::GET,
        target: Target::Origin {
            path: "/",
            query: None,
        },
        version: Version::Http11,
        protocol: None,
        fields: Fields::new(LIST),
    };
    let mut memory = [0; 256];
    let mut out = Slice::new(&mut memory);
    let Some(mut socket) = open(black_box(HEAD), &mut out) else {
        return 1;
    };
    if !out
        .written()
        .ends_with(b": s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
    {
        return 2;
    }
    out.clear();
    let mut input = black_box(*b"\x81\x85\x01\x02\x03\x04\x69\x67\x6f\x68\x6e");
    turn(
        black_box(&mut socket),
        black_box(&mut input),
        black_box(Instant::START),
        &mut out,
    );
    if out.written() == b"\x81\x05hello" {
        0
    } else {
        3
    }
}
