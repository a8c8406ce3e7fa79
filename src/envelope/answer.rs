//! The answers to a client.

use alloc::string::String;
use core::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::writer::{Writer, put_place, put_text};
use super::{Head, MessageType};
use crate::wire::json::put_string;

/// An answer of the server to a client.
///
/// ```
/// use barewire::envelope::{Answer, Head};
///
/// let head = Head { message_id: uuid::Uuid::nil(), unix_millis: 1_500, sender_id: None };
/// let mut out = String::new();
/// Answer::Unsubscribed { channel: "tea" }.write(&head, Some("7"), &mut out);
/// assert_eq!(out, concat!(
///     r#"{"message_id":"00000000-0000-0000-0000-000000000000","message_type":"text","#,
///     r#""payload":{"type":"unsubscribed","in_reply_to":"7","channel":"tea"},"#,
///     r#""timestamp":1.500,"sender_id":null}"#,
/// ));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer<'a> {
    /// It is a member of the channel. What it missed follows.
    Subscribed {
        /// The channel's name.
        channel: &'a str,
        /// The epoch and the offset of the channel, if it keeps history.
        place: Option<(&'a str, u64)>,
        /// Whether it gets all that it missed; `None` if it did not ask.
        recovered: Option<bool>,
        /// What others see as its `sender_id`.
        connection_id: &'a uuid::Uuid,
    },
    /// It is no member of the channel.
    Unsubscribed {
        /// The channel's name.
        channel: &'a str,
    },
    /// What it has said to a channel is on its way.
    Published {
        /// The channel's name.
        channel: &'a str,
        /// The epoch and the offset that it was given, if the channel keeps history.
        place: Option<(&'a str, u64)>,
    },
    /// It was too slow, and some of what was published was left out: between what it has got
    /// and what comes from now on. It answers nothing.
    Missed {
        /// The channel's name.
        channel: &'a str,
        /// How many publications.
        publications: u64,
    },
    /// It was not done.
    Error {
        /// The name of what is wrong.
        code: &'a str,
        /// The fault in words.
        text: &'a str,
    },
    /// The answer to a ping.
    Pong,
    /// Something of the application's.
    Message {
        /// The `type` of the payload.
        kind: &'a str,
        /// Its `data`: JSON.
        data: &'a str,
    },
    /// Bytes of the application's.
    Binary(&'a [u8]),
}

impl Answer<'_> {
    /// Appends it as an envelope. `in_reply_to` is the `message_id` of what it answers.
    pub fn write(&self, head: &Head, in_reply_to: Option<&str>, out: &mut String) {
        match *self {
            Self::Pong => {
                let pong = |out: &mut String| out.push_str(r#""pong""#);
                let writer = Writer::begin(out, head, MessageType::Pong, pong);
                match in_reply_to {
                    Some(name) => writer.text("in_reply_to", name).end(),
                    None => writer.end(),
                }
            }
            Self::Binary(bytes) => {
                let payload = |out: &mut String| put_base64(bytes, out);
                Writer::begin(out, head, MessageType::Binary, payload).end();
            }
            _ => {
                let payload = |out: &mut String| self.put(in_reply_to, out);
                Writer::begin(out, head, MessageType::Text, payload).end();
            }
        }
    }

    fn put(&self, in_reply_to: Option<&str>, out: &mut String) {
        let kind = match *self {
            Self::Subscribed { .. } => "subscribed",
            Self::Unsubscribed { .. } => "unsubscribed",
            Self::Published { .. } => "published",
            Self::Missed { .. } => "missed",
            Self::Message { kind, .. } => kind,
            Self::Error { .. } | Self::Pong | Self::Binary(_) => "error",
        };
        out.push_str(r#"{"type":"#);
        put_string(kind, out);
        match in_reply_to {
            Some(name) => put_text("in_reply_to", name, out),
            None => out.push_str(r#","in_reply_to":null"#),
        }
        match *self {
            Self::Subscribed {
                channel,
                place,
                recovered,
                connection_id,
            } => {
                put_text("channel", channel, out);
                put_place(place, out);
                // Writing to a String cannot fail.
                let _ = match recovered {
                    Some(recovered) => write!(out, r#","recovered":{recovered}"#),
                    None => out.write_str(r#","recovered":null"#),
                };
                let _ = write!(out, r#","connection_id":"{connection_id}""#);
            }
            Self::Unsubscribed { channel } => put_text("channel", channel, out),
            Self::Published { channel, place } => {
                put_text("channel", channel, out);
                put_place(place, out);
            }
            Self::Missed {
                channel,
                publications,
            } => {
                put_text("channel", channel, out);
                // Writing to a String cannot fail.
                let _ = write!(out, r#","publications":{publications}"#);
            }
            Self::Error { code, text } => {
                put_text("code", code, out);
                put_text("text", text, out);
            }
            Self::Message { data, .. } => {
                let _ = write!(out, r#","data":{data}"#);
            }
            Self::Pong | Self::Binary(_) => {}
        }
        out.push('}');
    }
}

/// Bytes in base64, as a string.
pub(super) fn put_base64(bytes: &[u8], out: &mut String) {
    out.push('"');
    out.push_str(&STANDARD.encode(bytes));
    out.push('"');
}
