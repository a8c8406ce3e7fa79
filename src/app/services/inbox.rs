//! The received part of a request's body.

use alloc::string::ToString;
use alloc::vec::Vec;
use core::ops::Range;

use super::codec::CallStatus;
use crate::app::exchange::session::SessionContext;
use crate::grpc::{self, Code, Limits, ProtocolError, Status};
use crate::link::Charge;
use crate::net::Context;
use crate::wire::Step;

/// The status that a violation ends a call with.
pub(in crate::app) fn broken(violation: ProtocolError) -> CallStatus {
    Status::new(violation.code(), violation.to_string()).into()
}

/// What has arrived of a body of exactly one message. It grows with what
/// arrives, up to the limit that each message's prefix is checked against.
#[derive(Debug, Default)]
pub(in crate::app) struct Inbox {
    bytes: Vec<u8>,
    charge: Charge,           // for `bytes`
    used: usize,              // <= bytes.len(); what lies before has been taken
    message: Option<Message>, // within `bytes`
}

#[derive(Debug)]
struct Message {
    range: Range<usize>,
    compressed: bool,
}

impl Inbox {
    /// Charges what arrives to the client of a context.
    pub(in crate::app) fn charge_to(&mut self, context: &mut Context<'_>) {
        if self.charge.account().is_none() {
            self.charge.move_to(context.account().as_ref());
        }
    }

    /// Takes a piece of the body.
    pub(in crate::app) fn push(
        &mut self,
        piece: &[u8],
        machine: &mut grpc::Call,
        limits: &Limits,
    ) -> Result<(), CallStatus> {
        append(&mut self.bytes, &mut self.charge, piece)?;
        let base = self.bytes.as_ptr().addr();
        loop {
            let rest = &mut self.bytes[self.used..];
            let left = rest.len();
            let received = machine.receive(rest, limits).map_err(broken)?;
            self.used += received.used; // at most what was given
            match received.step {
                Step::Event(_) if self.message.is_some() => {
                    return Err(miscounted(
                        "a unary request has one message, and this has more",
                    ));
                }
                Step::Event(message) => {
                    // It lies in `bytes`, which it borrows.
                    let start = message.bytes.as_ptr().addr() - base;
                    self.message = Some(Message {
                        range: start..start + message.bytes.len(),
                        compressed: message.compressed,
                    });
                }
                Step::Need(_) if (1..left).contains(&received.used) => {}
                Step::Need(_) | Step::Paused | Step::Full | Step::Done => return Ok(()),
            }
        }
    }

    /// Whether part of a message has been received.
    pub(in crate::app) fn is_part(&self) -> bool {
        self.used < self.bytes.len()
    }

    /// The message, now that the body has ended, and whether it is compressed.
    pub(in crate::app) fn end(
        &self,
        machine: &mut grpc::Call,
    ) -> Result<(&[u8], bool), CallStatus> {
        machine.receive_eof().map_err(broken)?;
        let message = self.message.as_ref().and_then(|message| {
            let bytes = self.bytes.get(message.range.clone())?;
            Some((bytes, message.compressed))
        });
        message.ok_or_else(|| miscounted("a unary request has one message, and this has none"))
    }
}

/// The wrong number of messages: UNIMPLEMENTED (gRPC status codes).
fn miscounted(message: &'static str) -> CallStatus {
    Status::new(Code::Unimplemented, message).into()
}

/// What has arrived of a body of messages and has not been looked at, because
/// it is part of one, or because the method is busy.
#[derive(Debug, Default)]
pub(in crate::app) struct Kept {
    bytes: Vec<u8>,
    charge: Charge, // for `bytes`
    used: usize,    // <= bytes.len()
}

impl Kept {
    pub(in crate::app) const fn new() -> Self {
        Self {
            bytes: Vec::new(),
            charge: Charge::NONE,
            used: 0,
        }
    }

    pub(in crate::app) fn is_empty(&self) -> bool {
        self.used == self.bytes.len()
    }

    /// Keeps a piece behind what is kept, charged to the client of a context.
    pub(in crate::app) fn push(
        &mut self,
        piece: &[u8],
        context: &mut Context<'_>,
    ) -> Result<(), CallStatus> {
        if piece.is_empty() {
            return Ok(());
        }
        if self.charge.account().is_none() {
            self.charge.move_to(context.account().as_ref());
        }
        // Moving what is kept costs less than what has been used.
        if self.used > self.bytes.len() / 2 {
            self.bytes.drain(..self.used);
            self.used = 0;
        }
        append(&mut self.bytes, &mut self.charge, piece)
    }

    /// What is kept.
    pub(in crate::app) fn rest(&mut self) -> &mut [u8] {
        self.bytes.get_mut(self.used..).unwrap_or_default()
    }

