//! Envelopes as a client reads them.

use alloc::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::MessageType;
use crate::wire::json::{given, is_deeper, members, string};

/// A message of the server, as a client reads it.
///
/// ```
/// use barewire::envelope::Received;
///
/// let text = r#"{"message_id": "9", "message_type": "text", "payload": [1.0],
///     "timestamp": 7.25, "sender_id": "a", "channel": "tea", "epoch": "e", "offset": 4}"#;
/// let message = Received::parse(text).unwrap();
/// assert_eq!(message.payload, "[1.0]");
/// assert_eq!(message.timestamp, Some(7.25));
/// assert_eq!(message.place.unwrap().1, 4);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Received<'a> {
    /// Its name.
    pub message_id: Option<Cow<'a, str>>,
    /// Its type.
    pub message_type: MessageType,
    /// JSON; `null` if there was none.
    pub payload: &'a str,
    /// Seconds since 1970-01-01 00:00:00 UTC.
    pub timestamp: Option<f64>,
    /// The connection that it comes from; `None` if it is the server's own.
    pub sender_id: Option<Cow<'a, str>>,
    /// The channel to which it was published; `None` if it was not.
    pub channel: Option<Cow<'a, str>>,
    /// The epoch of the channel, and the offset of the publication.
    pub place: Option<(Cow<'a, str>, u64)>,
    /// The `message_id` of what a pong answers.
    pub in_reply_to: Option<Cow<'a, str>>,
}

/// An answer of the server itself.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceivedAnswer<'a> {
    /// Its `type`: `subscribed`, `unsubscribed`, `published`, `error`, or one of the
    /// application's.
    pub kind: Cow<'a, str>,
    /// The `message_id` of what it answers.
    pub in_reply_to: Option<Cow<'a, str>>,
    /// The channel's name; empty in other answers.
    pub channel: Cow<'a, str>,
    /// The epoch and an offset of the channel.
    pub place: Option<(Cow<'a, str>, u64)>,
    /// Whether nothing is missing.
    pub recovered: Option<bool>,
    /// What others see as the client's `sender_id`.
    pub connection_id: Option<Cow<'a, str>>,
    /// The code of an error; empty in other answers.
    pub code: Cow<'a, str>,
    /// The text of an error; empty in other answers.
    pub text: Cow<'a, str>,
    /// JSON of the application's; `null` if there is none.
    pub data: &'a str,
}

impl<'a> Received<'a> {
    /// Arrays and objects nested deeper than this are not read.
    const NESTING: usize = 128;

    /// Reads a message; `None` if it is no envelope.
    pub fn parse(text: &'a str) -> Option<Self> {
        if is_deeper(text, Self::NESTING) {
            return None;
        }
        let names = [
            "message_id",
            "message_type",
            "payload",
            "timestamp",
            "sender_id",
            "channel",
            "epoch",
            "offset",
            "in_reply_to",
        ];
        let [
            message_id,
            message_type,
            payload,
            timestamp,
            sender_id,
            channel,
            epoch,
            offset,
            in_reply_to,
        ] = members(text, names).ok()?;
        Some(Self {
            message_id: message_id.and_then(string),
            message_type: MessageType::parse(&string(message_type?)?)?,
            payload: payload.unwrap_or("null"),
            timestamp: timestamp.and_then(|it| it.parse().ok()),
            sender_id: sender_id.and_then(string),
            channel: channel.and_then(string),
            place: place(epoch, offset),
            in_reply_to: in_reply_to.and_then(string),
        })
    }

    /// The answer that it is; `None` if it was published to a channel, or has no payload
    /// with a type.
    pub fn answer(&self) -> Option<ReceivedAnswer<'a>> {
        if self.channel.is_some() || self.message_type != MessageType::Text {
            return None;
        }
        let names = [
            "type",
            "in_reply_to",
            "channel",
            "epoch",
            "offset",
            "recovered",
            "connection_id",
            "code",
            "text",
            "data",
        ];
        let [
            kind,
            in_reply_to,
            channel,
            epoch,
            offset,
            recovered,
            connection_id,
            code,
            words,
            data,
        ] = members(self.payload, names).ok()?;
        let text = |member: Option<&'a str>| member.and_then(string).unwrap_or_default();
        Some(ReceivedAnswer {
            kind: string(kind?)?,
            in_reply_to: in_reply_to.and_then(string),
            channel: text(channel),
            place: place(epoch, offset),
            recovered: given(recovered).and_then(|it| it.parse().ok()),
            connection_id: connection_id.and_then(string),
            code: text(code),
            text: text(words),
            data: data.unwrap_or("null"),
        })
    }

    /// The `type` of its payload.
    pub fn kind(&self) -> Option<Cow<'a, str>> {
        let [kind] = members(self.payload, ["type"]).ok()?;
        string(kind?)
    }

    /// The bytes of a binary one.
    pub fn bytes(&self) -> Option<alloc::vec::Vec<u8>> {
        let text = string(self.payload)?;
        let bytes = STANDARD.decode(&*text);
        bytes
            .ok()
            .filter(|_| self.message_type == MessageType::Binary)
    }
}

/// Where a channel is, if both members are there.
fn place<'a>(epoch: Option<&'a str>, offset: Option<&'a str>) -> Option<(Cow<'a, str>, u64)> {
    Some((string(epoch?)?, offset?.parse().ok()?))
}
