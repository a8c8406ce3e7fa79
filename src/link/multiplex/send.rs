//! Sending on streams, and whose turn it is.

use super::state::Multiplex;
use super::stream::Stream;
use crate::http::{Fields, RequestHead, ResponseHead, date::Date};
use crate::http2::{self, BodyLength, ErrorCode};
use crate::link::exchanges::{Intake, NextBytes, Outbox};
use crate::link::{Body, EndReason, RequestPool, UsageError};
use crate::wire::{Instant, Sink};

const SHARE: usize = 16 * 1024;
/// A frame's head: less room than that counts as none.
const HEAD: usize = 9;

/// The state in which a turn leaves an outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Drained {
    Rest,
    /// Nothing; an end is still to be sent.
    Empty,
    /// Nothing, and the last piece has ended the stream.
    Ended,
}

impl Multiplex {
    pub(crate) fn collect(
        &mut self,
        id: u32,
        head: &RequestHead<'_>,
        limit: usize,
        request_pool: &mut RequestPool,
        out: &mut impl Sink,
    ) -> Result<(), UsageError> {
        self.offered(id)?;
        self.machine.accept_body(id, out)?;
        let buffered_request = request_pool.park(head, limit, self.charge.account());
        self.open_stream(id)?.exchange.collect(buffered_request);
        Ok(())
    }

    /// Streams the offered content as events, at the pace that content has to keep or at
    /// the peer's leisure.
    pub(crate) fn accept_body(
        &mut self,
        id: u32,
        paced: bool,
        now: Instant,
        out: &mut impl Sink,
    ) -> Result<(), UsageError> {
        self.offered(id)?;
        self.machine.accept_body(id, out)?;
        let stream = self.open_stream(id)?;
        stream.exchange.intake = Intake::Streamed;
        (stream.receiving.paced, stream.receiving.excused) = (paced, paced);
        if !stream.receiving.complete {
            stream.exchange.due = if paced { now } else { Instant::NEVER }; // until it is
        }
        let due = stream.exchange.due;
        if stream.exchange.kept.is_some() || stream.receiving.ended {
            self.queue(id);
        }
        self.wake_by(due); // `elapsed` knows the pace
        Ok(())
    }

    pub(super) fn offered(&mut self, id: u32) -> Result<(), UsageError> {
        match self.open_stream(id)?.exchange.intake {
            Intake::Offered => Ok(()),
            Intake::Collected | Intake::Streamed | Intake::Socket | Intake::Discarded => {
                Err(UsageError::Http2(http2::UsageError::State))
            }
        }
    }

    /// Leaves it to the owner to give back content to the peer's window.
    pub(crate) fn let_owner_consume(&mut self, id: u32) {
        if let Some(stream) = self.streams.get_mut(id) {
            stream.receiving.owner_consumes = true;
        }
    }

    /// Stops or resumes reading a stream: meanwhile its window is not opened.
    pub(crate) fn set_reading(&mut self, id: u32, reading: bool, now: Instant) {
        let Some(stream) = self.streams.get_mut(id) else {
            return;
        };
        let was_held = core::mem::replace(&mut stream.receiving.held, !reading);
        if reading {
            stream.receiving.excused |= was_held;
            if let Some(socket) = &mut stream.socket {
                socket.resume(now);
            }
            self.queue(id);
        }
    }

    pub(crate) fn inform(
        &mut self,
        id: u32,
        head: &ResponseHead<'_>,
        out: &mut impl Sink,
    ) -> Result<(), UsageError> {
        self.open_stream(id)?;
        Ok(self.machine.send_informational(id, head, out)?)
    }

