//! Envelopes as they are written.

use alloc::string::String;
use core::fmt::Write as _;

use uuid::Uuid;

use super::MessageType;
use crate::wire::json::put_string;

/// Members that every envelope begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// A name that no other message has.
    pub message_id: Uuid,
    /// Milliseconds since 1970-01-01 00:00:00 UTC.
    pub unix_millis: u64,
    /// The connection that it comes from; `None` if it is the server's own.
    pub sender_id: Option<Uuid>,
}

/// An envelope that is being written.
pub(super) struct Writer<'o> {
    out: &'o mut String,
}

impl<'o> Writer<'o> {
    /// Begins an envelope with what `payload` writes: JSON.
    pub(super) fn begin(
        out: &'o mut String,
        head: &Head,
        message_type: MessageType,
        payload: impl FnOnce(&mut String),
    ) -> Self {
        let Head {
            message_id,
            unix_millis,
            sender_id,
        } = head;
        // Writing to a String cannot fail.
        let _ = write!(
            out,
            r#"{{"message_id":"{message_id}","message_type":"{}","payload":"#,
            message_type.as_str()
        );
        payload(out);
        let (seconds, millis) = (unix_millis / 1000, unix_millis % 1000);
        let _ = write!(out, r#","timestamp":{seconds}.{millis:03},"sender_id":"#);
        let _ = match sender_id {
            Some(sender) => write!(out, r#""{sender}""#),
            None => out.write_str("null"),
        };
        Self { out }
    }

    pub(super) fn text(self, name: &str, text: &str) -> Self {
        put_text(name, text, self.out);
        self
    }

    /// Where a channel is.
    pub(super) fn place(self, place: Option<(&str, u64)>) -> Self {
        put_place(place, self.out);
        self
    }

    pub(super) fn end(self) {
        self.out.push('}');
    }
}

/// A member that is a text, behind others.
pub(super) fn put_text(name: &str, text: &str, out: &mut String) {
    let _ = write!(out, r#","{name}":"#);
    put_string(text, out);
}

/// Where a channel is, as two members behind others.
pub(super) fn put_place(place: Option<(&str, u64)>, out: &mut String) {
    if let Some((epoch, offset)) = place {
        let _ = write!(out, r#","offset":{offset}"#);
        put_text("epoch", epoch, out);
    }
}
