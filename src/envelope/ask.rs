//! Envelopes as a client writes them.

use alloc::string::String;

use super::writer::{Writer, put_place, put_text};
use super::{Head, MessageType};
use crate::wire::json::put_string;

/// A message of a client, to be written.
///
/// ```
/// use barewire::envelope::{Ask, EnvelopeLimits, Head, Request, Want};
///
/// let head = Head { message_id: uuid::Uuid::nil(), unix_millis: 0, sender_id: None };
/// let mut out = String::new();
/// Ask::Unsubscribe { channel: "tea" }.write(&head, &mut out);
/// let read = Request::parse(out.as_bytes(), &EnvelopeLimits::DEFAULT)?;
/// assert_eq!(read.want, Want::Unsubscribe { channel: "tea".into() });
/// # Ok::<(), barewire::envelope::Fault>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ask<'a> {
    /// To be a member of a channel.
    Subscribe {
        /// Its name.
        channel: &'a str,
        /// The epoch and the offset behind which something may have been missed.
        since: Option<(&'a str, u64)>,
    },
    /// To be a member no more.
    Unsubscribe {
        /// The channel's name.
        channel: &'a str,
    },
    /// To tell all others of a channel.
    Broadcast {
        /// Its name.
        channel: &'a str,
        /// JSON.
        data: &'a str,
    },
    /// Something of the application's.
    Message {
        /// The `type` of the payload.
        kind: &'a str,
        /// Its `data`: JSON.
        data: &'a str,
    },
    /// Bytes of the application's.
    Binary(&'a [u8]),
    /// To be answered with a pong.
    Ping,
}

impl Ask<'_> {
    /// Appends it as an envelope.
    pub fn write(&self, head: &Head, out: &mut String) {
        let message_type = match self {
            Self::Binary(_) => MessageType::Binary,
            Self::Ping => MessageType::Ping,
            _ => MessageType::Text,
        };
        Writer::begin(out, head, message_type, |out| self.put(out)).end();
    }

    fn put(&self, out: &mut String) {
        let kind = match *self {
            Self::Subscribe { .. } => "subscribe",
            Self::Unsubscribe { .. } => "unsubscribe",
            Self::Broadcast { .. } => "broadcast",
            Self::Message { kind, .. } => kind,
            Self::Binary(bytes) => return super::answer::put_base64(bytes, out),
            Self::Ping => return out.push_str("null"),
        };
        out.push_str(r#"{"type":"#);
        put_string(kind, out);
        match *self {
            Self::Subscribe { channel, since } => {
                put_text("channel", channel, out);
                put_place(since, out);
            }
            Self::Unsubscribe { channel } => put_text("channel", channel, out),
            Self::Broadcast { channel, data } => {
                put_text("channel", channel, out);
                out.push_str(r#","data":"#);
                out.push_str(data);
            }
            Self::Message { data, .. } => {
                out.push_str(r#","data":"#);
                out.push_str(data);
            }
            Self::Binary(_) | Self::Ping => {}
        }
        out.push('}');
    }
}
