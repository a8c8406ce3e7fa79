//! Messages that wait to be sent.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;

use crate::websocket::{CloseCode, Kind};

#[derive(Default)]
pub(super) struct Queue {
    pub(super) waiting: VecDeque<Outgoing>,
    pub(super) bytes: usize,
}

pub(super) enum Outgoing {
    Message(Kind, Vec<u8>),
    Ping(Vec<u8>),
    Close(CloseCode, String),
}

impl Outgoing {
    pub(super) fn bytes(&self) -> usize {
        let payload = match self {
            Self::Message(_, payload) | Self::Ping(payload) => payload.len(),
            Self::Close(_, reason) => reason.len(),
        };
        payload + size_of::<Self>()
    }
}

impl Queue {
    /// Puts something after the rest.
    pub(super) fn push(&mut self, next: Outgoing) {
        self.bytes += next.bytes();
        self.waiting.push_back(next);
    }

    pub(super) fn pop(&mut self) -> Option<Outgoing> {
        let next = self.waiting.pop_front()?;
        self.bytes -= next.bytes();
        Some(next)
    }
}
