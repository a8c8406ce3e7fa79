//! A small transport that is no secret, with a handshake of three messages and records
//! that have to come in their order.

use core::ops::Range;
use std::io::IoSlice;
use std::sync::Arc;

use barewire::net::{
    Agreed, Speaks, Transport, TransportDetails, TransportError, TransportLimit, TransportMaker,
};
use barewire::wire::{Received, Role, Step};

pub(crate) const HELLO: u8 = 1;
pub(crate) const ANSWER: u8 = 2;
pub(crate) const FINISHED: u8 = 3;
pub(crate) const DATA: u8 = 4;
pub(crate) const CLOSE: u8 = 5;
pub(crate) const ALERT: u8 = 6;
/// Means nothing, also in the handshake.
pub(crate) const PAD: u8 = 7;

/// A record: its kind, its length, and its content with each byte changed by the
/// number of the record; a sum behind it.
pub(crate) struct Toy {
    pub(crate) role: Role,
    /// What is spoken: the client says it in its hello.
    pub(crate) speaks: Speaks,
    /// Bytes of content that a record has at most.
    pub(crate) most: usize,
    pub(crate) sent: u8,
    pub(crate) received: u8,
    begun: bool,
    pub(crate) agreed: bool,
    /// What the peer has said with its alert.
    pub(crate) alert: String,
}

fn code(speaks: Speaks) -> u8 {
    match speaks {
        Speaks::Http | Speaks::Http1 => 1,
        Speaks::Http2 => 2,
        Speaks::Raw => 3,
    }
}

impl Toy {
    pub(crate) fn new(role: Role, speaks: Speaks) -> Self {
        Self {
            role,
            speaks,
            most: 1000,
            sent: 0,
            received: 0,
            begun: false,
            agreed: false,
            alert: String::new(),
        }
    }

    pub(crate) fn maker(role: Role, speaks: Speaks) -> TransportMaker {
        TransportMaker::new(move || Box::new(Self::new(role, speaks)))
    }

    pub(crate) fn put(&mut self, kind: u8, content: &[u8], out: &mut Vec<u8>) {
        self.sent = self.sent.wrapping_add(1);
        out.push(kind);
        out.extend((content.len() as u16).to_be_bytes());
        out.extend(content.iter().map(|byte| byte ^ self.sent));
        out.push(content.iter().fold(self.sent, |sum, byte| sum ^ byte));
    }

    fn take(&mut self, kind: u8, content: &[u8], out: &mut Vec<u8>) -> Result<(), TransportError> {
        match (self.role, kind) {
            (Role::Server, HELLO) => {
                self.speaks = match content {
                    [1, ..] => Speaks::Http,
                    [2, ..] => Speaks::Http2,
                    [3, ..] => Speaks::Raw,
                    _ => return Err(TransportError::new("nothing in common")),
                };
                self.put(ANSWER, content, out);
            }
            (Role::Client, ANSWER) => {
                self.put(FINISHED, b"", out);
                self.agreed = true;
            }
            (Role::Server, FINISHED) => self.agreed = true,
            (_, DATA) if self.agreed => {}
            (_, CLOSE | PAD) => {}
            (_, ALERT) => {
                self.alert = String::from_utf8_lossy(content).into_owned();
                return Err(TransportError::new("the peer gave up"));
            }
            _ => return Err(TransportError::new("a record out of its order")),
        }
        Ok(())
    }
}

impl Transport for Toy {
    fn open(
        &mut self,
        input: &mut [u8],
        out: &mut Vec<u8>,
    ) -> Result<Received<Range<usize>>, TransportError> {
        if !self.begun && self.role == Role::Client {
            let hello = [vec![code(self.speaks)], vec![9; 300]].concat();
            self.put(HELLO, &hello, out);
        }
        self.begun = true;
        let &mut [kind, a, b, ref mut rest @ ..] = input else {
            return Ok(Received::need(0, 3 - input.len()));
        };
        let len = usize::from(u16::from_be_bytes([a, b]));
        if rest.len() < len + 1 {
            return Ok(Received::need(0, len + 1 - rest.len()));
        }
        self.received = self.received.wrapping_add(1);
        let (content, behind) = rest.split_at_mut(len);
        content.iter_mut().for_each(|byte| *byte ^= self.received);
        let sum = content.iter().fold(self.received, |sum, byte| sum ^ byte);
        let fault = match sum == behind[0] {
            true => self.take(kind, content, out).err(),
            false => Some(TransportError::new("a wrong sum")),
        };
        if let Some(fault) = fault {
            self.put(ALERT, b"", out);
            return Err(fault);
        }
        Ok(Received {
            used: len + 4,
            step: match kind {
                DATA => Step::Event(3..3 + len),
                CLOSE => Step::Done,
                _ => Step::Need(1),
            },
        })
    }

    fn agreed(&self) -> Option<Agreed> {
        self.agreed.then_some(Agreed::on(self.speaks))
    }

    fn seal(&mut self, plain: &[IoSlice<'_>], out: &mut Vec<u8>) -> Result<(), TransportError> {
        let all: Vec<u8> = plain.iter().flat_map(|part| part.to_vec()).collect();
        for content in all.chunks(self.most) {
            self.put(DATA, content, out);
        }
        Ok(())
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        self.put(CLOSE, b"", out);
    }

    fn end_at(&mut self, limit: TransportLimit, out: &mut Vec<u8>) {
        self.put(ALERT, format!("{limit:?}").as_bytes(), out);
    }

    fn memory(&self) -> usize {
        1000
    }

    fn details(&self) -> Option<TransportDetails> {
        Some(Arc::new(Told(if self.agreed { self.sent } else { 0 })))
    }
}

/// What a toy tells: how many records it had sent when it agreed.
pub(crate) struct Told(pub(crate) u8);
