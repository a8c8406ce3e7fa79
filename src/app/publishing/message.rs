//! Messages of WebSockets, and events as streams carry them.

use alloc::{string::String, vec::Vec};

use bytes::{Bytes, BytesMut};

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

impl<'a, const N: usize> From<&'a [u8; N]> for Message<'a> {
    fn from(payload: &'a [u8; N]) -> Self {
        Self::binary(payload)
    }
}

impl<'a> From<&'a Bytes> for Message<'a> {
    fn from(payload: &'a Bytes) -> Self {
        Self::binary(payload)
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

pub(crate) fn encode_event(event: &sse::Event<'_>) -> Result<Bytes, sse::UsageError> {
    let mut block = BytesMut::with_capacity(event.encoded_len());
    event.encode(&mut block)?;
    Ok(block.freeze())
}
