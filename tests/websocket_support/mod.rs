//! What the tests of the WebSocket machine share: frames written by hand, and
//! a driver that plays the part of a transport.
#![allow(dead_code, unreachable_pub)] // every test uses a part of it

use barewire::http::{CallContext, OwnedScratch};
use barewire::websocket::{Connection, Event, Kind, Limits, ProtocolError};
use barewire::wire::{Instant, Role, Step};

pub const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A frame as the peer of `role` sends it: masked towards a server.
pub fn frame(role: Role, first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    let flag = if role == Role::Server { 0x80 } else { 0 };
    match payload.len() {
        n @ 0..=125 => bytes.push(flag | n as u8),
        n @ 126..=0xffff => {
            bytes.push(flag | 126);
            bytes.extend((n as u16).to_be_bytes());
        }
        n => {
            bytes.push(flag | 127);
            bytes.extend((n as u64).to_be_bytes());
        }
    }
    if role == Role::Server {
        bytes.extend(MASK);
        bytes.extend(payload.iter().enumerate().map(|(i, b)| b ^ MASK[i % 4]));
    } else {
        bytes.extend(payload);
    }
    bytes
}

/// Several frames in one run of bytes.
pub fn frames(role: Role, list: &[(u8, &[u8])]) -> Vec<u8> {
    list.iter()
        .flat_map(|(first, payload)| frame(role, *first, payload))
        .collect()
}

/// What an application saw, with adjacent chunks joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    Message(Kind, Vec<u8>),
    Chunk(Kind, Vec<u8>, bool),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<u16>, String),
    Failed(ProtocolError),
}

/// One side of a connection with the buffers that a shell would keep.
pub struct Driver {
    pub machine: Connection,
    pub limits: Limits,
    pub now: Instant,
    pub out: Vec<u8>,
    pub seen: Vec<Seen>,
    /// What the machine wants to see again.
    pub kept: Vec<u8>,
    /// The most that was kept after a call.
    pub most_kept: usize,
    /// The last hint of how many bytes are missing.
    pub hint: usize,
    scratch: OwnedScratch,
}

impl Driver {
    pub fn new(role: Role, streaming: bool) -> Self {
        Self::with_limits(role, streaming, Limits::DEFAULT)
    }

    pub fn with_limits(role: Role, streaming: bool, limits: Limits) -> Self {
        Self {
            machine: Connection::new(role, Instant::START).streaming(streaming),
            limits,
            now: Instant::START,
            out: Vec::new(),
            seen: Vec::new(),
            kept: Vec::new(),
            most_kept: 0,
            hint: 0,
            scratch: OwnedScratch::new(0),
        }
    }

    /// Shows the machine what has arrived, until it needs more.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.kept.extend_from_slice(bytes);
        let mut calls = 2 * bytes.len() + self.kept.len() + 16;
        loop {
            calls = calls.checked_sub(1).expect("calls without progress");
            let lent = CallContext {
                now: self.now,
                date: None,
                mask_key: [0; 4],
                limits: &self.limits,
                scratch: self.scratch.lend(),
            };
            let received = match self.machine.receive(&mut self.kept, lent, &mut self.out) {
                Ok(received) => received,
                Err(violation) => {
                    if self.seen.last() != Some(&Seen::Failed(violation)) {
                        self.seen.push(Seen::Failed(violation));
                    }
                    return;
                }
            };
            let used = received.used;
            let more = match received.step {
                Step::Event(event) => {
                    note(&mut self.seen, event);
                    true
                }
                Step::Need(n) => {
                    assert!(n > 0);
                    self.hint = n;
                    false
                }
                Step::Done => false,
                Step::Paused | Step::Full => panic!("nothing to wait for"),
            };
            self.kept.drain(..used);
            self.most_kept = self.most_kept.max(self.kept.len());
            if !more {
                return;
            }
        }
    }

    /// Lets time pass, calling `elapsed` at each deadline on the way.
    pub fn sleep(&mut self, time: core::time::Duration) {
        let end = self.now + time;
        for _ in 0..10_000 {
            match self.machine.deadline() {
                Some(at) if at <= end => self.now = self.now.max(at),
                _ => {
                    self.now = end;
                    return;
                }
            }
            let lent = CallContext {
                now: self.now,
                date: None,
                mask_key: [0; 4],
                limits: &self.limits,
                scratch: self.scratch.lend(),
            };
            match self.machine.elapsed(lent, &mut self.out) {
                Ok(None) => {}
                Ok(Some(event)) => note(&mut self.seen, event),
                Err(violation) => self.seen.push(Seen::Failed(violation)),
            }
        }
        panic!("deadlines that do not move");
    }

    /// The frames in the output so far, unmasked, as first byte and payload;
    /// forgets them.
    pub fn sent(&mut self) -> Vec<(u8, Vec<u8>)> {
        let mut list = Vec::new();
        let out = core::mem::take(&mut self.out);
        let mut rest = &out[..];
        while let [first, second, tail @ ..] = rest {
            let (len, mut tail) = match second & 0x7f {
                126 => (u16::from_be_bytes([tail[0], tail[1]]) as usize, &tail[2..]),
                127 => (
                    u64::from_be_bytes(tail[..8].try_into().unwrap()) as usize,
                    &tail[8..],
                ),
                n => (n as usize, tail),
            };
            let mut key = [0; 4];
            if second & 0x80 != 0 {
                key.copy_from_slice(&tail[..4]);
                tail = &tail[4..];
            }
            let payload = &tail[..len];
            let plain = payload.iter().enumerate().map(|(i, b)| b ^ key[i % 4]);
            list.push((*first, plain.collect()));
            rest = &tail[len..];
        }
        assert!(rest.is_empty());
        list
    }

    /// The code of the Close frame that ends the output, if one does.
    pub fn goodbye(&mut self) -> Option<u16> {
        let sent = self.sent();
        assert!(sent.iter().rev().skip(1).all(|(first, _)| *first != 0x88));
        match sent.last() {
            Some((0x88, payload)) => Some(u16::from_be_bytes([payload[0], payload[1]])),
            _ => None,
        }
    }
}

fn note(seen: &mut Vec<Seen>, event: Event<'_>) {
    let entry = match event {
        Event::Message { kind, payload } => {
            if kind == Kind::Text {
                core::str::from_utf8(payload).expect("text is UTF-8");
            }
            Seen::Message(kind, payload.to_vec())
        }
        Event::Chunk {
            kind,
            payload,
            last,
        } => {
            if kind == Kind::Text {
                core::str::from_utf8(payload).expect("chunks end with a whole character");
            }
            assert!(last || !payload.is_empty());
            if let Some(Seen::Chunk(_, whole, end @ false)) = seen.last_mut() {
                whole.extend_from_slice(payload);
                *end = last;
                return;
            }
            Seen::Chunk(kind, payload.to_vec(), last)
        }
        Event::Ping(payload) => Seen::Ping(payload.to_vec()),
        Event::Pong(payload) => Seen::Pong(payload.to_vec()),
        Event::Close { code, reason } => Seen::Close(code.map(|code| code.get()), reason.into()),
    };
    seen.push(entry);
}

pub const ROLES: [Role; 2] = [Role::Server, Role::Client];
