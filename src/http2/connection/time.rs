//! The passing of time, and how far output is on its way.

use core::time::Duration;

use super::{Connection, Phase};
use crate::http::CallContext;
use crate::http2::clock::Action;
use crate::http2::event::Event;
use crate::http2::payload::{self, ALIVE_PING, CONTROL_ROOM};
use crate::http2::stream::Stream;
use crate::http2::{Limits, ProtocolError, StreamError};
use crate::wire::{Instant, Role, Sink};

impl Connection {
    /// When [`elapsed`](Self::elapsed) wants to be called; `None` if it never
    /// does. It may be earlier than anything is due: `elapsed` then does
    /// nothing but set it anew. Changes with any call that takes `&mut self`.
    #[inline]
    pub fn deadline(&self) -> Option<Instant> {
        let wake = self.clock.wake();
        (wake != Instant::NEVER).then_some(wake)
    }

    /// Does what time has made due: a ping after silence, the end of an idle
    /// connection, the reset of a stream whose window stays shut. To be called
    /// until it gives no event.
    ///
    /// # Errors
    /// [`ProtocolError::PrefaceTimeout`], [`ProtocolError::HeaderTimeout`],
    /// [`ProtocolError::SettingsTimeout`], [`ProtocolError::PingTimeout`] or
    /// [`ProtocolError::TooOld`]; after a
    /// failure, that failure.
    pub fn elapsed(
        &mut self,
        lent: CallContext<'_, Limits>,
        out: &mut impl Sink,
    ) -> Result<Option<Event<'static>>, ProtocolError> {
        let (now, limits) = (lent.now, lent.limits);
        match self.phase {
            Phase::New | Phase::Open => {}
            Phase::Done => return Ok(None),
            Phase::Failed(violation) => return Err(violation),
        }
        if out.room() < CONTROL_ROOM {
            // What is due may have to be said, and is put off until it can be.
            self.clock.retry(now);
            return Ok(None);
        }
        if self.role == Role::Server {
            self.clock
                .set_age(limits.connection_age, lent.mask_key, now);
        }
        let (due, action) = self.due(limits);
        if now < due {
            // Nothing has happened for a while: what was grown may go.
            self.release();
            self.clock.sleep(due, limits, now);
            return Ok(None);
        }
        let mut event = None;
        match action {
            Action::Fail(violation) => return Err(self.fail(violation, out)),
            Action::Idle => self.put_last_goaway("idle", out),
            Action::Ping => {
                self.put_ping(ALIVE_PING, out);
                self.clock.note_ping(now);
            }
            Action::Stall => event = self.give_up_stalled(limits, now, out),
            Action::Retire => {
                // Refused only where there is no room, and there was.
                let _ = self.shutdown(now, out);
            }
            Action::LastGoAway => self.put_last_goaway("", out),
        }
        if !self.is_done() {
            let due = self.due(limits).0;
            self.clock.sleep(due, limits, now);
        }
        Ok(event)
    }

    fn due(&self, limits: &Limits) -> (Instant, Action) {
        let Self {
            settings,
            goaway,
            streams,
            ..
        } = self;
        self.clock.due(limits, settings, goaway, streams)
    }

    /// Resets one stream that made no progress for too long.
    fn give_up_stalled(
        &mut self,
        limits: &Limits,
        now: Instant,
        out: &mut impl Sink,
    ) -> Option<Event<'static>> {
        let overdue = |it: &&Stream| self.clock.stalls_at(it, limits) <= now;
        let stream = self.streams.iter().find(overdue)?.id;
        let error = StreamError::Stalled;
        payload::put_reset(stream, error.code(), out);
        self.remove(stream, true, now);
        Some(Event::StreamError { stream, error })
    }

    // ---- what the transport tells the machine ----

    /// Says that our own side withheld the input until `now`: the time that
    /// has passed is not counted against the peer.
    pub fn resume(&mut self, now: Instant) {
        self.clock.restart(now);
        self.flow.restart(now);
        self.settings.restart(now);
    }

    /// Since when the peer owes us an answer, to a ping or by a window for what
    /// we have sent, in milliseconds of the clock that wrap; `None` while it owes
    /// none.
    pub fn awaited(&self) -> Option<u32> {
        let warned = self.goaway.warned().unwrap_or(Instant::NEVER);
        let stalled = self.streams.iter().map(|stream| stream.stalled);
        let first = stalled.fold(warned.min(self.clock.ping_since()), Instant::min);
        (first != Instant::NEVER && !self.is_done()).then(|| first.as_millis() as u32)
    }

    /// Says that what asks for these answers is not with the peer before `at`,
    /// which may be still to come: the time to answer counts from there.
    /// Without a call it counts from when the frame was written.
    pub fn await_from(&mut self, at: Instant) {
        self.clock.restart_ping(at);
        self.goaway.restart(at);
        self.streams.restart(at);
    }

    /// Says that output is on its way, and that the peer takes it: the
    /// connection is not idle.
    pub const fn under_way(&mut self, now: Instant) {
        self.clock.note_active(now);
    }

    /// Whether our side has, since the last call, held so much that the peer could send
    /// nothing.
    pub(crate) const fn was_withheld(&mut self) -> bool {
        self.flow.was_withheld()
    }

    /// When the peer could last send nothing because our side held its input; the clock's start
    /// if never, `NEVER` if it is so now.
    pub(crate) const fn shut(&self) -> Instant {
        self.flow.shut()
    }

    pub(crate) const fn early_reset(&self) -> Duration {
        self.clock.early_reset()
    }

    // ---- memory ----

    fn release(&mut self) {
        if self.streams.is_empty() {
            self.streams.release();
            self.decoding.release();
            self.encoding.release();
        }
    }

    /// Gives back what is not needed before the next stream: grown memory and HPACK's spare.
    /// False, with nothing done, while a stream is open.
    pub(crate) fn compact(&mut self) -> bool {
        let is_idle = self.streams.is_empty();
        if is_idle {
            self.release();
            self.streams.compact();
            self.decoding.trim();
            self.encoding.trim();
        }
        is_idle
    }
}
