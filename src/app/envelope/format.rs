//! Publications written as envelopes.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use uuid::Uuid;

use crate::app::channels::format::Format;
use crate::app::channels::publication::Publication;
use crate::envelope::{Head, Published};
use crate::websocket::Kind;

/// The version of notes. What has another one, or none, was not published by an envelope.
const VERSION: u8 = 1;

/// The note that a publication of an envelope keeps: who it is from, and its name.
///
/// ```text
///   version │ message_id, 16 bytes │ sender_id, 16 bytes, or none
/// ```
pub(super) struct Note {
    bytes: [u8; 33],
    length: usize,
}

impl Note {
    /// The note of something that comes from this connection, or from the server.
    pub(super) fn new(sender: Option<Uuid>) -> Self {
        let mut bytes = [VERSION; 33];
        let (name, of) = bytes[1..].split_at_mut(16);
        name.copy_from_slice(Uuid::new_v4().as_bytes());
        of.copy_from_slice(sender.unwrap_or_default().as_bytes());
        let length = if sender.is_some() { 33 } else { 17 };
        Self { bytes, length }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

fn read(note: &[u8]) -> Option<(Uuid, Option<Uuid>)> {
    let (name, sender) = note.strip_prefix(&[VERSION])?.split_first_chunk()?;
    let sender = match sender {
        [] => None,
        sender => Some(Uuid::from_slice(sender).ok()?),
    };
    Some((Uuid::from_bytes(*name), sender))
}

#[derive(Debug)]
pub(super) struct Envelopes {
    /// The beginning of channels' names, unknown to clients.
    pub(super) namespace: String,
}

impl Format for Envelopes {
    fn encode(&self, channel: &str, publication: &Publication, out: &mut Vec<u8>) -> Option<Kind> {
        let position = publication.position();
        let epoch = position.map(|it| it.epoch.to_string());
        let place = epoch.as_deref().zip(position.map(|it| it.offset));
        let note = read(publication.note());
        let (message_id, sender_id) = note.unwrap_or_else(|| (name(publication), None));
        let head = Head {
            message_id,
            unix_millis: publication.unix_millis(),
            sender_id,
        };
        let channel = channel.strip_prefix(&*self.namespace).unwrap_or(channel);
        let published = Published { channel, place };
        let mut text = String::new();
        match (publication.as_text(), note) {
            (Some(json), Some(_)) => published.write_json(&head, json, &mut text),
            (Some(notice), None) if publication.notice().is_some() => {
                // It names the channel as well.
                let full = [r#""channel":""#, &self.namespace].concat();
                let notice = notice.replacen(&full, r#""channel":""#, 1);
                published.write_json(&head, &notice, &mut text);
            }
            (Some(words), None) => published.write_text(&head, words, &mut text),
            (None, _) => published.write_binary(&head, publication.payload(), &mut text),
        }
        out.extend_from_slice(text.as_bytes());
        Some(Kind::Text)
    }
}

/// The name of a publication made in another way: made of its place, so that it stays the same
/// on recovery.
fn name(publication: &Publication) -> Uuid {
    let Some(position) = publication.position() else {
        return Uuid::new_v4();
    };
    let high = u128::from(position.epoch.number()) << 64;
    Uuid::new_v8((high | u128::from(position.offset)).to_be_bytes())
}

#[cfg(test)]
mod tests;
