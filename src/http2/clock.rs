//! The deadlines of a connection: what time makes due, and when.
//!
//! Everything that may be awaited is a point in time here or with its part: the
//! settings that are not acknowledged, the second GOAWAY, a stream's window.
//! [`Clock::due`] finds the first of them. Between two looks only `wake` is kept
//! up to date, and it may be too early, never too late.

use core::time::Duration;

use super::goaway::GoAway;
use super::settings::Settings;
use super::stream::Stream;
use super::streams::Streams;
use super::{Limits, ProtocolError};
use crate::wire::Instant;

/// How long something waits that found no room in the output.
const RETRY: Duration = Duration::from_secs(1);

/// Bytes a second that a peer uses at least whose connection is not idle.
const PACE: u64 = 4096;

/// The points in time that concern the connection as a whole.
#[derive(Debug)]
pub(super) struct Clock {
    /// No later than the next deadline; NEVER: there is none.
    wake: Instant,
    /// When a server's connection is too old; not known before the limits are.
    retires: Option<Instant>,
    heard: Instant,
    /// When the last stream was closed, or until when what the peer has used
    /// since then is worth it.
    active: Instant,
    /// When the frame or block began that is not all there.
    frame_since: Option<Instant>,
    ping_since: Instant,
    /// The peer has sent its last byte: no window will open any more.
    is_input_ended: bool,
    /// How long the rest of a request is dropped after an early answer, in tenths
    /// of a second, rounded up; `u16::MAX` is never.
    early_reset: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Fail(ProtocolError),
    /// Close a connection that carries nothing.
    Idle,
    Ping,
    /// Give up streams whose windows stay shut.
    Stall,
    LastGoAway,
    /// End a connection that is old enough.
    Retire,
}

impl Clock {
    pub(super) const fn new(now: Instant) -> Self {
        Self {
            wake: now, // the first call of `elapsed` knows the limits
            retires: None,
            heard: now,
            active: now,
            frame_since: Some(now),
            ping_since: Instant::NEVER,
            is_input_ended: false,
            early_reset: 0, // `open` knows the limits
        }
    }

    pub(super) fn open(&mut self, limits: &Limits, now: Instant) {
        let tenths = limits.early_reset.as_millis().div_ceil(100);
        self.early_reset = u16::try_from(tenths).unwrap_or(u16::MAX);
        self.wake_by(now + limits.settings_timeout);
    }

    // ---- what is noted ----

    #[inline]
    pub(super) const fn hear(&mut self, now: Instant) {
        self.heard = now;
        self.ping_since = Instant::NEVER;
    }

    /// Notes whether an incomplete frame or block has begun. Until the peer is greeted the
    /// preface's time runs.
    #[inline]
    pub(super) fn note_begun(&mut self, begun: bool, limits: &Limits, now: Instant) {
        match (begun, self.frame_since) {
            (true, None) => {
                self.frame_since = Some(now);
                self.wake_by(now + limits.header_timeout);
            }
            (false, Some(_)) => self.frame_since = None,
            (true, Some(_)) | (false, None) => {}
        }
    }

    /// Notes the end of what [began](Self::note_begun).
    pub(super) const fn note_complete(&mut self) {
        self.frame_since = None;
    }

    /// Notes that a ping was sent to find out whether the peer lives.
    pub(super) const fn note_ping(&mut self, now: Instant) {
        self.ping_since = now;
    }

    /// Notes that the connection is not idle at `now`.
    pub(super) const fn note_active(&mut self, now: Instant) {
        self.active = now;
    }

    /// The peer has used `bytes` of our output. At 4 KiB a second or more a connection without
    /// streams is not idle.
    pub(super) fn note_used(&mut self, bytes: u32, now: Instant) {
        let worth = Duration::from_micros(u64::from(bytes) * 1_000_000 / PACE);
        // Never beyond now: what was used quickly is not saved up.
        self.active = (self.active + worth).min(now);
    }

    pub(super) fn end_input(&mut self) {
        if !core::mem::replace(&mut self.is_input_ended, true) {
            self.wake_by(self.heard); // `elapsed` gives up what waits
        }
        self.ping_since = Instant::NEVER; // a peer that sends nothing more is asked for nothing
    }

    /// Counts all that the peer is to send from `now`.
    pub(super) fn restart(&mut self, now: Instant) {
        self.heard = now;
        if self.ping_since != Instant::NEVER {
            self.ping_since = now;
        }
        self.frame_since = self.frame_since.map(|_| now);
        self.wake_by(now); // `elapsed` sets it anew
    }

