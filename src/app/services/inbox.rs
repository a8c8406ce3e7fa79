//! The received part of a request's body.

use alloc::string::ToString;

use super::codec::CallStatus;
use crate::app::exchange::session::SessionContext;
use crate::grpc::{self, Code, Limits, MessagePlace, ProtocolError, Status};
use crate::link::DrainBuffer;
use crate::net::Context;
use crate::wire::Step;

/// The status that a violation ends a call with.
pub(super) fn broken(violation: ProtocolError) -> CallStatus {
    Status::new(violation.code(), violation.to_string()).into()
}

/// What has arrived of a body of exactly one message. It grows with what
/// arrives, up to the limit that each message's prefix is checked against.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    body: DrainBuffer,
    looked: usize,                 // <= body.len(): what the machine has used
    message: Option<MessagePlace>, // within `body`
}

impl Inbox {
    /// Charges what arrives to the client of a context.
    pub(super) fn charge_to(&mut self, context: &mut Context<'_>) {
        charge(&mut self.body, context);
    }

    /// Takes a piece of the body.
    pub(super) fn push(
        &mut self,
        piece: &[u8],
        machine: &mut grpc::Call,
        limits: &Limits,
    ) -> Result<(), CallStatus> {
        self.body.try_push(piece).map_err(|_| exhausted())?;
        loop {
            let all = self.body.unused_mut();
            let rest = all.get_mut(self.looked..).unwrap_or_default();
            let left = rest.len();
            let received = machine.locate(rest, limits).map_err(broken)?;
            let from = self.looked;
            self.looked += received.used; // at most what was given
            match received.step {
                Step::Event(_) if self.message.is_some() => {
                    return Err(miscounted(
                        "a unary request has one message, and this has more",
                    ));
                }
                Step::Event(message) => self.message = Some(message.behind(from)),
                Step::Need(_) if (1..left).contains(&received.used) => {}
                Step::Need(_) | Step::Paused | Step::Full | Step::Done => return Ok(()),
            }
        }
    }

    /// Whether part of a message has been received, and not all of it.
    pub(super) const fn is_part(&self) -> bool {
        self.looked < self.body.len()
    }

    /// The message, now that the body has ended, and whether it is compressed.
    pub(super) fn end(&self, machine: &mut grpc::Call) -> Result<(&[u8], bool), CallStatus> {
        machine.receive_eof().map_err(broken)?;
        let message = self.message.as_ref().and_then(|message| {
            let bytes = self.body.unused().get(message.at.clone())?;
            Some((bytes, message.compressed))
        });
        message.ok_or_else(|| miscounted("a unary request has one message, and this has none"))
    }
}

/// The wrong number of messages: UNIMPLEMENTED (gRPC status codes).
fn miscounted(message: &'static str) -> CallStatus {
    Status::new(Code::Unimplemented, message).into()
}

/// Has what arrives charged to the client of a context.
pub(in crate::app) fn charge(kept: &mut DrainBuffer, context: &mut Context<'_>) {
    if !kept.is_charged() {
        kept.charge_to(context.account().as_ref());
    }
}

/// There is no memory for what a call needs.
pub(super) fn exhausted() -> CallStatus {
    let message = "the server has no memory for this at the moment";
    Status::new(Code::ResourceExhausted, message).into()
}

/// Gives a message to `look`: inflated, if it came compressed.
pub(super) fn inflated<'c, R>(
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
    use alloc::vec::Vec;

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
