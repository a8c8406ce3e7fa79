//! Input to frames: what stands at its front, and how far it is put together.
//!
//! ```text
//!   Preface ---> Head <---> Data    the inside of DATA, given out as it comes
//!                 | ^------ Skip    a payload that is dropped
//!                 '-------> Block   fragments put together, then Head again
//! ```
//!
//! Every other frame is taken once it is complete. Nothing here knows of streams.

use core::ops::Range;

use super::block::Block;
use super::frame;
use super::frame::{HEAD, Head, Kind, PREFACE};
use super::{Limits, ProtocolError, payload};
use crate::wire::Role;

/// The front of an alert of TLS (RFC 8446 §5.1).
const TLS_ALERT: &[u8] = b"\x15\x03";

/// The part of a frame at the front of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    Preface,
    Head,
    Data(Data),
    /// This many octets of a payload that is dropped.
    Skip(u32),
    /// A header block, as far as it is assembled, and then a frame's head.
    Block(Block),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Data {
    pub(super) stream: u32,
    /// Octets still to come, those of padding apart once it is known.
    pub(super) left: u32,
    pub(super) padding: u8,
    /// The octet that tells the padding is still to come.
    pub(super) pad_unread: bool,
    pub(super) end: bool,
}

impl Data {
    pub(super) const fn rest(self) -> Reading {
        Reading::Skip(self.left + self.padding as u32)
    }
}

/// The parameters of a frame's check beside its head.
pub(super) struct Rules<'l> {
    pub(super) role: Role,
    pub(super) is_greeted: bool,
    pub(super) frame: u32,
    pub(super) limits: &'l Limits,
}

/// The result of reading. Places count from where the reading began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Read {
    /// More octets are needed; a frame or block has `begun`.
    Need {
        more: usize,
        begun: bool,
    },
    Data(Head),
    /// The head of a frame whose payload is dropped.
    Dropped,
    /// A frame of another kind, with its payload.
    Control(Head, Range<usize>),
    /// A part of a header block: what is assembled of it at the front of the input, and its
    /// place.
    Part(Block, Range<usize>),
    Block(Block, Range<usize>),
}

impl Reading {
    /// Whether all of some content has been given but its end, which comes without
    /// further octets.
    pub(super) const fn has_end(&self) -> bool {
        match self {
            Self::Data(data) => data.end && data.left == 0 && data.padding == 0 && !data.pad_unread,
            Self::Preface | Self::Head | Self::Skip(_) | Self::Block(_) => false,
        }
    }

    pub(super) const fn new(role: Role) -> Self {
        match role {
            Role::Server => Self::Preface,
            Role::Client => Self::Head,
        }
    }

    /// Reads the client's preface. Returns how many octets are missing; refuses a wrong one
    /// immediately.
    pub(super) fn preface(&mut self, rest: &[u8], at: &mut usize) -> Result<usize, ProtocolError> {
        let n = rest.len().min(PREFACE.len());
        if rest[..n] != PREFACE[..n] {
            return Err(ProtocolError::Preface);
        }
        if n == PREFACE.len() {
            *at += n;
            *self = Self::Head;
        }
        Ok(PREFACE.len() - n)
    }

    /// Drops what there is of a payload of which `left` octets are to come. Whether
    /// that was all.
    pub(super) fn skip(&mut self, left: u32, rest: &[u8], at: &mut usize) -> bool {
        let n = rest.len().min(left as usize);
        *at += n;
        let is_all = n == left as usize;
        *self = match is_all {
            true => Self::Head,
            false => Self::Skip(left - n as u32), // n < left
        };
        is_all
    }