    /// Counts the time to the answer of our ping from `at`.
    pub(super) fn restart_ping(&mut self, at: Instant) {
        if self.ping_since != Instant::NEVER {
            if at < self.ping_since {
                self.wake_by(at); // `elapsed` sets it anew
            }
            self.ping_since = at;
        }
    }

    // ---- what is asked ----

    pub(super) const fn heard(&self) -> Instant {
        self.heard
    }

    /// Whether nothing has begun that is not all there.
    pub(super) const fn is_between_frames(&self) -> bool {
        self.frame_since.is_none()
    }

    pub(super) const fn ping_since(&self) -> Instant {
        self.ping_since
    }

    pub(super) const fn early_reset(&self) -> Duration {
        match self.early_reset {
            u16::MAX => Duration::MAX,
            tenths => Duration::from_millis(tenths as u64 * 100),
        }
    }

    // ---- when to wake ----

    /// No later than the next deadline; NEVER: there is none.
    pub(super) const fn wake(&self) -> Instant {
        self.wake
    }

    /// Wakes at `at` or sooner.
    pub(super) fn wake_by(&mut self, at: Instant) {
        self.wake = self.wake.min(at);
    }

    /// Wakes again in a while: there was no room in the output.
    pub(super) fn retry(&mut self, now: Instant) {
        self.wake = now + RETRY;
    }

    /// Wakes at `due`, but looks in often enough to ping for streams that are
    /// opened until then.
    pub(super) fn sleep(&mut self, due: Instant, limits: &Limits, now: Instant) {
        self.wake = due.min(now + limits.ping_interval.max(RETRY));
    }

    pub(super) const fn stop(&mut self) {
        self.wake = Instant::NEVER;
    }

    /// Sets when a server's connection is too old, give or take a tenth so that they do not end
    /// together.
    pub(super) fn set_age(&mut self, age: Duration, random: [u8; 4], now: Instant) {
        if self.retires.is_some() {
            return;
        }
        // From 0.9 to 1.1 of it.
        let thousandths = 900 + u32::from_le_bytes(random) % 201;
        self.retires = Some(match age {
            Duration::MAX => Instant::NEVER,
            age => now + (age / 1000).saturating_mul(thousandths),
        });
    }

    pub(super) fn due(
        &self,
        limits: &Limits,
        settings: &Settings,
        goaway: &GoAway,
        streams: &Streams,
    ) -> (Instant, Action) {
        let never = (Instant::NEVER, Action::Idle);
        let after = |since: Option<Instant>, limit: Duration, action| {
            since.map_or(never, |since| (since + limit, action))
        };
        let quiet = match self.ping_since {
            _ if self.is_input_ended => never,
            // Without streams nothing depends on the peer: silence is idleness. With them it may
            // be lost, which only an answer disproves.
            Instant::NEVER if streams.is_empty() => {
                (self.active + limits.idle_timeout, Action::Idle)
            }
            Instant::NEVER => (self.heard + limits.ping_interval, Action::Ping),
            since => (
                since + limits.ping_timeout,
                Action::Fail(ProtocolError::PingTimeout),
            ),
        };
        let retires = self.retires.unwrap_or(Instant::NEVER);
        let old = match goaway.is_ours() {
            false => (retires, Action::Retire),
            true => (
                retires + limits.connection_grace,
                Action::Fail(ProtocolError::TooOld),
            ),
        };
        let preface = Action::Fail(match settings.is_greeted() {
            true => ProtocolError::HeaderTimeout,
            false => ProtocolError::PrefaceTimeout,
        });
        let unacked = Action::Fail(ProtocolError::SettingsTimeout);
        let stalls = streams.iter().map(|it| self.stalls_at(it, limits));
        let stalls = stalls.min().unwrap_or(Instant::NEVER);
        [
            old,
            after(self.frame_since, limits.header_timeout, preface),
            after(settings.offered(), limits.settings_timeout, unacked),
            after(goaway.warned(), limits.drain_timeout, Action::LastGoAway),
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
    pub(super) fn stalls_at(&self, stream: &Stream, limits: &Limits) -> Instant {
        match stream.stalled {
            Instant::NEVER => Instant::NEVER,
            _ if self.is_input_ended => self.heard,
            since => since + limits.stall_timeout,
        }
    }
}

#[cfg(test)]
mod tests;
