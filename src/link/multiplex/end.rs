//! The ends of streams.

use alloc::boxed::Box;
use core::time::Duration;

use super::state::Multiplex;
use super::stream::Stream;
use crate::http::{Fields, ResponseHead, Status, date::Date};
use crate::http2::{BodyLength, ErrorCode};
use crate::link::exchanges::{Intake, NextBytes, Outbox};
use crate::link::{EndReason, Event, UsageError};
use crate::websocket::CloseCode;
use crate::wire::{Instant, Role, Sink};

impl Multiplex {
    /// Our content is complete. The rest of the peer's request is not needed (RFC 9113 §8.1).
    pub(super) fn end_ours(&mut self, id: u32, now: Instant, out: &mut impl Sink) {
        if let Some(stream) = self.streams.get_mut(id) {
            stream.sending.finished = true;
        }
        if self.machine.role() == Role::Server && self.machine.is_open(id) {
            match self.machine.early_reset() {
                Duration::ZERO => self.reset_surplus(id, now, out),
                wait => self.drop_surplus(id, wait, now),
            }
        }
        self.retire_closed(id);
    }

    /// Drops the rest of an answered request, for a while or while it keeps the pace.
    fn drop_surplus(&mut self, id: u32, wait: Duration, now: Instant) {
        let Some(stream) = self.streams.get_mut(id) else {
            return;
        };
        let unread = stream.receiving.take_unread();
        stream.gone.get_or_insert(EndReason::Finished);
        stream.surplus = true;
        stream.exchange.close();
        (stream.receiving.trailers, stream.socket) = (None, None);
        stream.receiving.excused = wait == Duration::MAX;
        stream.exchange.due = match stream.receiving.excused {
            true => now, // `elapsed` knows the pace
            false => now + wait,
        };
        let due = stream.exchange.due;
        self.machine.consume_later(id, unread);
        self.wake_by(due);
        self.queue(id); // its owner is told
    }

    /// Says that what still comes of a request is not needed.
    pub(super) fn reset_surplus(&mut self, id: u32, now: Instant, out: &mut impl Sink) {
        // Refused only where nothing can be sent at all.
        let _ = self.machine.send_reset(id, ErrorCode::NO_ERROR, now, out);
        self.retire_closed(id);
    }

    /// Puts a stream among those that are over, if both sides have ended it.
    pub(super) fn retire_closed(&mut self, id: u32) {
        if !self.machine.is_open(id) {
            self.retire(id);
        }
    }

    pub(super) fn retire(&mut self, id: u32) {
        if let Some(stream) = self.streams.get_mut(id)
            && !core::mem::replace(&mut stream.over, true)
        {
            self.over.push(id);
        }
    }

    #[inline]
    pub(super) fn sweep(&mut self) {
        if !self.over.is_empty() {
            self.sweep_all();
        }
    }

    fn sweep_all(&mut self) {
        while let Some(id) = self.over.pop() {
            let (mut is_owed, mut outbox) = (false, None);
            self.streams.remove_if(id, |stream| {
                stream.over = false;
                is_owed = !stream.end_reported && (stream.tag != 0 || stream.gone.is_some());
                if is_owed {
                    stream.gone.get_or_insert(EndReason::Finished);
                } else {
                    outbox = stream.sending.outbox.take();
                }
                !is_owed
            });
            if is_owed {
                self.queue(id);
            } else if let Some(outbox) = outbox {
                self.spare_outbox(outbox);
            }
        }
    }

    /// Ends a stream without a further word to its owner but `gone`.
    pub(super) fn lose(&mut self, id: u32, gone: EndReason) {
        let Some(stream) = self.streams.get_mut(id) else {
            return;
        };
        stream.gone.get_or_insert(gone);
        let outbox = close(stream);
        if let Some(outbox) = outbox {
            self.spare_outbox(outbox);
        }
        self.retire(id);
    }

