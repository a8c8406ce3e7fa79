//! Content that is handed over complete.

use super::state::Multiplex;
use crate::http::{Fields, ResponseHead, date::Date};
use crate::http2;
use crate::link::Body;
use crate::link::exchanges::{Bounded, NextBytes};
use crate::wire::{Instant, Sink};

const HEAD: usize = 9;

impl Multiplex {
    /// Sends a complete response, if it is small, and nothing stands in its
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
        (stream.sending.owes, stream.sending.finished) = (false, true);
        stream.exchange.close();
        if !core::mem::replace(&mut stream.over, true) {
            self.over.push(id);
        }
        true
    }

    /// Sends all of a message's content, and the trailers after it if there are any. What
    /// is not taken waits.
    pub(super) fn put_all(
        &mut self,
        id: u32,
        content: NextBytes<'_>,
        trailers: Option<Fields<'_>>,
        now: Instant,
        out: &mut impl Sink,
    ) {
        let len = content.len();
        let taken = match len {
            0 => Ok(0), // the head has said so, or the trailers do
            _ => self.offer(id, content, trailers.is_none(), now, out),
        };
        let sent = match (taken, trailers) {
            (Ok(n), _) if n < len => {
                if let Some(stream) = self.streams.get_mut(id) {
                    stream.sending.finished = true;
                }
                if let Some(outbox) = self.outbox(id) {
                    outbox.keep(content, n);
                    outbox.end(trailers.unwrap_or(Fields::EMPTY));
                }
                return;
            }
            (Ok(_), Some(trailers)) => self.machine.send_end(id, trailers, out),
            (Ok(_), None) => Ok(()),
            (Err(misuse), _) => Err(misuse),
        };
        match sent {
            Ok(()) => self.end_ours(id, now, out),
            Err(_) => self.give_up(id, now, out),
        }
    }

    /// Offers content to the machine within the turn's room; returns how much was taken. With
    /// `last` the stream ends after it.
    pub(super) fn offer(
        &mut self,
        id: u32,
        content: NextBytes<'_>,
        last: bool,
        now: Instant,
        out: &mut impl Sink,
    ) -> Result<usize, http2::UsageError> {
        let room = self.room;
        let mut out = Bounded { out, room };
        let taken = match content {
            NextBytes::Copied(bytes) => self.machine.send_data(id, bytes, last, now, &mut out),
            NextBytes::Shared(bytes) => self
                .machine
                .send_data_shared(id, bytes, last, now, &mut out),
        };
        self.room = out.room;
        taken
    }
}