    /// Reads the next frame behind what is assembled of a block, or as much as can be used, and
    /// moves `at`.
    pub(super) fn frame(
        &mut self,
        rest: &mut [u8],
        at: &mut usize,
        rules: &Rules<'_>,
    ) -> Result<Read, ProtocolError> {
        let block = match *self {
            Self::Block(block) => Some(block),
            Self::Preface | Self::Head | Self::Data(_) | Self::Skip(_) => None,
        };
        let assembled = block.map_or(0, |block| block.assembled as usize);
        let frame = rest.get(assembled..).unwrap_or_default();
        let Some(head) = Head::decode(frame) else {
            check_first(frame, rules)?;
            return Ok(Read::Need {
                more: HEAD - frame.len(),
                begun: !frame.is_empty() || block.is_some(),
            });
        };
        payload::check(head, rules.frame, rules.limits.settings_entries)
            .and_then(|()| check_order(head, block.as_ref(), rules.is_greeted))
            .map_err(|fault| judge_stranger(fault, head, frame, rules))?;
        let end = HEAD + head.length as usize;
        match head.kind {
            Kind::Data => {
                *at += HEAD;
                return Ok(Read::Data(head));
            }
            Kind::Unknown(_) => {
                *at += HEAD;
                *self = Self::Skip(head.length);
                return Ok(Read::Dropped);
            }
            _ if frame.len() < end => {
                return Ok(Read::Need {
                    more: end - frame.len(),
                    begun: true,
                });
            }
            _ => {}
        }
        match (head.kind, block) {
            (Kind::Headers, _) => self.headers(head, rest, at),
            (Kind::Continuation, Some(block)) => {
                self.continuation(block, head, rest, at, rules.limits)
            }
            (Kind::Continuation, None) => Err(ProtocolError::UnexpectedContinuation),
            _ => {
                *at += end;
                Ok(Read::Control(head, HEAD..end))
            }
        }
    }

    /// HEADERS, all of it at the front of `rest`.
    fn headers(
        &mut self,
        head: Head,
        rest: &mut [u8],
        at: &mut usize,
    ) -> Result<Read, ProtocolError> {
        let end = HEAD + head.length as usize; // within `rest`: the frame is complete
        let (fragment, dependency) = payload::fragment(head, &rest[HEAD..end])?;
        let block = Block {
            stream: head.stream,
            end: head.has(frame::END_STREAM),
            dependency,
            assembled: fragment.len() as u32,
            frames: 0,
            skimmed: false,
        };
        let octets = HEAD + fragment.start..HEAD + fragment.end;
        if head.has(frame::END_HEADERS) {
            *at += end;
            *self = Self::Head;
            return Ok(Read::Block(block, octets));
        }
        // The fragment goes to the end of its frame, before the next.
        let to = end - fragment.len();
        rest.copy_within(octets, to);
        *at += to;
        *self = Self::Block(block);
        Ok(Read::Part(block, to..end))
    }

    fn continuation(
        &mut self,
        mut block: Block,
        head: Head,
        rest: &mut [u8],
        at: &mut usize,
        limits: &Limits,
    ) -> Result<Read, ProtocolError> {
        block.count(limits)?;
        // What is assembled goes up to the new fragment.
        let assembled = block.assembled as usize;
        rest.copy_within(..assembled, HEAD);
        block.assembled += head.length;
        // Within `rest`: the frame is complete.
        let end = HEAD + block.assembled as usize;
        if head.has(frame::END_HEADERS) {
            *at += end;
            *self = Self::Head;
            return Ok(Read::Block(block, HEAD..end));
        }
        *at += HEAD;
        *self = Self::Block(block);
        Ok(Read::Part(block, HEAD..end))
    }
}

/// Judges whether a frame may come here.
fn check_order(head: Head, block: Option<&Block>, is_greeted: bool) -> Result<(), ProtocolError> {
    if !is_greeted && (head.kind != Kind::Settings || head.has(frame::ACK)) {
        return Err(ProtocolError::FirstFrame);
    }
    match block {
        Some(block) if head.kind != Kind::Continuation || head.stream != block.stream => {
            Err(ProtocolError::BlockInterrupted)
        }
        None if head.kind == Kind::Continuation => Err(ProtocolError::UnexpectedContinuation),
        _ => Ok(()),
    }
}

/// A fault in a server's first octets: if it speaks another protocol, the length says nothing.
#[cold]
fn judge_stranger(
    fault: ProtocolError,
    head: Head,
    frame: &[u8],
    rules: &Rules<'_>,
) -> ProtocolError {
    match rules.role {
        Role::Client if rules.is_greeted => fault,
        Role::Client if frame.starts_with(b"HTTP/1.") => ProtocolError::Http1,
        Role::Client if frame.starts_with(TLS_ALERT) => ProtocolError::Tls,
        Role::Client if head.kind != Kind::Settings => ProtocolError::FirstFrame,
        Role::Client | Role::Server => fault,
    }
}

/// Judges a server's first octets: a frame that began like a TLS alert would be too long.
fn check_first(front: &[u8], rules: &Rules<'_>) -> Result<(), ProtocolError> {
    let is_first = !rules.is_greeted && rules.role == Role::Client;
    match is_first && front.starts_with(TLS_ALERT) {
        true => Err(ProtocolError::Tls),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests;