    /// Resets a stream; its owner is told that it is over.
    ///
    /// # Errors
    /// [`UsageError::Over`] if it is over already.
    pub(crate) fn reset(
        &mut self,
        id: u32,
        code: ErrorCode,
        gone: EndReason,
        now: Instant,
        out: &mut impl Sink,
    ) -> Result<(), UsageError> {
        self.open_stream(id)?;
        self.machine.send_reset(id, code, now, out)?;
        self.lose(id, gone);
        Ok(())
    }

    /// Resets a stream and tells its owner `gone`.
    pub(super) fn cut(
        &mut self,
        id: u32,
        code: ErrorCode,
        gone: EndReason,
        now: Instant,
        out: &mut impl Sink,
    ) {
        // Refused only where it is over already.
        let _ = self.machine.send_reset(id, code, now, out);
        self.lose(id, gone);
    }

    /// Ends a stalled stream: answers `status` if a response is owed, else resets it with
    /// `code`.
    pub(super) fn dismiss(
        &mut self,
        id: u32,
        status: Status,
        mut code: ErrorCode,
        date: Option<&Date>,
        now: Instant,
        out: &mut impl Sink,
    ) {
        if self.owes_response(id) {
            let head = ResponseHead::new(status, Fields::EMPTY);
            let length = Some(BodyLength::Known(0));
            let sent = self.machine.send_response(id, &head, length, date, out);
            code = sent.map_or(code, |()| ErrorCode::NO_ERROR);
        }
        self.cut(id, code, EndReason::Stalled, now, out);
    }

    pub(super) fn was_reset<'b>(&mut self, id: u32, gone: EndReason) -> Option<Event<'b>> {
        let told = self
            .streams
            .get(id)
            .is_none_or(|stream| stream.end_reported);
        self.lose(id, gone);
        if told {
            return None;
        }
        let stream = self.streams.get_mut(id)?;
        stream.end_reported = true;
        Some(Event::Ended(stream.gone.unwrap_or(gone)))
    }

    /// Ends a stream whose owner failed: answers `head` if owed, closes a WebSocket with 1011,
    /// else resets.
    pub(crate) fn fail(
        &mut self,
        id: u32,
        head: &ResponseHead<'_>,
        date: Option<&Date>,
        mask_key: [u8; 4],
        now: Instant,
        out: &mut impl Sink,
    ) {
        let owes = self.owes_response(id);
        let Some(stream) = self.streams.get_mut(id) else {
            return;
        };
        stream.end_reported = true;
        (stream.exchange.intake, stream.exchange.due) = (Intake::Discarded, Instant::NEVER);
        if owes {
            (stream.sending.owes, stream.sending.finished) = (false, true);
            let text = alloc::format!("{{\"error\":\"{}\"}}", head.status.reason());
            let length = Some(BodyLength::Known(text.len() as u64));
            let sent = self.machine.send_response(id, head, length, date, out);
            if sent.is_ok() {
                self.put_all(id, NextBytes::Copied(text.as_bytes()), None, now, out);
                return;
            }
        } else if stream.socket.is_some() {
            self.close_socket(id, CloseCode::INTERNAL_ERROR, true, mask_key, now);
            return;
        }
        self.cut(id, ErrorCode::INTERNAL_ERROR, EndReason::Panicked, now, out);
    }

    pub(crate) fn drain(&mut self, mask_key: [u8; 4], now: Instant, out: &mut impl Sink) {
        // Refused only where the connection is over already.
        let _ = self.machine.shutdown(now, out);
        let sockets = self.streams.iter().filter(|it| it.socket.is_some());
        let sockets: alloc::vec::Vec<u32> = sockets.map(|it| it.exchange.id).collect();
        for id in sockets {
            self.close_socket(id, CloseCode::GOING_AWAY, false, mask_key, now);
        }
    }
}

/// Drops what a stream still has to send and to give.
fn close(stream: &mut Stream) -> Option<Box<Outbox>> {
    stream.exchange.close();
    (stream.receiving.trailers, stream.socket) = (None, None);
    stream.sending.close()
}
