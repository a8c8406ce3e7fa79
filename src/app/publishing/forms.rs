//! A publication as its members read it, made once for all loops.

use alloc::{string::ToString, sync::Arc, vec::Vec};
use std::sync::{Mutex, OnceLock, PoisonError};

use bytes::Bytes;

use super::message::encode_event;
use crate::app::channels::cursor::Cursor;
use crate::app::channels::format::Format;
use crate::app::channels::publication::Publication;
use crate::link;
use crate::net::PackedFrames;
use crate::sse;
use crate::websocket::Kind;
use crate::wire::partly_shown;

/// The forms of one publication that somebody has asked for.
#[derive(Debug)]
pub(crate) struct Forms {
    channel: Arc<str>,
    /// As an event without an id, and with that of a stream of this channel alone.
    event: OnceLock<Option<Bytes>>,
    named_event: OnceLock<Option<Bytes>>,
    formatted: Mutex<Vec<Arc<Formatted>>>,
}

pub(crate) struct Formatted {
    format: Arc<dyn Format>,
    /// The message as a frame, unless the format has none for it.
    pub(crate) frame: Option<Bytes>,
    pub(crate) packed: PackedFrames,
}

partly_shown!(it: Formatted { frame });

impl Formatted {
    pub(crate) fn is_of(&self, format: &Arc<dyn Format>) -> bool {
        Arc::ptr_eq(&self.format, format)
    }
}

impl Forms {
    pub(super) fn new(channel: Arc<str>) -> Self {
        Self {
            channel,
            event: OnceLock::new(),
            named_event: OnceLock::new(),
            formatted: Mutex::default(),
        }
    }

    /// The event without an id, for streams that say themselves where they are; `None` if
    /// it is binary.
    pub(crate) fn event(&self, publication: &Publication) -> Option<&Bytes> {
        let encode = || encode(publication, None);
        self.event.get_or_init(encode).as_ref()
    }

    /// The event with the id of a stream that is in this channel alone.
    pub(crate) fn named_event(&self, publication: &Publication) -> Option<&Bytes> {
        let Some(position) = publication.position() else {
            return self.event(publication);
        };
        let encode = || encode(publication, Some(&Cursor::of(position).to_string()));
        self.named_event.get_or_init(encode).as_ref()
    }

    pub(crate) fn formatted(
        &self,
        format: &Arc<dyn Format>,
        publication: &Publication,
    ) -> Arc<Formatted> {
        // A format that panics has added nothing.
        let mut formatted = self
            .formatted
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = formatted.iter().find(|it| it.is_of(format)) {
            return found.clone();
        }
        let mut text = Vec::new();
        let kind = format.encode(&self.channel, publication, &mut text);
        let frame = kind.map(|kind| {
            let kind = match core::str::from_utf8(&text) {
                Ok(_) => kind,
                Err(_) => Kind::Binary,
            };
            link::encode_message(kind, &text)
        });
        let made = Arc::new(Formatted {
            format: format.clone(),
            frame,
            packed: PackedFrames::default(),
        });
        formatted.push(made.clone());
        made
    }
}

fn encode(publication: &Publication, id: Option<&str>) -> Option<Bytes> {
    let mut event = sse::Event::new(publication.as_text()?);
    let kind = publication.event_type();
    if !kind.is_empty() {
        event = event.event(kind);
    }
    if let Some(id) = id {
        event = event.id(id);
    }
    encode_event(&event).ok() // its type has been checked
}
