//! Deadlines: what a connection does when nothing comes, or nothing more.

#[cfg(feature = "net")]
use alloc::vec::Vec;
use core::time::Duration;

use super::connection::{ALIVE_PING, CONTROL_ROOM, Drain, Phase, Reading};
#[cfg(feature = "net")]
use super::schedule::Schedule;
use super::streams::Stream;
use super::{Connection, ErrorCode, Event, Limits, ProtocolError, payload};
use crate::http::CallContext;
use crate::wire::{Instant, Role, Sink};

/// How long something waits that found no room in the output.
const RETRY: Duration = Duration::from_secs(1);

/// Bytes a second that a peer uses at least whose connection is not idle.
const PACE: u64 = 4096;

/// What time makes due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Fail(ProtocolError),
    /// Close a connection that carries nothing.
    Idle,
    /// Ask a silent peer for a sign of life.
    Ping,
    /// Give up streams whose windows stay shut.
    Stall,
    /// Name the last stream.
    LastGoAway,
    /// End a connection that is old enough.
    Retire,
}

/// When a connection that begins now is too old: give or take a tenth, so that
/// those of one moment do not all end in one.
fn retirement(age: Duration, mask_key: [u8; 4], now: Instant) -> Instant {
    if age == Duration::MAX {
        return Instant::NEVER;
    }
    let thousandths = 900 + u32::from_le_bytes(mask_key) % 201;
    now + (age / 1000).saturating_mul(thousandths)
}

