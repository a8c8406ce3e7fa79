//! Messages of the server, as an application is told of them.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use crate::client::Position;
use crate::envelope::{ErrorCode, MessageType, Received, ReceivedAnswer};

/// A message: one that was published to a channel, or one for this client alone.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct EnvelopeMessage {
    /// Its name, which no other message has.
    pub message_id: Option<String>,
    /// Its type.
    pub message_type: MessageType,
    /// The channel; `None` if it is for this client alone.
    pub channel: Option<String>,
    /// Its place in the channel, if that keeps history.
    pub position: Option<Position>,
    /// The connection that it comes from; `None` if it is the server's own.
    pub sender_id: Option<String>,
    /// Seconds since 1970-01-01 00:00:00 UTC.
    pub timestamp: Option<f64>,
    /// The `message_id` of what it answers.
    pub in_reply_to: Option<String>,
    kind: Option<String>,
    json: String,
    bytes: Option<Vec<u8>>,
}

impl EnvelopeMessage {
    /// A message; an answer of the application's own is one with the answer's data.
    pub(super) fn new(received: &Received<'_>, answer: Option<ReceivedAnswer<'_>>) -> Self {
        let text = |it: &Option<Cow<'_, str>>| it.as_deref().map(String::from);
        let (kind, json, in_reply_to) = match answer {
            Some(it) => (
                Some(it.kind.into_owned()),
                it.data.into(),
                text(&it.in_reply_to),
            ),
            None => {
                let kind = received.kind().map(Cow::into_owned);
                (kind, received.payload.into(), text(&received.in_reply_to))
            }
        };
        Self {
            message_id: text(&received.message_id),
            message_type: received.message_type,
            channel: text(&received.channel),
            position: position(&received.place),
            sender_id: text(&received.sender_id),
            timestamp: received.timestamp,
            in_reply_to,
            kind,
            json,
            bytes: received.bytes(),
        }
    }

    /// The `type` of its payload, which chooses a handler.
    pub fn kind(&self) -> Option<&str> {
        self.kind.as_deref()
    }

    /// The broadcast, as it was written, or the data of a message for this client
    /// alone: JSON.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// The JSON as a value.
    ///
    /// # Errors
    /// Those of serde: it is another value.
    pub fn data<T: serde::de::DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.json)
    }

    /// The bytes of a binary one.
    pub fn bytes(&self) -> Option<&[u8]> {
        self.bytes.as_deref()
    }
}

pub(super) fn position(place: &Option<(Cow<'_, str>, u64)>) -> Option<Position> {
    let (epoch, offset) = place.as_ref()?;
    Some(Position {
        epoch: epoch.as_ref().into(),
        offset: *offset,
    })
}

/// A broadcast of this client is on its way to the others.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EnvelopePublished {
    /// The channel.
    pub channel: String,
    /// Its place there, if the channel keeps history.
    pub position: Option<Position>,
    /// The [`message_id`](super::EnvelopeSent::message_id) of the broadcast. `None` if its
    /// answer was lost with a connection: that it was published came out by recovering.
    pub in_reply_to: Option<String>,
}

/// Something was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {text}")]
#[non_exhaustive]
pub struct EnvelopeRefusal {
    /// The name of what is wrong: one of [`ErrorCode`]'s, or of the application's own.
    pub code: String,
    /// The fault in words.
    pub text: String,
    /// The `message_id` of what was refused.
    pub in_reply_to: Option<String>,
    /// The channel that it was to be subscribed to: it is not now.
    pub channel: Option<String>,
}

impl EnvelopeRefusal {
    /// The code, if it is one of the server's own.
    pub fn known(&self) -> Option<ErrorCode> {
        ErrorCode::parse(&self.code)
    }
}