    /// Sends a response, or its head if the body is streamed.
    #[inline(never)]
    pub(crate) fn respond(
        &mut self,
        id: u32,
        head: &ResponseHead<'_>,
        body: Body<'_>,
        date: Option<&Date>,
        now: Instant,
        out: &mut impl Sink,
    ) -> Result<(), UsageError> {
        if self.respond_at_once(id, head, &body, date, out) {
            return Ok(());
        }
        self.open_stream(id)?;
        let is_bare = matches!(&body, Body::Trailed { bytes: [], trailers } if trailers.is_empty());
        let length = body.length();
        self.machine
            .send_response(id, head, (!is_bare).then_some(length), date, out)?;
        if let Some(stream) = self.streams.get_mut(id) {
            stream.sending.owes = false;
            let is_timed = stream.is_timed() && stream.exchange.intake != Intake::Collected;
            stream.exchange.answered(body.is_endless(), is_timed);
        }
        match is_bare {
            true => self.end_ours(id, now, out),
            false => self.put_body(id, body, now, out),
        }
        Ok(())
    }

    /// Sends a request, or its head if the body is streamed, and returns its
    /// stream.
    pub(crate) fn request(
        &mut self,
        head: &RequestHead<'_>,
        body: Option<Body<'_>>,
        now: Instant,
        out: &mut impl Sink,
    ) -> Result<u32, UsageError> {
        let length = body.as_ref().map(Body::length);
        let id = self.machine.send_request(head, length, out)?;
        self.streams.insert(Stream::new(id, Intake::Discarded));
        match body {
            None => self.end_ours(id, now, out),
            Some(body) => self.put_body(id, body, now, out),
        }
        Ok(id)
    }

    /// Sends what is given of a body after its head.
    fn put_body(&mut self, id: u32, body: Body<'_>, now: Instant, out: &mut impl Sink) {
        let length = body.length();
        match body {
            Body::Whole(bytes) => self.put_all(id, NextBytes::Copied(bytes), None, now, out),
            Body::Shared(bytes) => self.put_all(id, NextBytes::Shared(bytes), None, now, out),
            Body::Trailed { bytes, trailers } => {
                // Without trailers the last frame of content is the end.
                let ends = bytes.is_empty() || !trailers.is_empty();
                let trailers = ends.then_some(trailers);
                self.put_all(id, NextBytes::Copied(bytes), trailers, now, out);
            }
            Body::Streamed { .. } => self.begin_content(id, length, now, out),
        }
    }

    fn begin_content(&mut self, id: u32, length: BodyLength, now: Instant, out: &mut impl Sink) {
        let is_dropped = self.machine.is_swallowed(id);
        if let Some(stream) = self.streams.get_mut(id) {
            stream.sending.begin(match is_dropped {
                true => BodyLength::Unknown,
                false => length,
            });
        }
        if length == BodyLength::Known(0) {
            self.end_ours(id, now, out); // the head has said so
        }
    }

    /// Puts a piece of a streamed body after what waits.
    pub(crate) fn write(
        &mut self,
        id: u32,
        len: usize,
        put: impl FnOnce(&mut Outbox),
    ) -> Result<(), UsageError> {
        let stream = self.open_stream(id)?;
        if stream.socket.is_some() {
            return Err(UsageError::Http2(http2::UsageError::State));
        }
        stream.sending.book(len)?;
        if len > 0
            && let Some(outbox) = self.outbox(id)
        {
            put(outbox);
            self.list(id);
        }
        Ok(())
    }

    pub(crate) fn finish(
        &mut self,
        id: u32,
        trailers: Fields<'_>,
        now: Instant,
        out: &mut impl Sink,
    ) -> Result<(), UsageError> {
        if self
            .streams
            .get(id)
            .is_some_and(|it| it.sending.has_ended_with_head())
        {
            return Ok(()); // a body of no bytes ended with its head
        }
        let stream = self.open_stream(id)?;
        if stream.socket.is_some() {
            return Err(UsageError::Http2(http2::UsageError::State));
        }
        stream.sending.check_end()?;
        match &mut stream.sending.outbox {
            Some(outbox) => {
                outbox.end(trailers);
                stream.sending.finished = true;
                self.turn(id, now, out);
            }
            None => {
                self.machine.send_end(id, trailers, out)?;
                self.end_ours(id, now, out);
            }
        }
        Ok(())
    }