impl Connection {
    /// When [`elapsed`](Self::elapsed) wants to be called; `None` if it never
    /// does. It may be earlier than anything is due: `elapsed` then does
    /// nothing but set it anew. Changes with any call that takes `&mut self`.
    #[inline]
    pub fn deadline(&self) -> Option<Instant> {
        (self.wake != Instant::NEVER).then_some(self.wake)
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
            self.wake = now + RETRY;
            return Ok(None);
        }
        if self.retires.is_none() && self.role == Role::Server {
            self.retires = Some(retirement(limits.connection_age, lent.mask_key, now));
        }
        let (due, action) = self.due(limits);
        if now < due {
            // Nothing has happened for a while: what was grown may go.
            self.release();
            self.sleep(due, limits, now);
            return Ok(None);
        }
        let mut event = None;
        match action {
            Action::Fail(violation) => return Err(self.fail(violation, out)),
            Action::Idle => {
                self.put_last_goaway("idle", out);
                self.finish_drain();
            }
            Action::Ping => {
                self.put_ping(ALIVE_PING, out);
                self.ping_since = now;
            }
            Action::Stall => event = self.give_up_stalled(limits, now, out),
            Action::Retire => {
                // Refused only where there is no room, and there was.
                let _ = self.shutdown(now, out);
            }
            Action::LastGoAway => {
                self.put_last_goaway("", out);
                self.finish_drain();
            }
        }
        let due = self.due(limits).0;
        self.sleep(due, limits, now);
        Ok(event)
    }

    /// Takes the end of the transport's input. Answers that are under way may
    /// still go out, as far as the windows reach: no further one will come, so
    /// [`elapsed`](Self::elapsed) resets a stream as soon as it needs one. A peer
    /// that cannot answer is not asked: it is not pinged, and need not acknowledge
    /// settings.
    ///
    /// # Errors
    /// [`ProtocolError::Incomplete`] if the input ends inside a frame, or while a
    /// message of the peer is not finished; after a failure, that failure.
    pub fn receive_eof(&mut self) -> Result<(), ProtocolError> {
        match self.phase {
            Phase::New | Phase::Open => {}
            Phase::Done => return Ok(()),
            Phase::Failed(violation) => return Err(violation),
        }
        let between = matches!(self.reading, Reading::Head | Reading::Preface);
        let open = self.streams.iter().any(|stream| stream.state.receives());
        if !between || open || (self.frame_since.is_some() && self.greeted) {
            self.phase = Phase::Failed(ProtocolError::Incomplete);
            self.wake = Instant::NEVER;
            return Err(ProtocolError::Incomplete);
        }
        if !core::mem::replace(&mut self.ended, true) {
            self.wake = self.wake.min(self.heard); // `elapsed` gives up what waits
        }
        // Who sends nothing more is asked for nothing.
        (self.settings_since, self.ping_since) = (None, Instant::NEVER);
        self.drain = Drain::Last(self.last_peer);
        self.finish_drain();
        Ok(())
    }

    /// Gives back what was grown, if no stream is open.
    fn release(&mut self) {
        if self.streams.is_empty() {
            self.streams.release();
            self.known_heads.clear();
            self.known_blocks.clear();
        }
    }

    /// Gives back all memory that is not needed before the next stream is
    /// opened: what was grown, and what HPACK's tables keep for their growth.
    /// False, and nothing given back, while a stream is open.
    #[cfg(feature = "net")]
    pub(crate) fn compact(&mut self) -> bool {
        let is_idle = self.streams.is_empty();
        if is_idle {
            self.release();
            self.block = Vec::new();
            self.schedule = Schedule::new();
            self.decoder.trim();
            self.encoder.trim();
        }
        is_idle
    }

    /// Says that our own side withheld the input until `now`: the time that
    /// has passed is not held against the peer.
    pub fn resume(&mut self, now: Instant) {
        (self.heard, self.shut) = (now, now);
        if self.ping_since != Instant::NEVER {
            self.ping_since = now;
        }
        self.settings_since = self.settings_since.map(|_| now);
        self.frame_since = self.frame_since.map(|_| now);
        self.wake = self.wake.min(now); // `elapsed` sets it anew
    }

    /// Since when the peer owes us an answer, to a ping or by a window for what
    /// we have sent, in milliseconds of the clock that wrap; `None` while it owes
    /// none.
    pub fn awaited(&self) -> Option<u32> {
        let warned = match self.drain {
            Drain::Warned(since) => since,
            Drain::No | Drain::Last(_) => Instant::NEVER,
        };
        let stalled = self.streams.iter().map(|stream| stream.stalled);
        let first = stalled.fold(warned.min(self.ping_since), Instant::min);
        (first != Instant::NEVER && !self.is_done()).then(|| first.as_millis() as u32)
    }

    /// Says that what asks for these answers is not with the peer before `at`,
    /// which may be still to come: the time to answer counts from there.
    /// Without a call it counts from when the frame was written.
    pub fn await_from(&mut self, at: Instant) {
        if self.ping_since != Instant::NEVER {
            if at < self.ping_since {
                self.wake = self.wake.min(at); // `elapsed` sets it anew
            }
            self.ping_since = at;
        }
        if let Drain::Warned(since) = &mut self.drain {
            *since = at;
        }
        for stream in self.streams.iter_mut() {
            if stream.stalled != Instant::NEVER {
                stream.stalled = at;
            }
        }
    }

    /// Whether the peer owes the answer to a ping that found out whether it
    /// lives.
    #[cfg(feature = "net")]
    pub(crate) fn is_pinged(&self) -> bool {
        self.ping_since != Instant::NEVER && !self.is_done()
    }

    /// Says that output is on its way, and that the peer takes it: the
    /// connection is not idle.
    pub const fn under_way(&mut self, now: Instant) {
        self.active = now;
    }

    /// The peer has used `bytes` of what we have sent, and says so by a window. A
    /// connection without streams is not idle while the peer uses 4 KiB a second or
    /// more.
    pub(super) fn used(&mut self, bytes: u32, now: Instant) {
        let worth = Duration::from_micros(u64::from(bytes) * 1_000_000 / PACE);
        self.active = (self.active + worth).min(now);
    }

    /// Wakes at `due`, but looks in often enough to ping for streams that are
    /// opened until then.
    fn sleep(&mut self, due: Instant, limits: &Limits, now: Instant) {
        let look = now + limits.ping_interval.max(RETRY);
        self.wake = if self.is_done() {
            Instant::NEVER
        } else {
            due.min(look)
        };
    }

    /// What comes next, and when.
    fn due(&self, limits: &Limits) -> (Instant, Action) {
        let never = (Instant::NEVER, Action::Idle);
        let preface = if self.greeted {
            Action::Fail(ProtocolError::HeaderTimeout)
        } else {
            Action::Fail(ProtocolError::PrefaceTimeout)
        };
        let after = |since: Option<Instant>, limit: Duration, action| {
            since.map_or(never, |since| (since + limit, action))
        };
        let quiet = match self.ping_since {
            _ if self.ended => never,
            Instant::NEVER if self.streams.is_empty() => {
                (self.active + limits.idle_timeout, Action::Idle)
            }
            Instant::NEVER => (self.heard + limits.ping_interval, Action::Ping),
            since => (
                since + limits.ping_timeout,
                Action::Fail(ProtocolError::PingTimeout),
            ),
        };
        let warned = match self.drain {
            Drain::Warned(since) => Some(since),
            Drain::No | Drain::Last(_) => None,
        };
        let retires = self.retires.unwrap_or(Instant::NEVER);
        let old = match self.drain {
            Drain::No => (retires, Action::Retire),
            Drain::Warned(_) | Drain::Last(_) => (
                retires + limits.connection_grace,
                Action::Fail(ProtocolError::TooOld),
            ),
        };
        let stalls = self.streams.iter().map(|it| self.stalls_at(it, limits));
        let stalls = stalls.min().unwrap_or(Instant::NEVER);
        let unacked = Action::Fail(ProtocolError::SettingsTimeout);
        [
            old,
            after(self.frame_since, limits.header_timeout, preface),
            after(self.settings_since, limits.settings_timeout, unacked),
            after(warned, limits.drain_timeout, Action::LastGoAway),
            (stalls, Action::Stall),
        ]
        .into_iter()
        .fold(
            quiet,
            |first, next| if next.0 < first.0 { next } else { first },
        )
    }

    /// When a stream is given up whose window stays shut: in time, or as soon as
    /// the peer has sent its last byte.
    fn stalls_at(&self, stream: &Stream, limits: &Limits) -> Instant {
        match stream.stalled {
            Instant::NEVER => Instant::NEVER,
            _ if self.ended => self.heard,
            since => since + limits.stall_timeout,
        }
    }

    /// Resets one stream that made no progress for too long.
    fn give_up_stalled(
        &mut self,
        limits: &Limits,
        now: Instant,
        out: &mut impl Sink,
    ) -> Option<Event<'static>> {
        let overdue = |it: &&Stream| self.stalls_at(it, limits) <= now;
        let stream = self.streams.iter().find(overdue)?.id;
        payload::put_reset(stream, ErrorCode::CANCEL, out);
        self.remove(stream, true, now);
        Some(Event::Reset {
            stream,
            code: ErrorCode::CANCEL,
            by_peer: false,
        })
    }

    /// Has `elapsed` called within `time`.
    pub(super) fn wake_within(&mut self, time: Duration, now: Instant) {
        self.wake = self.wake.min(now + time);
    }
}
