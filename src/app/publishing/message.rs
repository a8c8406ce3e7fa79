//! Messages of WebSockets and rooms.

use alloc::{string::String, vec::Vec};

use bytes::{Bytes, BytesMut};

use crate::link;
use crate::sse;
use crate::websocket::Kind;

/// One WebSocket message: text or binary.
///
/// It borrows its payload, so that an echo copies nothing. The text that
/// arrives has been checked to be UTF-8 while it was received; [`as_text`]
/// looks at it once more to give it out as such.
///
/// ```
/// use barewire::app::Message;
///
/// assert_eq!(Message::text("hello").as_text(), Some("hello"));
/// assert_eq!(Message::binary(b"hello").as_text(), None);
/// ```
///
/// It borrows what it is made of: `socket.send("a text")`,
/// `socket.send(&format!("{name} is here"))`, `socket.send(&bytes[..])`.
///
/// [`as_text`]: Self::as_text
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    kind: Kind,
    payload: &'a [u8],
}

impl<'a> Message<'a> {
    /// A text message.
    #[inline]
    pub const fn text(text: &'a str) -> Self {
        Self {
            kind: Kind::Text,
            payload: text.as_bytes(),
        }
    }

    /// A binary message.
    #[inline]
    pub const fn binary(payload: &'a [u8]) -> Self {
        Self {
            kind: Kind::Binary,
            payload,
        }
    }

    /// A message as a connection reports it: text has been checked.
    #[inline]
    pub(crate) const fn received(kind: Kind, payload: &'a [u8]) -> Self {
        Self { kind, payload }
    }

    /// Whether it is text or binary.
    #[inline]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Its payload.
    #[inline]
    pub const fn payload(&self) -> &'a [u8] {
        self.payload
    }

    /// Its text; `None` if it is binary. Linear in its length.
    pub fn as_text(&self) -> Option<&'a str> {
        match self.kind {
            Kind::Text => crate::wire::simd::as_text(self.payload),
            Kind::Binary => None,
        }
    }
}

impl<'a> From<&'a str> for Message<'a> {
    fn from(text: &'a str) -> Self {
        Self::text(text)
    }
}

impl<'a> From<&'a [u8]> for Message<'a> {
    fn from(payload: &'a [u8]) -> Self {
        Self::binary(payload)
    }
}

impl<'a> From<&'a String> for Message<'a> {
    fn from(text: &'a String) -> Self {
        Self::text(text)
    }
}

impl<'a> From<&'a Vec<u8>> for Message<'a> {
    fn from(payload: &'a Vec<u8>) -> Self {
        Self::binary(payload)
    }
}

/// What is published to a room, whose members may speak different protocols.
///
/// | | to a WebSocket | to an event stream |
/// |---|---|---|
/// | text | as it is | as the data of an event |
/// | binary | as it is | not at all: event streams are text |
/// | event | its data as text | as it is |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoomMessage<'a> {
    /// A WebSocket message.
    Message(Message<'a>),
    /// An event.
    Event(sse::Event<'a>),
}

impl<'a> RoomMessage<'a> {
    /// The message encoded as a WebSocket frame.
    pub(crate) fn frame(&self) -> Option<Bytes> {
        let message = match *self {
            Self::Message(message) => message,
            Self::Event(event) => Message::text(event.data?),
        };
        Some(link::encode_message(message.kind, message.payload))
    }

    /// The message encoded as an event of a stream. An event that cannot be encoded was refused
    /// before it was published.
    pub(crate) fn event(&self) -> Option<Bytes> {
        let event = match *self {
            Self::Message(message) => sse::Event::new(message.as_text()?),
            Self::Event(event) => event,
        };
        encode_event(&event).ok()
    }
}

/// Whatever is a message can be posted.
impl<'a, M: Into<Message<'a>>> From<M> for RoomMessage<'a> {
    fn from(message: M) -> Self {
        Self::Message(message.into())
    }
}

impl<'a> From<sse::Event<'a>> for RoomMessage<'a> {
    fn from(event: sse::Event<'a>) -> Self {
        Self::Event(event)
    }
}

/// Bytes of the message in a frame that a server sends (RFC 6455 §5.2).
pub(crate) fn payload_len(frame: &[u8]) -> usize {
    let head = match frame.get(1) {
        Some(126) => 4,
        Some(127) => 10,
        Some(_) | None => 2,
    };
    frame.len().saturating_sub(head)
}

/// An event as a stream carries it.
pub(crate) fn encode_event(event: &sse::Event<'_>) -> Result<Bytes, sse::UsageError> {
    let mut block = BytesMut::with_capacity(event.encoded_len());
    event.encode(&mut block)?;
    Ok(block.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn a_post_is_encoded_for_each_protocol_as_far_as_that_can_carry_it() {
        let text = RoomMessage::from("a\nb");
        assert_eq!(text.frame().unwrap(), &b"\x81\x03a\nb"[..]);
        for length in [0, 3, 125, 126, 65_535, 65_536] {
            let frame = RoomMessage::from(&*vec![0; length]).frame().unwrap();
            assert_eq!(payload_len(&frame), length);
        }
        assert_eq!(text.event().unwrap(), &b"data: a\ndata: b\n\n"[..]);

        let binary = RoomMessage::from(&b"\xff"[..]);
        assert_eq!(binary.frame().unwrap(), &b"\x82\x01\xff"[..]);
        assert_eq!(binary.event(), None);

        let event = RoomMessage::from(sse::Event::new("x").event("note"));
        assert_eq!(event.frame().unwrap(), &b"\x81\x01x"[..]);
        assert_eq!(event.event().unwrap(), &b"event: note\ndata: x\n\n"[..]);
        assert_eq!(RoomMessage::from(sse::Event::EMPTY).frame(), None);
    }
}
