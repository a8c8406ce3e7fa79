//! A publication as it is kept and shared: in one piece of memory.
//!
//! ```text
//!   buffer:  note │ type of an event │ head of a frame │ payload
//!                                    └────── frame ─────────────┘
//! ```

use bytes::{BufMut, Bytes, BytesMut};

use super::position::{Epoch, Position};
use crate::websocket::{self, Kind};
use crate::wire::partly_shown;

/// Something that was published to a channel. Clones share its bytes.
#[derive(Clone)]
pub struct Publication {
    buffer: Bytes,
    /// 0 without history.
    offset: u64,
    epoch: Epoch,
    /// Milliseconds since 1970-01-01 00:00:00 UTC.
    unix_millis: u64,
    /// The number of the session that published it, or 0.
    publisher: u64,
    event_at: u32,
    frame_at: u32,
    payload_at: u32,
    kind: Kind,
    /// Its publisher is not to get it.
    is_excepted: bool,
    notice: Option<Notice>,
}

/// A notice of a channel about its members ([`ChannelOptions::notices`]).
///
/// [`ChannelOptions::notices`]: crate::app::ChannelOptions::notices
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// A user is there, or a session of none.
    Joined,
    /// It is gone.
    Left,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts<'a> {
    pub(crate) kind: Kind,
    pub(crate) payload: &'a [u8],
    pub(crate) note: &'a [u8],
    pub(crate) event: &'a str,
    pub(crate) publisher: u64,
    pub(crate) unix_millis: u64,
}

impl Publication {
    pub(crate) fn new(parts: &Parts<'_>) -> Option<Self> {
        const HEAD: usize = 10; // the longest of a frame that is not masked
        let Parts {
            kind,
            payload,
            note,
            event,
            publisher,
            unix_millis,
        } = *parts;
        let most = note.len() + event.len() + HEAD + payload.len();
        u32::try_from(most).ok()?;
        let mut buffer = BytesMut::with_capacity(most);
        buffer.put_slice(note);
        buffer.put_slice(event.as_bytes());
        let frame_at = buffer.len();
        websocket::encode_message(kind, payload, &mut buffer);
        let payload_at = buffer.len() - payload.len();
        Some(Self {
            offset: 0,
            epoch: Epoch::new(0),
            unix_millis,
            publisher,
            event_at: note.len() as u32,
            frame_at: frame_at as u32,
            payload_at: payload_at as u32,
            kind,
            is_excepted: false,
            notice: None,
            buffer: buffer.freeze(),
        })
    }

    /// A publication that has come from elsewhere, for a
    /// [`Backplane`](crate::app::Backplane). `None` if it is longer than 4 GiB, or its
    /// payload is a text and not UTF-8.
    ///
    /// `note` is what the publisher has kept with it ([`Post::note`](crate::app::Post::note)),
    /// `unix_millis` when it was published.
    pub fn from_elsewhere(
        kind: Kind,
        payload: &[u8],
        note: &[u8],
        unix_millis: u64,
    ) -> Option<Self> {
        if kind == Kind::Text && core::str::from_utf8(payload).is_err() {
            return None;
        }
        Self::new(&Parts {
            kind,
            payload,
            note,
            event: "",
            publisher: 0,
            unix_millis,
        })
    }

    /// Gives it its place in a history.
    #[must_use]
    pub const fn at(mut self, position: Position) -> Self {
        self.epoch = position.epoch;
        self.offset = position.offset;
        self
    }

    /// Keeps it from the session that publishes it.
    #[must_use]
    pub(crate) const fn excepting(mut self, is_excepted: bool) -> Self {
        self.is_excepted = is_excepted;
        self
    }

    /// The number of the session that published it and is not to get it.
    pub(crate) fn excepted(&self) -> Option<u64> {
        self.publisher().filter(|_| self.is_excepted)
    }

    #[must_use]
    pub(crate) const fn noticing(mut self, notice: Notice) -> Self {
        self.notice = Some(notice);
        self
    }

    /// The channel's notice about its members, if it is one.
    /// Its payload is JSON then: `{"event":"joined","channel":"tea","session":7,"user":"ann",
    /// "data":""}`, with `left` for [`Notice::Left`].
    pub const fn notice(&self) -> Option<Notice> {
        self.notice
    }

    /// Its place in the history of its channel; `None` where that keeps none.
    pub fn position(&self) -> Option<Position> {
        (self.offset > 0).then_some(Position::new(self.epoch, self.offset))
    }

    /// Its offset, or 0.
    #[cfg(test)]
    pub(crate) const fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether it is a text or binary.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The payload that was published.
    pub fn payload(&self) -> &[u8] {
        self.buffer
            .get(self.payload_at as usize..)
            .unwrap_or_default()
    }

    /// The text that was published; `None` if it is binary. Linear in its length.
    pub fn as_text(&self) -> Option<&str> {
        match self.kind {
            Kind::Text => crate::wire::simd::as_text(self.payload()),
            Kind::Binary => None,
        }
    }

    /// The note that the publisher has kept with it, by [`Post::note`](crate::app::Post::note).
    pub fn note(&self) -> &[u8] {
        self.buffer
            .get(..self.event_at as usize)
            .unwrap_or_default()
    }

    /// The type of the event that was published; empty if it was none, or had none.
    pub fn event_type(&self) -> &str {
        let range = self.event_at as usize..self.frame_at as usize;
        let event = self.buffer.get(range).unwrap_or_default();
        core::str::from_utf8(event).unwrap_or_default()
    }

    /// The number of the session that published it; `None` if it was none of this process.
    pub fn publisher(&self) -> Option<u64> {
        (self.publisher != 0).then_some(self.publisher)
    }

    /// When it was published, in milliseconds since 1970-01-01 00:00:00 UTC.
    pub const fn unix_millis(&self) -> u64 {
        self.unix_millis
    }

    pub(crate) fn frame(&self) -> Bytes {
        match self.frame_at {
            0 => self.buffer.clone(),
            from => self.buffer.slice(from as usize..),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.buffer.len()
    }
}

partly_shown!(it: Publication { position: it.position(), kind, bytes: it.payload().len() });

#[cfg(test)]
mod tests;
