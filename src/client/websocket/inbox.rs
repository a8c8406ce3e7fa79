//! Received messages that were not taken yet.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::CloseFrame;
use crate::client::connecting::{DuplexOwner, Wire};
use crate::client::{Message, RequestSender as _};
use crate::link::{EndReason, Event};
use crate::websocket::{CloseCode, Kind};
use crate::wire::simd;

#[derive(Debug)]
pub(super) enum Incoming {
    Message(Message),
    Pong(Vec<u8>),
}

/// Bytes of messages that are read, while no thread receives, for threads that send: over
/// HTTP/2 they need what comes.
const CAPACITY: usize = 1024 * 1024;

/// Input that was not taken: at most one read.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    pub(super) stream: u32,
    pub(super) waiting: VecDeque<Incoming>,
    bytes: usize,
    /// Whether each message is taken before what follows it is looked at.
    pub(super) pauses: bool,
    pub(super) keeps_pongs: bool,
    pub(super) has_room: bool,
    pub(super) closed: Option<CloseFrame>,
    pub(super) ended: Option<EndReason>,
    /// Bytes that waited then for the window of its stream.
    pub(super) unsent: usize,
}

impl Inbox {
    pub(super) fn new(stream: u32) -> Self {
        Self {
            stream,
            pauses: true,
            ..Self::default()
        }
    }

    pub(super) fn take(&mut self) -> Option<Message> {
        while let Some(incoming) = self.waiting.pop_front() {
            if let Incoming::Message(message) = incoming {
                let bytes = message.payload().len() + size_of::<Incoming>();
                self.bytes = self.bytes.saturating_sub(bytes);
                return Some(message);
            }
        }
        None
    }
}

impl DuplexOwner for Inbox {
    fn event(&mut self, wire: &mut Wire, stream: u32, event: Event<'_>) {
        match event {
            Event::Message { kind, payload } if stream == self.stream => {
                self.bytes += payload.len() + size_of::<Incoming>();
                if self.pauses {
                    wire.pause();
                }
                self.waiting
                    .push_back(Incoming::Message(message(kind, payload)));
            }
            Event::Pong(payload) if self.keeps_pongs => {
                self.waiting.push_back(Incoming::Pong(payload.into()));
            }
            Event::Writable => self.has_room = true,
            Event::Close { code, reason } => {
                self.closed = Some(CloseFrame {
                    code: code.unwrap_or(CloseCode::NO_STATUS),
                    reason: reason.into(),
                });
            }
            Event::Ended(reason) => {
                if self.ended.is_none() {
                    self.unsent = wire.link.unsent(self.stream) as usize;
                }
                self.ended.get_or_insert(reason);
                if stream == self.stream && wire.link.is_multiplexed() {
                    wire.shutdown(); // nothing else is on this connection
                }
            }
            _ => {}
        }
    }

    fn has_news(&self) -> bool {
        !self.waiting.is_empty() || self.has_room && self.keeps_pongs
    }

    fn is_held(&self, wire: &Wire) -> bool {
        wire.link.queued(self.stream) > 0
    }

    fn takes_more(&self) -> bool {
        self.bytes < CAPACITY
    }
}

/// A message that has arrived, whose text the machine has found to be UTF-8.
pub(super) fn message(kind: Kind, payload: &[u8]) -> Message {
    match kind {
        Kind::Text => Message::Text(simd::as_text(payload).unwrap_or_default().into()),
        Kind::Binary => Message::Binary(payload.into()),
    }
}
