//! A message before it is published to a channel.

use bytes::Bytes;

use super::message::{Message, encode_event};
use crate::app::channels::publication::{Parts, Publication};
use crate::link;
use crate::sse;
use crate::wire::builder;

/// A message to be published to a channel, whose members may speak different protocols.
///
/// | | to a WebSocket | to an event stream |
/// |---|---|---|
/// | text | as it is | as the data of an event |
/// | binary | as it is | not at all: event streams are text |
/// | event | its data as text | as it is; its id is the channel's where that keeps history |
///
/// Whatever is a [`Message`] can be published, and so can an [event](sse::Event).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Post<'a> {
    content: Content<'a>,
    note: &'a [u8],
    pub(crate) token: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content<'a> {
    Message(Message<'a>),
    Event(sse::Event<'a>),
}

impl<'a> Post<'a> {
    /// A message, or an event.
    pub fn new(content: impl Into<Self>) -> Self {
        content.into()
    }

    builder! {
        /// Keeps some bytes with it that are no part of what is published, for the
        /// [`Format`](crate::app::Format) or the object of its members
        /// ([`Publication::note`](crate::app::Publication::note)): who it is from, say.
        const fn note(note: &'a [u8]) => note = note;

        /// Names it for the case that the answer comes later
        /// ([`Published::Later`](crate::app::Published::Later)).
        const fn token(token: u32) => token = token;
    }

    pub(super) fn of(publication: &'a Publication, token: u32) -> Self {
        let event = publication.event_type();
        let message = Message::received(publication.kind(), publication.payload());
        let content = match message.as_text() {
            Some(text) if !event.is_empty() => Content::Event(sse::Event::new(text).event(event)),
            Some(_) | None => Content::Message(message),
        };
        Self {
            content,
            note: publication.note(),
            token,
        }
    }

    pub(crate) fn frame(&self) -> Option<Bytes> {
        let message = self.message()?;
        Some(link::encode_message(message.kind(), message.payload()))
    }

    pub(crate) fn event(&self) -> Option<Bytes> {
        let event = match self.content {
            Content::Message(message) => sse::Event::new(message.as_text()?),
            Content::Event(event) => event,
        };
        encode_event(&event).ok()
    }

    fn message(&self) -> Option<Message<'a>> {
        match self.content {
            Content::Message(message) => Some(message),
            Content::Event(event) => Some(Message::text(event.data?)),
        }
    }

    /// The post as one publication; `None` if it has no data, or cannot be sent.
    pub(crate) fn publication(&self, publisher: u64, unix_millis: u64) -> Option<Publication> {
        let message = self.message()?;
        let event = match self.content {
            Content::Message(_) => "",
            Content::Event(event) => event.event.unwrap_or_default(),
        };
        if event.bytes().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
            return None;
        }
        Publication::new(&Parts {
            kind: message.kind(),
            payload: message.payload(),
            note: self.note,
            event,
            publisher,
            unix_millis,
        })
    }
}

impl<'a, M: Into<Message<'a>>> From<M> for Post<'a> {
    fn from(message: M) -> Self {
        Self {
            content: Content::Message(message.into()),
            note: &[],
            token: 0,
        }
    }
}

impl<'a> From<sse::Event<'a>> for Post<'a> {
    fn from(event: sse::Event<'a>) -> Self {
        Self {
            content: Content::Event(event),
            note: &[],
            token: 0,
        }
    }
}

#[cfg(test)]
mod tests;
