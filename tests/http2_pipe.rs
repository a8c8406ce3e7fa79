//! A client and a server machine that talk through a pipe which cuts, holds
//! back and shrinks as it likes.
#![cfg(feature = "http2")]

mod http2_support;

use std::collections::BTreeMap;

use barewire::http::{
    Content, Field, Fields, Lent, Method, OwnedScratch, RequestHead, ResponseHead, Status, Target,
    Version,
};
use barewire::http2::{BodyLength, Connection, Event, Limits, Misuse};
use barewire::wire::{Instant, Role, Sink, Step};
use proptest::prelude::*;

const NOW: Instant = Instant::START;

/// A small deterministic source of whims.
struct Whim(u64);

impl Whim {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

/// An output of limited room.
struct Narrow<'a> {
    bytes: &'a mut Vec<u8>,
    room: usize,
}

impl Sink for Narrow<'_> {
    fn room(&self) -> usize {
        self.room - self.bytes.len()
    }

    fn put(&mut self, bytes: &[u8]) {
        assert!(bytes.len() <= self.room(), "asked for no room");
        self.bytes.extend_from_slice(bytes);
    }

    fn space(&mut self, n: usize) -> &mut [u8] {
        assert!(n <= self.room(), "asked for no room");
        self.bytes.space(n)
    }
}

/// What one side wants to send on a stream, and how much of it is gone.
struct Outbox {
    body: Vec<u8>,
    at: usize,
}

/// One side with its pipe.
struct End {
    machine: Connection,
    limits: Limits,
    scratch: OwnedScratch,
    input: Vec<u8>,
    out: Vec<u8>,
    room: usize,
    boxes: BTreeMap<u32, Outbox>,
    bodies: BTreeMap<u32, Vec<u8>>,
    /// Bytes held, to be consumed later.
    held: Vec<(u32, usize)>,
    finished: Vec<(u32, Vec<u8>)>,
}

impl End {
    fn new(role: Role, limits: Limits, room: usize) -> Self {
        Self {
            machine: Connection::new(role, NOW),
            limits,
            scratch: OwnedScratch::new(100),
            input: Vec::new(),
            out: Vec::new(),
            room,
            boxes: BTreeMap::new(),
            bodies: BTreeMap::new(),
            held: Vec::new(),
            finished: Vec::new(),
        }
    }

    /// Reads what is here, answers as a server, and consumes at whim.
    fn read(&mut self, whim: &mut Whim) {
        loop {
            let lent = Lent {
                now: NOW,
                date: None,
                chance: [0; 4],
                limits: &self.limits,
                scratch: self.scratch.lend(),
            };
            let mut out = Narrow {
                bytes: &mut self.out,
                room: self.room,
            };
            let received = self.machine.receive(&mut self.input, lent, &mut out);
            let received = received.expect("both sides are honest");
            let used = received.used;
            match received.step {
                Step::Event(Event::Request {
                    stream, content, ..
                }) => match content {
                    Content::None => self.finished.push((stream, Vec::new())),
                    Content::Whole(body) => self.finished.push((stream, body.to_vec())),
                    Content::Follows { .. } => drop(self.bodies.insert(stream, Vec::new())),
                },
                Step::Event(Event::Response {
                    stream, content, ..
                }) => {
                    assert_ne!(content, Content::None);
                    self.bodies.insert(stream, Vec::new());
                }
                Step::Event(Event::Data { stream, data }) => {
                    self.bodies
                        .get_mut(&stream)
                        .unwrap()
                        .extend_from_slice(data);
                    self.held.push((stream, data.len()));
                }
                Step::Event(Event::End { stream, .. }) => {
                    let body = self.bodies.remove(&stream).unwrap();
                    self.finished.push((stream, body));
                }
                Step::Event(Event::Settings) => {}
                Step::Event(other) => panic!("{other:?}"),
                Step::Need(_) | Step::Full => {
                    self.input.drain(..used);
                    break;
                }
                Step::Paused | Step::Done => panic!("not yet"),
            }
            self.input.drain(..used);
        }
        while !self.held.is_empty() && whim.below(3) > 0 {
            let at = whim.below(self.held.len() as u64) as usize;
            let (stream, bytes) = self.held.swap_remove(at);
            let mut out = Narrow {
                bytes: &mut self.out,
                room: self.room,
            };
            self.machine.consume(stream, bytes, &mut out);
        }
    }

    /// Offers what a stream has; the outbox is gone once all was taken.
    fn offer(&mut self, stream: u32) {
        let Some(outbox) = self.boxes.get_mut(&stream) else {
            return;
        };
        let mut out = Narrow {
            bytes: &mut self.out,
            room: self.room,
        };
        let rest = &outbox.body[outbox.at..];
        let taken = self.machine.send_data(stream, rest, true, NOW, &mut out);
        outbox.at += taken.unwrap();
        if outbox.at == outbox.body.len() {
            self.boxes.remove(&stream);
        }
    }

    fn send_ready(&mut self) {
        while self.room - self.out.len() > 200
            && let Some(stream) = self.machine.ready()
        {
            self.offer(stream);
        }
    }
}

