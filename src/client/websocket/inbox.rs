//! What has come on a WebSocket and was not taken.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use super::CloseFrame;
use crate::client::Message;
use crate::client::connecting::{DuplexOwner, Wire};
use crate::link::{EndReason, Event};
use crate::websocket::{CloseCode, Kind};

/// Something that has come.
#[derive(Debug)]
pub(super) enum Incoming {
    Message(Message),
    Pong(Vec<u8>),
}

/// What has come and was not taken: at most what one read brings.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    pub(super) stream: u32,
    pub(super) waiting: VecDeque<Incoming>,
    /// Whether Pongs are of interest.
    pub(super) keeps_pongs: bool,
    /// There is room again on a stream whose window was closed.
    pub(super) has_room: bool,
    pub(super) closed: Option<CloseFrame>,
    /// Why the WebSocket is over.
    pub(super) ended: Option<EndReason>,
}

impl Inbox {
    pub(super) fn new(stream: u32) -> Self {
        Self {
            stream,
            ..Self::default()
        }
    }
}

impl DuplexOwner for Inbox {
    fn event(&mut self, _: &mut Wire, stream: u32, event: Event<'_>) {
        match event {
            Event::Message { kind, payload } if stream == self.stream => {
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
                self.ended.get_or_insert(reason);
            }
            _ => {}
        }
    }

    fn has_news(&self) -> bool {
        !self.waiting.is_empty() || self.has_room && self.keeps_pongs
    }
}

/// A message that has arrived, whose text the machine has found to be UTF-8.
fn message(kind: Kind, payload: &[u8]) -> Message {
    match kind {
        Kind::Text => Message::Text(String::from_utf8_lossy(payload).into_owned()),
        Kind::Binary => Message::Binary(payload.into()),
    }
}
