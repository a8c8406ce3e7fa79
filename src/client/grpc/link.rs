//! One connection of a channel: its machine, and whose its streams are.

use alloc::string::String;
use alloc::vec::Vec;

use crate::http2::Connection;
use crate::net::Key;
use crate::wire::{Instant, Role};

/// The number of one connection of a channel. Numbers are not used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LinkId(pub(super) u32);

/// How far a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// It is on its way.
    Dialling,
    /// The server's SETTINGS have not come.
    Greeting,
    /// It takes calls.
    Ready,
    /// It finishes the calls that it has.
    Leaving,
    /// Nothing comes any more; what is in the output may still go.
    Over,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) id: LinkId,
    pub(super) phase: Phase,
    pub(super) machine: Connection,
    /// The front of a frame whose rest has not come.
    pub(super) input: Vec<u8>,
    pub(super) out: Vec<u8>,
    /// Open streams and their calls. Numbers only grow, so they are in order.
    streams: Vec<(u32, Key)>,
    /// The last stream that the server has looked at, once it has said so.
    pub(super) last_stream: u32,
    /// What the server had to say about its going away.
    pub(super) reason: String,
    /// It was pinged more often than it allows.
    pub(super) too_many_pings: bool,
}

impl Link {
    pub(super) fn new(id: u32, now: Instant) -> Self {
        Self {
            id: LinkId(id),
            phase: Phase::Dialling,
            machine: Connection::new(Role::Client, now),
            input: Vec::new(),
            out: Vec::new(),
            streams: Vec::new(),
            last_stream: u32::MAX,
            reason: String::new(),
            too_many_pings: false,
        }
    }

    /// The call on a stream.
    pub(super) fn find(&self, stream: u32) -> Option<Key> {
        let at = self.streams.binary_search_by_key(&stream, |it| it.0).ok()?;
        self.streams.get(at).map(|it| it.1)
    }

    pub(super) fn add(&mut self, stream: u32, call: Key) {
        self.streams.push((stream, call));
    }

    pub(super) fn forget(&mut self, stream: u32) {
        if let Ok(at) = self.streams.binary_search_by_key(&stream, |it| it.0) {
            self.streams.remove(at); // a position just found
        }
    }

    /// What calls are told when the transport has ended.
    pub(super) fn lost_text(&self) -> &'static str {
        match self.phase {
            // An alert (RFC 8446 §5.1): a whole one is shorter than any frame.
            Phase::Greeting if self.input.starts_with(b"\x15\x03") => {
                "server speaks TLS, and the channel does not"
            }
            Phase::Greeting => "connection was lost before the server's first frame",
            _ => "connection was lost",
        }
    }

    /// Takes one call after another off a connection that is over.
    pub(super) fn take_call(&mut self) -> Option<Key> {
        self.streams.pop().map(|it| it.1)
    }
}
