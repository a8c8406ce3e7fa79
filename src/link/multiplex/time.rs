//! The passage of time on streams.

use alloc::vec::Vec;
use core::time::Duration;

use super::buffered_event::BufferedEvent;
use super::socket::lend;
use super::state::Multiplex;
use crate::http::{self, Status};
use crate::http2::{self, ErrorCode};
use crate::link::{EndReason, Event, Limits, ProtocolError};
use crate::wire::{Instant, Sink};

/// How long content that came while reading was stopped may take to be read.
const HEARD: Duration = Duration::from_secs(1);

impl Multiplex {
    /// When [`elapsed`](Self::elapsed) is to be called.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let machine = self.machine.deadline().unwrap_or(Instant::NEVER);
        let first = machine.min(self.wake);
        (first != Instant::NEVER).then_some(first)
    }

    /// The times that run on while our side withholds input: our own, and closing WebSockets'.
    pub(crate) fn deadline_withheld(&self) -> Option<Instant> {
        let dues = self.streams.iter().map(|stream| match &stream.socket {
            Some(socket) if socket.is_closing() => socket.deadline().unwrap_or(Instant::NEVER),
            None if !stream.is_timed() => stream.exchange.due,
            Some(_) | None => Instant::NEVER,
        });
        dues.min().filter(|&first| first != Instant::NEVER)
    }

    /// Does what time has made due, for the connection or one of its streams.
    pub(crate) fn elapsed(
        &mut self,
        mut lent: http::CallContext<'_, http2::Limits>,
        limits: &Limits,
        out: &mut impl Sink,
    ) -> Result<Option<(u32, Event<'static>)>, ProtocolError> {
        let now = lent.now;
        if self.machine.deadline().is_some_and(|at| at <= now) {
            let event = self.machine.elapsed(lent.reborrow(), out)?;
            if let Some(http2::Event::StreamError { stream, .. }) = event {
                self.lose(stream, EndReason::Stalled);
            }
            self.rest();
        }
        if self.wake > now {
            return Ok(None);
        }
        self.wake = Instant::NEVER;
        let mut due: Vec<u32> = Vec::new();
        for stream in self.streams.iter() {
            let socket = stream.socket.as_ref().and_then(|it| it.deadline());
            let at = stream.exchange.due.min(socket.unwrap_or(Instant::NEVER));
            if at <= now {
                due.push(stream.exchange.id);
            } else {
                self.wake = self.wake.min(at);
            }
        }
        due.sort_unstable();
        for id in due {
            if let Some(event) = self.stream_elapsed(id, lent.reborrow(), limits, out) {
                self.wake = now; // there may be others
                return Ok(Some((id, event)));
            }
        }
        Ok(None)
    }

    fn stream_elapsed(
        &mut self,
        id: u32,
        lent: http::CallContext<'_, http2::Limits>,
        limits: &Limits,
        out: &mut impl Sink,
    ) -> Option<Event<'static>> {
        let (now, date) = (lent.now, lent.date);
        let stream = self.streams.get_mut(id)?;
        if !stream.exchange.elapsed(now) {
            let lent = lend(lent, limits, stream.exchange.websocket_limits);
            let given = self.socket_elapsed(id, lent);
            let next = self.socket(id).and_then(|socket| socket.deadline());
            self.wake_by(next.unwrap_or(Instant::NEVER));
            return match given {
                Some(BufferedEvent::Ended(gone)) => Some(Event::Ended(gone)),
                _ => None,
            };
        }
        if stream.surplus {
            match stream.receiving.excused && limits.http1.body_rate > 0 {
                true => self.pace(id, 0, limits, now),
                false => self.reset_surplus(id, now, out),
            }
            return None;
        }
        if !stream.is_timed() {
            return Some(Event::Overdue);
        }
        if self.machine.was_withheld() {
            for other in self.streams.iter_mut() {
                other.receiving.excused = true;
            }
        }
        let stream = self.streams.get_mut(id)?;
        let is_withheld = !stream.is_fed() || stream.receiving.unread > 0;
        if stream.receiving.excused || is_withheld || limits.http1.body_rate == 0 {
            stream.receiving.excused = true;
            self.pace(id, 0, limits, now);
            return None;
        }
        // The peer is too slow with content that somebody waits for.
        let (status, code) = (Status::REQUEST_TIMEOUT, ErrorCode::CANCEL);
        self.dismiss(id, status, code, date, now, out);
        self.streams.get_mut(id)?.end_reported = true;
        Some(Event::Ended(EndReason::Stalled))
    }

    /// Moves a slow-content deadline on: at most `body_grace` ahead, by the time that each
    /// piece may take.
    pub(super) fn pace(&mut self, id: u32, bytes: usize, limits: &Limits, now: Instant) {
        let rate = limits.http1.body_rate;
        let Some(stream) = self.streams.get_mut(id) else {
            return;
        };
        if rate == 0 || !stream.is_timed() {
            return;
        }
        let latest = now + limits.http1.body_grace;
        let paid = Duration::from_millis(bytes as u64 * 1000 / u64::from(rate));
        let due = match core::mem::take(&mut stream.receiving.excused) {
            true => latest,
            false => (stream.exchange.due + paid).min(latest),
        };
        stream.exchange.due = due;
        self.wake_by(due);
    }

    /// Output is on its way, perhaps with the windows that bodies wait for.
    pub(crate) fn under_way(&mut self, now: Instant) {
        self.machine.under_way(now);
        for stream in self.streams.iter_mut() {
            if let Some(socket) = &mut stream.socket {
                socket.under_way(now);
            }
            stream.receiving.excused |= stream.is_timed();
        }
    }

    /// Whether our own side has withheld input of a stream at some time after
    /// `since`.
    pub(crate) fn was_withheld(&mut self, id: u32, since: Instant) -> bool {
        let shut = self.machine.shut() > since;
        let Some(stream) = self.streams.get_mut(id) else {
            return shut;
        };
        // Content that keeps a pace needs its excuse itself.
        let excused = !stream.is_timed() && core::mem::take(&mut stream.receiving.excused);
        shut || excused || !stream.is_fed() || stream.receiving.unread > 0
    }

    /// The input was withheld until `now`.
    pub(crate) fn resume(&mut self, now: Instant) {
        self.machine.resume(now);
        for stream in self.streams.iter_mut() {
            if let Some(socket) = &mut stream.socket {
                socket.resume(now);
            }
            if stream.is_timed() && stream.exchange.due != Instant::NEVER {
                stream.exchange.due = stream.exchange.due.max(now + HEARD);
            }
        }
    }

    /// Gives back what was grown, once nothing is under way.
    fn rest(&mut self) {
        if self.streams.is_empty() {
            self.streams.release();
            (self.turns, self.pending) = Default::default();
            (self.over, self.waiting, self.spare) = Default::default();
        }
    }
}