    /// Puts out what waits, in fair turns within windows and room; then notes which writers
    /// need not wait.
    pub(crate) fn pump(&mut self, low: usize, now: Instant, out: &mut impl Sink) {
        self.first_room = self.room;
        while self.room > HEAD {
            while let Some(id) = self.machine.ready() {
                self.list(id);
            }
            let Some(id) = self.turns.pop_front() else {
                break;
            };
            self.turn(id, now, out);
        }
        if self.room > 0 && !self.waiting.is_empty() {
            self.relieve(low);
        }
        if self.room > 0 && self.write_blocked {
            (self.write_blocked, self.relieved) = (false, true);
        }
        self.sweep();
        self.book();
    }

    /// Whether [`pump`](Self::pump) could put out something.
    pub(crate) fn has_output(&self) -> bool {
        self.room > HEAD && (!self.turns.is_empty() || self.machine.has_ready())
    }

    fn relieve(&mut self, low: usize) {
        let mut waiting = core::mem::take(&mut self.waiting);
        waiting.retain(|&id| {
            let queued = self.queued(id);
            let Some(stream) = self.streams.get_mut(id) else {
                return false;
            };
            if queued > low {
                return true;
            }
            (stream.sending.write_blocked, stream.sending.relieved) = (false, true);
            stream.receiving.excused = true; // what came meanwhile was not taken
            self.queue(id);
            false
        });
        self.waiting = waiting;
    }

    pub(super) fn turn(&mut self, id: u32, now: Instant, out: &mut impl Sink) {
        let Some(stream) = self.streams.get_mut(id) else {
            return;
        };
        stream.sending.listed = false;
        let asks = stream.asked.is_some();
        let Some(mut outbox) = stream.sending.outbox.take() else {
            return;
        };
        let before = outbox.len();
        let drained = self.drain_outbox(id, &mut outbox, now, out);
        if asks {
            self.let_out(id, before - outbox.len(), now);
        }
        let ended = outbox.is_ended();
        let sent = match drained {
            Ok(Drained::Empty) if ended => self.machine.send_end(id, outbox.trailers(), out),
            Ok(_) => Ok(()),
            Err(misuse) => Err(misuse),
        };
        match (drained, self.streams.get_mut(id)) {
            (Ok(Drained::Rest), Some(stream)) => stream.sending.outbox = Some(outbox),
            _ => self.spare_outbox(outbox),
        }
        match sent {
            Ok(()) if ended && drained != Ok(Drained::Rest) => self.end_ours(id, now, out),
            Ok(()) => {}
            Err(_) => self.give_up(id, now, out),
        }
    }

    /// Offers an outbox's content piece by piece. For the rest the machine names the stream
    /// later, or it is queued again.
    fn drain_outbox(
        &mut self,
        id: u32,
        outbox: &mut Outbox,
        now: Instant,
        out: &mut impl Sink,
    ) -> Result<Drained, http2::UsageError> {
        let alone = self.turns.is_empty() && !self.machine.has_ready();
        let share = if alone { usize::MAX } else { SHARE };
        let mut sent = 0;
        while let Some((front, last)) = outbox.front() {
            if sent >= share {
                if let Some(stream) = self.streams.get_mut(id) {
                    stream.sending.listed = true;
                    self.turns.push_back(id);
                }
                return Ok(Drained::Rest);
            }
            let (len, n) = (front.len(), self.offer(id, front, last, now, out)?);
            outbox.advance(n);
            sent += n;
            if n < len {
                return Ok(Drained::Rest);
            }
            if last {
                return Ok(Drained::Ended);
            }
        }
        Ok(Drained::Empty)
    }

    /// Resets a stream whose output cannot be sent, so that a part is not taken for the whole.
    pub(super) fn give_up(&mut self, id: u32, now: Instant, out: &mut impl Sink) {
        self.cut(id, ErrorCode::INTERNAL_ERROR, EndReason::Aborted, now, out);
    }
}
