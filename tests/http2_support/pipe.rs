//! A client and a server machine that talk through a pipe which cuts, holds
//! back and shrinks as it likes.

use std::collections::{BTreeMap, BTreeSet};

use barewire::http::{
    CallContext, Content, Field, Fields, Method, OwnedScratch, RequestHead, ResponseHead, Status,
    Target, Version,
};
use barewire::http2::{BodyLength, Connection, ErrorCode, Event, Limits, UsageError};
use barewire::wire::{Instant, Role, Sink, Step};

const NOW: Instant = Instant::START;

/// A source of whims: octets as long as there are some, then a row of numbers
/// that depends on the seed alone.
#[derive(Debug)]
pub struct Whim<'d> {
    octets: &'d [u8],
    state: u64,
}

impl<'d> Whim<'d> {
    pub const fn new(octets: &'d [u8], seed: u64) -> Self {
        let state = seed | 1;
        Self { octets, state }
    }

    fn below(&mut self, n: u64) -> u64 {
        if let Some((first, rest)) = self.octets.split_first() {
            self.octets = rest;
            return match n {
                0..=256 => u64::from(*first) % n,
                _ => (1 << (first & 31) | u64::from(first >> 5)) % n,
            };
        }
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state % n
    }
}

/// How a talk goes.
#[derive(Debug, Clone, Copy)]
pub struct Talk {
    pub requests: usize,
    /// The window that either side gives a stream.
    pub window: u32,
    /// No body is longer.
    pub size: u64,
    /// How much either side may write before some of it is carried.
    pub room: usize,
    /// One in so many steps resets a stream; 0: none does.
    pub resets: u64,
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

/// A message's content, and whether trailers follow it.
type Message = (Vec<u8>, bool);

/// What one side wants to send on a stream, and how much of it is gone.
struct Outbox {
    message: Message,
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
    finished: Vec<(u32, Message)>,
    /// Streams that one side has reset.
    lost: BTreeSet<u32>,
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
            lost: BTreeSet::new(),
        }
    }

    /// Reads what is here, and consumes at whim.
    fn read(&mut self, whim: &mut Whim<'_>) {
        loop {
            let lent = CallContext {
                now: NOW,
                date: None,
                mask_key: [0; 4],
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
            let mut more = true;
            match received.step {
                Step::Event(Event::Request {
                    stream, content, ..
                }) => match content {
                    Content::None => self.finished.push((stream, (Vec::new(), false))),
                    Content::Whole(body) => self.finished.push((stream, (body.to_vec(), false))),
                    Content::Follows { .. } => drop(self.bodies.insert(stream, Vec::new())),
                },
                Step::Event(Event::Response {
                    stream, content, ..
                }) => {
                    assert_ne!(content, Content::None);
                    self.bodies.insert(stream, Vec::new());
                }
                Step::Event(Event::Data { stream, data }) => {
                    let body = self.bodies.get_mut(&stream).expect("its head came");
                    body.extend_from_slice(data);
                    self.held.push((stream, data.len()));
                }
                Step::Event(Event::End {
                    stream, trailers, ..
                }) => {
                    let body = self.bodies.remove(&stream).expect("its head came");
                    self.finished.push((stream, (body, !trailers.is_empty())));
                }
                Step::Event(Event::Reset { stream, .. }) => self.lose(stream),
                Step::Event(Event::Settings) => {}
                Step::Event(other) => panic!("{other:?}"),
                Step::Need(_) | Step::Full => more = false,
                Step::Paused | Step::Done => panic!("not yet"),
            }
            self.input.drain(..used);
            if !more {
                break;
            }
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

    fn lose(&mut self, stream: u32) {
        assert!(self.lost.insert(stream), "told twice");
        self.boxes.remove(&stream);
        self.bodies.remove(&stream);
        self.finished.retain(|(other, _)| *other != stream);
    }

    /// Resets one of the streams that are not over.
    fn reset(&mut self, whim: &mut Whim<'_>) {
        let open: Vec<u32> = self
            .boxes
            .keys()
            .chain(self.bodies.keys())
            .copied()
            .collect();
        if open.is_empty() {
            return;
        }
        let stream = open[whim.below(open.len() as u64) as usize];
        let mut out = Narrow {
            bytes: &mut self.out,
            room: self.room,
        };
        let code = ErrorCode::CANCEL;
        match self.machine.send_reset(stream, code, NOW, &mut out) {
            Ok(()) => self.lose(stream),
            Err(UsageError::NoRoom) => {}
            Err(other) => panic!("{other:?}"),
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
        let (body, trailers) = &outbox.message;
        let rest = &body[outbox.at..];
        if !rest.is_empty() || !trailers {
            let taken = self
                .machine
                .send_data(stream, rest, !trailers, NOW, &mut out);
            outbox.at += taken.expect("a stream that sends");
        }
        if outbox.at < body.len() {
            return;
        }
        if *trailers {
            let list = [Field::new("x-whole", "yes")];
            match self.machine.send_end(stream, Fields::new(&list), &mut out) {
                Ok(()) => {}
                Err(UsageError::NoRoom) => return, // once more later
                Err(other) => panic!("{other:?}"),
            }
        }
        self.boxes.remove(&stream);
    }

    fn send_ready(&mut self) {
        while self.room - self.out.len() > 200
            && let Some(stream) = self.machine.ready()
        {
            self.offer(stream);
        }
        let trailers = self
            .boxes
            .iter()
            .filter(|(_, it)| it.at == it.message.0.len());
        for stream in trailers.map(|(stream, _)| *stream).collect::<Vec<_>>() {
            self.offer(stream);
        }
    }
}

/// Moves a whim of bytes through the pipe.
fn carry(from: &mut End, to: &mut End, whim: &mut Whim<'_>) {
    let n = whim.below(1 + from.out.len() as u64).max(1) as usize;
    let n = n.min(from.out.len());
    to.input.extend(from.out.drain(..n));
}

/// Every request of the client is echoed, whole and once, or told to be lost.
///
/// # Panics
/// If it is not so.
pub fn talk(how: Talk, whim: &mut Whim<'_>) {
    let Talk { requests, room, .. } = how;
    let limits = Limits::DEFAULT
        .with_stream_window(how.window)
        .with_streams(20);
    let mut client = End::new(Role::Client, limits, room);
    let mut server = End::new(Role::Server, limits, room);
    let mut sent: BTreeMap<u32, Message> = BTreeMap::new();
    let mut out = Narrow {
        bytes: &mut client.out,
        room,
    };
    client.machine.open(&limits, NOW, &mut out).expect("room");
    let mut idle = 0;
    let is_over = |client: &End, server: &End| {
        client.finished.len() + client.lost.len() == requests
            && client.machine.streams() + server.machine.streams() == 0
    };
    while !is_over(&client, &server) {
        let before = client.finished.len() + sent.len() + client.out.len() + server.out.len();
        if sent.len() < requests {
            request(&mut client, &mut sent, how.size, whim);
        }
        if how.resets > 0 && whim.below(how.resets) == 0 {
            let side = if whim.below(2) == 0 {
                &mut client
            } else {
                &mut server
            };
            side.reset(whim);
        }
        carry(&mut client, &mut server, whim);
        server.read(whim);
        for (stream, message) in core::mem::take(&mut server.finished) {
            if !echo(&mut server, stream, &message) {
                server.finished.push((stream, message));
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
    for (stream, message) in client.finished {
        assert!(sent[&stream] == message, "stream {stream}");
    }
}

fn request(client: &mut End, sent: &mut BTreeMap<u32, Message>, size: u64, whim: &mut Whim<'_>) {
    let body: Vec<u8> = (0..1 + whim.below(size)).map(|n| (n * 31) as u8).collect();
    let message = (body, whim.below(4) == 0);
    let agent = format!("whim/{}", whim.below(50));
    let fields = [Field::new("Host", "a"), Field::new("User-Agent", &agent)];
    let head = RequestHead {
        method: Method::POST,
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
        _ => BodyLength::Known(message.0.len() as u64),
    };
    let mut out = Narrow {
        bytes: &mut client.out,
        room: client.room,
    };
    match client.machine.send_request(&head, Some(length), &mut out) {
        Ok(stream) => {
            sent.insert(stream, message.clone());
            client.boxes.insert(stream, Outbox { message, at: 0 });
            client.offer(stream);
        }
        Err(UsageError::TooManyStreams | UsageError::NoRoom) => {}
        Err(other) => panic!("{other:?}"),
    }
}

/// Begins an answer; `false` if there is no room for its head yet.
fn echo(server: &mut End, stream: u32, message: &Message) -> bool {
    let head = ResponseHead::new(Status::OK, Fields::EMPTY);
    let mut out = Narrow {
        bytes: &mut server.out,
        room: server.room,
    };
    let length = Some(BodyLength::Unknown);
    match server
        .machine
        .send_response(stream, &head, length, None, &mut out)
    {
        Ok(()) => {}
        Err(UsageError::NoRoom) => return false,
        Err(other) => panic!("{other:?}"),
    }
    let message = message.clone();
    server.boxes.insert(stream, Outbox { message, at: 0 });
    server.offer(stream);
    true
}
