//! Content that is handed over in whole.

use bytes::Bytes;

use super::state::Multiplex;
use super::stream::Intake;
use crate::http::{Fields, ResponseHead, date::Date};
use crate::http2;
use crate::link::Body;
use crate::link::outbox::{Bounded, Outbox};
use crate::wire::{Instant, Sink};

/// A frame's head.
const HEAD: usize = 9;

impl Multiplex {
    /// Sends a response in whole, if it is small, and nothing stands in its
    /// way; whether it did.
    pub(super) fn respond_at_once(
        &mut self,
        id: u32,
        head: &ResponseHead<'_>,
        body: &Body<'_>,
        date: Option<&Date>,
        out: &mut impl Sink,
    ) -> bool {
        let (content, trailers) = match *body {
            Body::Whole(bytes) => (bytes, None),
            Body::Trailed { bytes, trailers } => (bytes, Some(trailers)),
            Body::Shared(_) | Body::Streamed { .. } => return false,
        };
        let Some(stream) = self.streams.get_mut(id) else {
            return false;
        };
        let goes_on = stream.gone.is_none() && !stream.end_reported;
        let octets = content.len() + HEAD;
        if !goes_on || octets > self.room {
            return false;
        }
        let head = *head;
        let answer = http2::Answer {
            head,
            date,
            content,
            trailers,
        };
        if !self.machine.send_at_once(id, &answer, out) {
            return false;
        }
        self.room -= octets;
        (stream.owes, stream.finished) = (false, true);
        stream.due = Instant::NEVER;
        (stream.intake, stream.kept) = (Intake::Discarded, None);
        if !core::mem::replace(&mut stream.over, true) {
            self.over.push(id);
        }
        true
    }

    /// Sends all of a message's content; what is not taken waits.
    pub(super) fn put_whole(&mut self, id: u32, bytes: &[u8], now: Instant, out: &mut impl Sink) {
        let taken = match bytes {
            [] => Ok(0), // the head has said so
            bytes => {
                let room = self.room;
                let mut bounded = Bounded { out, room };
                let taken = self.machine.send_data(id, bytes, true, now, &mut bounded);
                self.room = bounded.room;
                taken
            }
        };
        self.after_whole(id, taken, bytes.len(), now, out, |outbox, n| {
            outbox.put(bytes.get(n..).unwrap_or_default());
        });
    }

    pub(super) fn put_whole_shared(
        &mut self,
        id: u32,
        bytes: Bytes,
        now: Instant,
        out: &mut impl Sink,
    ) {
        let len = bytes.len();
        let mut taken = Ok(0);
        if len > 0 {
            let room = self.room;
            let mut bounded = Bounded { out, room };
            taken = self
                .machine
                .send_data_shared(id, &bytes, true, now, &mut bounded);
            self.room = bounded.room;
        }
        self.after_whole(id, taken, len, now, out, |outbox, n| {
            outbox.share(bytes.slice(n.min(len)..));
        });
    }

    /// Sends all of a message's content and the trailers behind it.
    pub(super) fn put_trailed(
        &mut self,
        id: u32,
        bytes: &[u8],
        trailers: Fields<'_>,
        now: Instant,
        out: &mut impl Sink,
    ) {
        let mut taken = Ok(0);
        if !bytes.is_empty() {
            let room = self.room;
            let mut bounded = Bounded { out, room };
            taken = self.machine.send_data(id, bytes, false, now, &mut bounded);
            self.room = bounded.room;
        }
        let rest = taken.map(|n| bytes.get(n..).unwrap_or_default());
        let sent = match rest {
            Ok([]) => self.machine.send_end(id, trailers, out),
            Ok(rest) => {
                if let Some(stream) = self.streams.get_mut(id) {
                    stream.finished = true;
                }
                if let Some(outbox) = self.outbox(id) {
                    outbox.put(rest);
                    outbox.end(trailers);
                }
                return;
            }
            Err(misuse) => Err(misuse),
        };
        match sent {
            Ok(()) => self.end_ours(id, now, out),
            Err(_) => self.give_up(id, now, out),
        }
    }

    fn after_whole(
        &mut self,
        id: u32,
        taken: Result<usize, http2::UsageError>,
        len: usize,
        now: Instant,
        out: &mut impl Sink,
        keep: impl FnOnce(&mut Outbox, usize),
    ) {
        match taken {
            Ok(n) if n == len => self.end_ours(id, now, out),
            Ok(n) => {
                if let Some(stream) = self.streams.get_mut(id) {
                    stream.finished = true;
                }
                if let Some(outbox) = self.outbox(id) {
                    keep(outbox, n);
                    outbox.end(Fields::EMPTY);
                }
            }
            Err(_) => self.give_up(id, now, out),
        }
    }
}
