//! A WebSocket echo server without the event loop: the codecs alone, over
//! blocking sockets of `std::net`, one thread for each connection.
//!
//! ```text
//! cargo run --example codec_only            # then connect to ws://127.0.0.1:9001/
//! ```

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Instant as Clock;

use barewire::http::{CallContext, OwnedScratch};
use barewire::wire::{Instant, Role, Step};
use barewire::{http1, websocket};

fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:9001")?;
    println!("listening on ws://{}/", listener.local_addr()?);
    for stream in listener.incoming() {
        let stream = stream?;
        std::thread::spawn(move || serve(stream));
    }
    Ok(())
}

/// The machine of the protocol that the connection speaks at the moment.
enum Machine {
    Http1(http1::Connection),
    WebSocket(websocket::Connection),
}

fn serve(mut stream: TcpStream) -> io::Result<()> {
    let start = Clock::now();
    let now = || Instant::from_nanos(start.elapsed().as_nanos() as u64);
    let mut machine = Machine::Http1(http1::Connection::new(Role::Server, now()));
    let mut scratch = OwnedScratch::new(100);
    let (mut input, mut out, mut open) = (Vec::new(), Vec::new(), true);
    while open {
        let mut piece = [0; 4096];
        let n = stream.read(&mut piece)?;
        if n == 0 {
            break;
        }
        input.extend_from_slice(&piece[..n]);
        while let Some(used) = step(&mut machine, &mut input, &mut scratch, now(), &mut out) {
            input.drain(..used);
        }
        stream.write_all(&out)?;
        out.clear();
        open = match &machine {
            Machine::Http1(machine) => machine.closing().is_none(),
            Machine::WebSocket(machine) => !machine.is_closing(),
        };
    }
    Ok(())
}

/// Takes one event from the front of `input` and answers it; `None` when more
/// bytes are needed or the connection is done.
fn step(
    machine: &mut Machine,
    input: &mut [u8],
    scratch: &mut OwnedScratch,
    now: Instant,
    out: &mut Vec<u8>,
) -> Option<usize> {
    let scratch = scratch.lend();
    match machine {
        Machine::Http1(http) => {
            let limits = &http1::Limits::DEFAULT;
            let lent = CallContext {
                now,
                date: None,
                mask_key: [0; 4],
                limits,
                scratch,
            };
            let received = http.receive(input, lent, out).ok()?;
            let Step::Event(http1::Event::Request { head, .. }) = received.step else {
                return (received.used > 0).then_some(received.used);
            };
            let refused = match websocket::handshake::check(&head) {
                Ok(opening) => {
                    let accepted = websocket::handshake::accept(&opening, None).ok()?;
                    http.send_switching(accepted.fields().as_fields(), out)
                        .ok()?;
                    *machine = Machine::WebSocket(websocket::Connection::new(Role::Server, now));
                    return Some(received.used);
                }
                Err(refusal) => refusal,
            };
            let head = barewire::http::ResponseHead::new(refused.status(), refused.fields());
            http.send_whole(&head, b"", None, now, out).ok()?;
            Some(received.used)
        }
        Machine::WebSocket(socket) => {
            let limits = &websocket::Limits::DEFAULT;
            let lent = CallContext {
                now,
                date: None,
                mask_key: [0; 4],
                limits,
                scratch,
            };
            let received = socket.receive(input, lent, out).ok()?;
            if let Step::Event(websocket::Event::Message { kind, payload }) = received.step {
                socket.send_message(kind, payload, [0; 4], now, out).ok()?;
            }
            (received.used > 0).then_some(received.used)
        }
    }
}
