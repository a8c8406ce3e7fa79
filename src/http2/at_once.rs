//! Responses that leave in whole, in one go.
//!
//! Most are small, and much like those before them: head and trailers are
//! known blocks, and the content is one frame within the windows. Then nothing
//! is left to be judged piece by piece.

use super::Connection;
use super::connection::Phase;
use super::cost::Parts;
use super::frame::{HEAD, Head, Kind, flag};
use super::state::State;
use crate::http::{Fields, ResponseHead, date::Date};
use crate::wire::{Role, Sink};

/// A response in whole.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer<'a> {
    pub(crate) head: ResponseHead<'a>,
    pub(crate) date: Option<&'a Date>,
    pub(crate) content: &'a [u8],
    /// What stands behind the content, whose length is not told then.
    pub(crate) trailers: Option<Fields<'a>>,
}

impl Connection {
    /// Sends a response to a request that is here in whole, if nothing stands
    /// in the way of sending all of it: what
    /// [`send_response`](Self::send_response), [`send_data`](Self::send_data)
    /// and [`send_end`](Self::send_end) would send, and the stream is over.
    /// Else it does nothing, says `false`, and these three are to be called.
    pub(crate) fn send_at_once(
        &mut self,
        id: u32,
        answer: &Answer<'_>,
        out: &mut impl Sink,
    ) -> bool {
        let Answer {
            head,
            date,
            content,
            trailers,
        } = *answer;
        let Some(stream) = self.streams.get(id) else {
            return false;
        };
        let is_due = self.role == Role::Server
            && self.phase == Phase::Open
            && stream.state == State::HalfClosedRemote
            && !stream.answered
            && !stream.head_only;
        let window = stream.send.open().min(self.send.open());
        let fits = !content.is_empty() && content.len() <= window.min(self.data_frame());
        // Of the others, some have no content.
        let is_usual = matches!(head.status.code(), 200..=203 | 400..=599);
        if !(is_due && fits && is_usual) {
            return false;
        }
        let changes = self.encoder.table().changes();
        let length = trailers.is_none().then_some(content.len() as u64);
        let parts = Parts {
            status: Some(head.status),
            fields: head.fields,
            length,
            date,
        };
        let list = self.peer.header_list;
        let Some(first) = self.known_blocks.octets_of(changes, &parts, list) else {
            return false;
        };
        let last = match trailers {
            None => &[][..],
            Some(fields) => {
                let parts = Parts {
                    status: None,
                    fields,
                    length: None,
                    date: None,
                };
                match self.known_blocks.octets_of(changes, &parts, list) {
                    Some(last) => last,
                    None => return false,
                }
            }
        };
        // Blocks that are remembered are far shorter than a frame may be.
        let octets = first.len() + content.len() + last.len() + 3 * HEAD;
        if out.room() < octets {
            return false;
        }
        let end = |is_last: bool| if is_last { flag::END_STREAM } else { 0 };
        let frame = |kind, flags, len| Head::new(kind, flags, id, len).encode();
        out.put(&frame(Kind::Headers, flag::END_HEADERS, first.len()));
        out.put(first);
        out.put(&frame(Kind::Data, end(last.is_empty()), content.len()));
        out.put(content);
        if !last.is_empty() {
            let flags = flag::END_HEADERS | flag::END_STREAM;
            out.put(&frame(Kind::Headers, flags, last.len()));
            out.put(last);
        }
        self.send.take(content.len());
        self.flood.sent();
        self.remove(id, false, self.heard);
        true
    }
}
