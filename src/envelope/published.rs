//! The envelope of a publication, as members get it.

use alloc::string::String;

use super::answer::put_base64;
use super::writer::Writer;
use super::{Head, MessageType};
use crate::wire::json::put_string;

/// A publication, as a member reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published<'a> {
    /// The channel's name.
    pub channel: &'a str,
    /// Its epoch, and the offset of the publication, if it keeps history.
    pub place: Option<(&'a str, u64)>,
}

impl Published<'_> {
    /// Appends an envelope with JSON as its payload.
    pub fn write_json(&self, head: &Head, json: &str, out: &mut String) {
        self.write(head, MessageType::Text, |out| out.push_str(json), out);
    }

    /// Appends an envelope with a text as its payload. One that is an array or an object of
    /// JSON is that.
    pub fn write_text(&self, head: &Head, text: &str, out: &mut String) {
        let is_json = text.starts_with(['{', '['])
            && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
        match is_json {
            true => self.write_json(head, text, out),
            false => self.write(head, MessageType::Text, |out| put_string(text, out), out),
        }
    }

    /// Appends an envelope with bytes as its payload, in base64.
    pub fn write_binary(&self, head: &Head, bytes: &[u8], out: &mut String) {
        self.write(head, MessageType::Binary, |out| put_base64(bytes, out), out);
    }

    fn write(
        &self,
        head: &Head,
        message_type: MessageType,
        payload: impl FnOnce(&mut String),
        out: &mut String,
    ) {
        let writer = Writer::begin(out, head, message_type, payload);
        writer.text("channel", self.channel).place(self.place).end();
    }
}