/// Moves a whim of bytes through the pipe.
fn carry(from: &mut End, to: &mut End, whim: &mut Whim) {
    let n = whim.below(1 + from.out.len() as u64).max(1) as usize;
    let n = n.min(from.out.len());
    to.input.extend(from.out.drain(..n));
}

fn talk(seed: u64, requests: usize, window: u32, size: u64, room: usize) {
    let whim = &mut Whim(seed | 1);
    let limits = Limits::DEFAULT.with_stream_window(window).with_streams(20);
    let mut client = End::new(Role::Client, limits, room);
    let mut server = End::new(Role::Server, limits, room);
    let mut sent: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
    let mut out = Narrow {
        bytes: &mut client.out,
        room,
    };
    client.machine.open(&limits, NOW, &mut out).unwrap();
    let mut idle = 0;
    while client.finished.len() < requests {
        let before = client.finished.len() + sent.len() + client.out.len() + server.out.len();
        if sent.len() < requests {
            request(&mut client, &mut sent, size, whim);
        }
        carry(&mut client, &mut server, whim);
        server.read(whim);
        for (stream, body) in core::mem::take(&mut server.finished) {
            if let Err(Misuse::NoRoom) = echo(&mut server, stream, &body) {
                server.finished.push((stream, body));
            }
        }
        server.send_ready();
        carry(&mut server, &mut client, whim);
        client.read(whim);
        client.send_ready();
        let after = client.finished.len() + sent.len() + client.out.len() + server.out.len();
        idle = if before == after { idle + 1 } else { 0 };
        assert!(idle < 500, "nothing moves");
    }
    for (stream, body) in client.finished {
        assert!(sent[&stream] == body, "stream {stream}");
    }
    assert_eq!((client.machine.streams(), server.machine.streams()), (0, 0));
}

fn request(client: &mut End, sent: &mut BTreeMap<u32, Vec<u8>>, size: u64, whim: &mut Whim) {
    let body: Vec<u8> = (0..1 + whim.below(size)).map(|n| (n * 31) as u8).collect();
    let agent = format!("whim/{}", whim.below(50));
    let fields = [Field::new("Host", "a"), Field::new("User-Agent", &agent)];
    let head = RequestHead {
        method: Method::Post,
        target: Target::Origin {
            path: "/",
            query: None,
        },
        version: Version::Http11,
        protocol: None,
        fields: Fields::new(&fields),
    };
    let length = match whim.below(2) {
        0 => BodyLength::Unknown,
        _ => BodyLength::Known(body.len() as u64),
    };
    let mut out = Narrow {
        bytes: &mut client.out,
        room: client.room,
    };
    match client.machine.send_request(&head, Some(length), &mut out) {
        Ok(stream) => {
            sent.insert(stream, body.clone());
            client.boxes.insert(stream, Outbox { body, at: 0 });
            client.offer(stream);
        }
        Err(Misuse::TooManyStreams | Misuse::NoRoom) => {}
        Err(other) => panic!("{other:?}"),
    }
}

fn echo(server: &mut End, stream: u32, body: &[u8]) -> Result<(), Misuse> {
    let head = ResponseHead::new(Status::OK, Fields::EMPTY);
    let mut out = Narrow {
        bytes: &mut server.out,
        room: server.room,
    };
    let length = Some(BodyLength::Unknown);
    server
        .machine
        .send_response(stream, &head, length, None, &mut out)?;
    let body = body.to_vec();
    server.boxes.insert(stream, Outbox { body, at: 0 });
    server.offer(stream);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn every_body_comes_back_whole(
        seed: u64, requests in 1..40usize, window in 1..100_000u32, size in 1..60_000u64, room in 400..100_000usize,
    ) {
        let size = size.min(u64::from(window) * 40);
        talk(seed, requests, window, size, room);
    }
}

#[test]
fn a_large_stream_does_not_starve_a_small_one() {
    let limits = Limits::DEFAULT;
    let mut side = http2_support::Side::server_with(limits);
    let wide = [&[0, 4][..], &0x100_0000u32.to_be_bytes()].concat();
    side.feed(&http2_support::frame(http2_support::SETTINGS, 0, 0, &wide));
    side.feed(&http2_support::number(
        http2_support::WINDOW_UPDATE,
        0,
        0x100_0000,
    ));
    let large = vec![1; 4 << 20];
    let head = ResponseHead::new(Status::OK, Fields::EMPTY);
    let mut at = BTreeMap::new();
    for stream in [1, 3, 5] {
        side.feed(&http2_support::get(stream));
        let length = Some(BodyLength::Unknown);
        side.machine
            .send_response(stream, &head, length, None, &mut side.out)
            .unwrap();
        let n = side
            .machine
            .send_data(stream, &large, true, NOW, &mut side.out)
            .unwrap();
        at.insert(stream, n);
    }
    let mut turns = Vec::new();
    for _ in 0..300 {
        let stream = side.machine.ready().unwrap();
        let sent = at[&stream];
        let n = side
            .machine
            .send_data(stream, &large[sent..], true, NOW, &mut side.out)
            .unwrap();
        assert!(n <= 16 << 10, "{n}");
        *at.get_mut(&stream).unwrap() += n;
        turns.push(stream);
    }
    for turn in turns.windows(3) {
        assert!(turn[0] != turn[1] && turn[0] != turn[2] && turn[1] != turn[2]);
    }
}
