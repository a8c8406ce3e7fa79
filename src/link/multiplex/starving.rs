//! Streams that wait for memory.
//!
//! Their windows are not opened again, and nothing of them is given to an
//! owner, whose answer would need more. The connection itself is read on: the
//! WINDOW_UPDATE that frees memory may be the next frame.

use alloc::boxed::Box;

use super::buffered_event::BufferedEvent;
use super::state::Multiplex;
use crate::http::{Status, date::Date};
use crate::http2::{self, ErrorCode};
use crate::link::BufferedRequest;
use crate::link::exchanges::Intake;
use crate::websocket::CloseCode;
use crate::wire::{Instant, Sink};

/// The window of a new connection while memory is short.
const SMALL_WINDOW: u32 = 65_535;
const SMALL_STREAM: u32 = 16 * 1024;

impl Multiplex {
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.account().is_some_and(|account| account.is_full())
    }

    /// Opens a server's connection. Promised windows are memory: beyond a quarter of it, and
    /// while memory is short, a new one gets the least window of RFC 9113 (§6.9.2).
    pub(crate) fn open(&mut self, limits: &http2::Limits, now: Instant, out: &mut impl Sink) {
        let Some(account) = self.charge.account() else {
            return;
        };
        let window = limits.connection_window as usize;
        let is_small = account.is_short() || account.promised() + window > account.limit() / 4;
        let limits = match is_small {
            true => (*limits)
                .with_connection_window(SMALL_WINDOW.min(limits.connection_window))
                .with_stream_window(SMALL_STREAM.min(limits.stream_window)),
            false => *limits,
        };
        self.promise = account.promise(limits.connection_window.max(SMALL_WINDOW) as usize);
        // Refused only after the end of a connection.
        let _ = self.machine.open(&limits, now, out);
    }

    /// Whether some streams wait for their owners, and none for the peer.
    pub(crate) fn awaits_owner(&self) -> bool {
        let mut awaits = false;
        for stream in self.streams.iter() {
            let is_taken = stream
                .sending
                .outbox
                .as_ref()
                .is_none_or(|it| it.is_empty());
            let is_asked = stream.receiving.complete && !stream.sending.finished
                || stream.exchange.intake == Intake::Offered
                || stream.receiving.held && stream.exchange.kept.is_some();
            let is_over = stream.receiving.complete && stream.sending.finished;
            let socket = stream.socket.as_ref();
            match (is_taken, is_asked) {
                (true, true) => awaits = true,
                (true, false) if is_over || socket.is_some_and(|it| it.is_between_messages()) => {}
                _ => return false,
            }
        }
        awaits
    }

    /// Bytes of content that somebody wanted, since this was asked last.
    pub(crate) fn take_wanted(&mut self) -> usize {
        core::mem::take(&mut self.wanted)
    }

    pub(crate) const fn is_starved(&self) -> bool {
        !self.starved.is_empty()
    }

    pub(super) fn starve(&mut self, id: u32) {
        if let Some(stream) = self.streams.get_mut(id)
            && !core::mem::replace(&mut stream.receiving.starved, true)
        {
            self.starved.push(id);
        }
    }

    /// There is memory again: streams that waited for it are read on.
    pub(crate) fn replenish(&mut self, out: &mut impl Sink) {
        for id in core::mem::take(&mut self.starved) {
            let Some(stream) = self.streams.get_mut(id) else {
                continue;
            };
            stream.receiving.starved = false;
            stream.receiving.excused = true;
            if stream.exchange.intake == Intake::Collected {
                let unread = stream.receiving.take_unread();
                self.machine.consume(id, unread as usize, out);
            }
            self.queue(id);
        }
    }

    pub(super) fn give_request(
        &mut self,
        id: u32,
        shown: &mut Option<Box<BufferedRequest>>,
    ) -> Option<BufferedEvent> {
        let stream = self.streams.get_mut(id)?;
        if !stream.receiving.take_end() {
            return None;
        }
        stream
            .exchange
            .show(shown)
            .then_some(BufferedEvent::Request)
    }

    /// Refuses a request that no owner has looked at.
    pub(crate) fn refuse_stream(&mut self, id: u32, now: Instant, out: &mut impl Sink) {
        // Refused only where it is over already.
        let _ = self
            .machine
            .send_reset(id, ErrorCode::REFUSED_STREAM, now, out);
        self.streams.remove_if(id, |_| true);
    }

    /// Refuses what has waited for memory: with 503 where a response is owed.
    pub(crate) fn refuse_starved(
        &mut self,
        date: Option<&Date>,
        mask_key: [u8; 4],
        now: Instant,
        out: &mut impl Sink,
    ) {
        for id in core::mem::take(&mut self.starved) {
            self.refuse_one(id, date, mask_key, now, out);
        }
    }

    /// Answers a stream for which there is no memory and tells its owner.
    pub(super) fn refuse_one(
        &mut self,
        id: u32,
        date: Option<&Date>,
        mask_key: [u8; 4],
        now: Instant,
        out: &mut impl Sink,
    ) {
        let Some(stream) = self.streams.get_mut(id) else {
            return;
        };
        stream.receiving.starved = false;
        if stream.socket.is_some() {
            return self.close_socket(id, CloseCode::TRY_AGAIN_LATER, true, mask_key, now);
        }
        let (status, code) = (Status::SERVICE_UNAVAILABLE, ErrorCode::ENHANCE_YOUR_CALM);
        self.dismiss(id, status, code, date, now, out);
    }
}
