//! Complete responses that leave in one call.
//!
//! Most are small, and much like those before them: head and trailers are
//! known blocks, and the content is one frame within the windows. Then nothing
//! is left to be judged piece by piece.

use super::{Connection, Phase};
use crate::http::ResponseContent;
use crate::http2::cost::{Answer, Parts};
use crate::http2::frame;
use crate::http2::frame::{HEAD, Head, Kind};
use crate::http2::state::State;
use crate::wire::{Role, Sink, shortcut};

impl Connection {
    /// Sends a complete response to a completely received request in one call, if nothing
    /// stands in the way: as [`send_response`](Self::send_response),
    /// [`send_data`](Self::send_data) and [`send_end`](Self::send_end) would. Otherwise changes
    /// nothing and returns `false`.
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
        let is_due = shortcut!("http2_response")
            && self.role == Role::Server
            && self.phase == Phase::Open
            && stream.state == State::HalfClosedRemote
            && !stream.answered
            && ResponseContent::to(stream.asks, head.status).may_follow;
        let (window, peer) = (
            stream.send.open().min(self.flow.open()),
            self.settings.peer(),
        );
        let fits = !content.is_empty() && content.len() <= window.min(peer.data_frame());
        if !(is_due && fits) {
            return false;
        }
        let length = trailers.is_none().then_some(content.len() as u64);
        let parts = Parts {
            status: Some(head.status),
            fields: head.fields,
            length,
            date,
        };
        let list = peer.header_list;
        let Some(first) = self.encoding.known(&parts, list) else {
            return false;
        };
        let last = match trailers {
            None => &[][..],
            Some(fields) => {
                let parts = Parts::new(None, fields);
                match self.encoding.known(&parts, list) {
                    Some(last) => last,
                    None => return false,
                }
            }
        };
        // Blocks that are remembered are far shorter than a frame may be, so that each
        // needs one frame.
        let octets = first.len() + content.len() + last.len() + 3 * HEAD;
        if out.room() < octets {
            return false;
        }
        let end = |is_last: bool| if is_last { frame::END_STREAM } else { 0 };
        let frame = |kind, flags, len| Head::new(kind, flags, id, len).encode();
        out.put(&frame(Kind::Headers, frame::END_HEADERS, first.len()));
        out.put(first);
        out.put(&frame(Kind::Data, end(last.is_empty()), content.len()));
        out.put(content);
        if !last.is_empty() {
            let flags = frame::END_HEADERS | frame::END_STREAM;
            out.put(&frame(Kind::Headers, flags, last.len()));
            out.put(last);
        }
        self.flow.sent(content.len());
        self.flood.sent();
        self.remove(id, false, self.clock.heard());
        true
    }
}

#[cfg(test)]
mod tests;