    /// Forgets bytes from the front.
    pub(in crate::app) fn advance(&mut self, used: usize) {
        self.used = self.bytes.len().min(self.used + used);
        if self.is_empty() {
            self.bytes.clear();
            self.used = 0;
            self.bytes = Vec::new();
            self.charge.set(0);
        }
    }
}

/// Appends a piece, if there is memory for it: RESOURCE_EXHAUSTED otherwise.
fn append(bytes: &mut Vec<u8>, charge: &mut Charge, piece: &[u8]) -> Result<(), CallStatus> {
    let len = bytes.len() + piece.len();
    if len > bytes.capacity() {
        let size = len.max(2 * bytes.capacity());
        charge
            .try_grow(size - charge.bytes().min(size))
            .map_err(|_| exhausted())?;
        bytes.reserve_exact(size - bytes.len());
        charge.set(bytes.capacity());
    }
    bytes.extend_from_slice(piece);
    Ok(())
}

/// There is no memory for what a call needs.
pub(in crate::app) fn exhausted() -> CallStatus {
    let message = "the server has no memory for this at the moment";
    Status::new(Code::ResourceExhausted, message).into()
}

/// Gives a message to `look`: inflated, if it came compressed.
pub(in crate::app) fn inflated<'c, R>(
    at: &mut SessionContext<'_, 'c>,
    limits: &Limits,
    (message, compressed): (&[u8], bool),
    look: impl FnOnce(&mut SessionContext<'_, 'c>, &[u8]) -> R,
) -> Result<R, CallStatus> {
    #[cfg(feature = "gzip")]
    if compressed {
        let scratch = &mut at.loop_state.scratch;
        let mut memory = core::mem::take(&mut scratch.message);
        memory.clear();
        let done = scratch.gzip.inflate(message, limits.message, &mut memory);
        let looked = done.map(|()| look(at, &memory)).map_err(broken);
        at.loop_state.scratch.message = memory;
        at.loop_state.scratch.shrink();
        return looked;
    }
    // Without an encoding the machine refuses what says that it is compressed.
    let _ = (limits, compressed);
    Ok(look(at, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Field, Fields, Method, RequestHead, Target, Version};
    use alloc::borrow::ToOwned;

    fn machine(content_type: &str) -> grpc::Call {
        let fields = [Field::new("content-type", content_type)];
        let target = Target::Origin {
            path: "/s/m",
            query: None,
        };
        grpc::Call::open(&RequestHead {
            method: Method::POST,
            target,
            version: Version::Http11,
            protocol: None,
            fields: Fields::new(&fields),
        })
        .unwrap()
    }

    /// A content type, a body, and what comes of it.
    type Case<'b> = (&'b str, &'b [u8], Result<&'b [u8], Code>);

    /// The message of a body that comes in these pieces, or how the call ends.
    fn judge(content_type: &str, pieces: &[&[u8]]) -> Result<Vec<u8>, Code> {
        let limits = Limits::DEFAULT.with_message(8);
        let (mut machine, mut inbox) = (machine(content_type), Inbox::default());
        let pushed = pieces
            .iter()
            .try_for_each(|piece| inbox.push(piece, &mut machine, &limits));
        let message = pushed.and_then(|()| inbox.end(&mut machine).map(|it| it.0.to_owned()));
        message.map_err(|status| status.code)
    }

    #[test]
    fn any_split_of_a_body_gives_the_same_message() {
        let (binary, text) = ("application/grpc-web", "application/grpc-web-text");
        let cases: [Case<'_>; 9] = [
            (binary, b"\0\0\0\0\x05hello", Ok(b"hello")),
            (binary, b"\0\0\0\0\0", Ok(b"")),
            (binary, b"", Err(Code::Unimplemented)),
            (
                binary,
                b"\0\0\0\0\x01a\0\0\0\0\x01b",
                Err(Code::Unimplemented),
            ),
            (binary, b"\0\0\0\0\x09", Err(Code::ResourceExhausted)),
            (binary, b"\0\0\0\0\x05hell", Err(Code::Internal)),
            (text, b"AAAAAAVoZWxsbw==", Ok(b"hello")),
            (text, b"AAAAAAU=aGVsbG8=", Ok(b"hello")),
            (text, b"AAAAAAVoZWxsbw==AAAAAAA=", Err(Code::Unimplemented)),
        ];
        for (content_type, body, expected) in cases {
            let expected = expected.map(<[u8]>::to_owned);
            assert_eq!(judge(content_type, &[body]), expected, "{body:?}");
            for a in 0..=body.len() {
                for b in a..=body.len() {
                    let pieces = [&body[..a], &body[a..b], &body[b..]];
                    assert_eq!(judge(content_type, &pieces), expected, "{pieces:?}");
                }
            }
            let bytes: Vec<&[u8]> = body.chunks(1).collect();
            assert_eq!(judge(content_type, &bytes), expected, "{body:?}");
        }
    }
}
