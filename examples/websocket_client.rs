//! A WebSocket client without the event loop: the machines alone, over a
//! blocking socket of `std::net`. It sends back every message that it gets.
//!
//! ```text
//! cargo run --example websocket_echo        # in another terminal, or any server
//! cargo run --example websocket_client ws://127.0.0.1:8080/echo
//! ```
//!
//! With `--cases` it runs every case of the Autobahn test suite's fuzzing
//! server: `cargo run --example websocket_client ws://127.0.0.1:9001 --cases`.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant as Clock};
use std::{env, str};

use barewire::http::{
    CallContext, Field, Fields, Method, OwnedScratch, RequestHead, Target, Version,
};
use barewire::wire::{Instant, Role, Step};
use barewire::{http1, websocket};
use websocket::handshake::{Key, Offer};

type Result<T> = core::result::Result<T, Box<dyn core::error::Error>>;

fn main() -> Result<()> {
    let url = env::args()
        .nth(1)
        .ok_or("usage: websocket_client URL [--cases]")?;
    let url = url.strip_prefix("ws://").ok_or("a URL begins with ws://")?;
    let (host, path) = url.split_at(url.find('/').unwrap_or(url.len()));
    if env::args().nth(2).as_deref() != Some("--cases") {
        return session(host, if path.is_empty() { "/" } else { path }, |_| true);
    }
    let mut count = 0;
    session(host, "/getCaseCount", |message| {
        count = str::from_utf8(message)
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(0);
        false
    })?;
    for case in 1..=count {
        // Many cases break the protocol: an error is what they are for.
        if let Err(error) = session(
            host,
            &format!("/runCase?case={case}&agent=barewire"),
            |_| true,
        ) {
            println!("case {case}: {error}");
        }
    }
    session(host, "/updateReports?agent=barewire", |_| false)
}

/// Connects, and serves the connection to its end. `answer` is shown every
/// message and says whether it is to be sent back.
fn session(host: &str, path: &str, mut answer: impl FnMut(&[u8]) -> bool) -> Result<()> {
    let mut wire = Wire::connect(host)?;

    // The handshake: a request that offers the upgrade, and its response.
    let offer = Offer::new(Key::new(mask_key()));
    let mut fields = vec![Field::new("Host", host)];
    fields.extend_from_slice(offer.fields().as_slice());
    let head = RequestHead {
        method: Method::GET,
        target: Target::parse(path.as_bytes(), Method::GET)?,
        version: Version::Http11,
        protocol: None,
        fields: Fields::new(&fields),
    };
    let mut http = http1::Connection::new(Role::Client, wire.now());
    http.send_request(&head, None, wire.now(), &mut wire.out)?;
    let mut scratch = OwnedScratch::new(100);
    loop {
        let lent = lend(wire.now(), &http1::Limits::DEFAULT, &mut scratch);
        let received = http.receive(&mut wire.input, lent, &mut wire.out)?;
        let used = received.used;
        if let Step::Event(http1::Event::Response { head, .. }) = received.step {
            offer.check_response(&head)?;
            wire.input.drain(..used); // what follows is the first frame already
            break;
        }
        wire.input.drain(..used);
        if !wire.turn(http.deadline(&http1::Limits::DEFAULT))? {
            return Err("the server ended the handshake".into());
        }
    }

    // The session: every message is an event, pings are answered by the machine.
    let limits = &websocket::Limits::DEFAULT
        .with_frame(16 << 20)
        .with_message(16 << 20)
        .with_fragments(1 << 20);
    let mut socket = websocket::Connection::new(Role::Client, wire.now());
    loop {
        let now = wire.now();
        let lent = lend(now, limits, &mut scratch);
        let received = socket.receive(&mut wire.input, lent, &mut wire.out);
        let used = match received {
            Ok(received) => {
                if let Step::Event(websocket::Event::Message { kind, payload }) = received.step
                    && answer(payload)
                {
                    socket.send_message(kind, payload, mask_key(), now, &mut wire.out)?;
                }
                received.used
            }
            Err(violation) => {
                wire.flush()?; // the Close frame that says why
                return Err(violation.into());
            }
        };
        wire.input.drain(..used);
        if used > 0 {
            continue;
        }
        match wire.turn(socket.deadline()) {
            Ok(true) => {}
            Ok(false) => return Ok(socket.receive_eof()?),
            // Both Close frames have passed: it is no matter how the transport ends.
            Err(_) if socket.is_done() => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        let lent = lend(wire.now(), limits, &mut scratch);
        socket.elapsed(lent, &mut wire.out)?;
    }
}

/// The transport: a socket, and both buffers. The machines own none.
struct Wire {
    stream: TcpStream,
    input: Vec<u8>,
    out: Vec<u8>,
    start: Clock,
}

impl Wire {
    fn connect(host: &str) -> io::Result<Self> {
        Ok(Self {
            stream: TcpStream::connect(host)?,
            input: Vec::new(),
            out: Vec::new(),
            start: Clock::now(),
        })
    }

    /// The time as the machines count it.
    fn now(&self) -> Instant {
        Instant::from_nanos(self.start.elapsed().as_nanos() as u64)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.write_all(&self.out)?;
        self.out.clear();
        Ok(())
    }

    /// Sends what is to be sent, then waits for more input, at most until
    /// `deadline`. False at the end of the input.
    fn turn(&mut self, deadline: Option<Instant>) -> io::Result<bool> {
        self.flush()?;
        let left = deadline.map(|due| due.saturating_since(self.now()));
        self.stream
            .set_read_timeout(left.map(|left| left.max(Duration::from_millis(1))))?;
        let mut piece = [0; 64 << 10];
        match self.stream.read(&mut piece) {
            Ok(n) => {
                self.input.extend_from_slice(&piece[..n]);
                Ok(n > 0)
            }
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(true),
            Err(e) => Err(e),
        }
    }
}

fn lend<'b, L>(now: Instant, limits: &'b L, scratch: &'b mut OwnedScratch) -> CallContext<'b, L> {
    CallContext {
        now,
        date: None,
        mask_key: mask_key(),
        limits,
        scratch: scratch.lend(),
    }
}

/// Unpredictable bytes for keys and masks. The keys of std's hashes come from
/// the system's generator; a program with dependencies asks `getrandom`.
fn mask_key<const N: usize>() -> [u8; N] {
    core::array::from_fn(|_| RandomState::new().build_hasher().finish() as u8)
}
