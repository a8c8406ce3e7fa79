//! The deadlines of a call.

use alloc::boxed::Box;
use core::time::Duration;

use super::{Call, State};
use crate::client::connecting::Phase;
use crate::client::http::error::ErrorKind;
use crate::wire::Instant;

impl Call {
    /// Says how far the connection is since [`begin`](Self::begin): bytes sent, whether that is
    /// all, bytes received.
    pub(crate) fn moved(&mut self, handed_over: u64, is_out: bool, received: u64, now: Instant) {
        let attempt = &mut self.attempt;
        let is_sending = attempt.giving.is_some() || !attempt.is_out;
        let has_moved = handed_over != attempt.handed_over || (is_out && !attempt.is_out);
        // What a connection sends once the request is out is no progress of the call.
        if is_sending && has_moved {
            attempt.since = now;
        }
        attempt.handed_over = handed_over;
        attempt.is_out |= is_out;
        attempt.received = received;
    }

    /// The caller waits from now on: the server's silence counts from here.
    pub(crate) fn resume(&mut self, now: Instant) {
        self.attempt.since = now;
    }

    /// When [`elapsed`](Self::elapsed) is to be called.
    pub(crate) fn deadline(&self) -> Instant {
        self.until.min(self.phase_deadline().0)
    }

    /// How long to wait at most, for one who is not told when the request is out.
    pub(crate) fn wait_until(&self, now: Instant) -> Instant {
        let answer = self.attempt.since + self.limits().response_time;
        match self.is_sending() && !self.is_giving() && answer > now {
            true => self.deadline().min(answer),
            false => self.deadline(),
        }
    }

    pub(crate) const fn until(&self) -> Instant {
        self.until
    }

    /// Replaces the time between two pieces, and perhaps the end of the body.
    pub(crate) fn retime(&mut self, silence: Duration, until: Option<Instant>) {
        let present = self.policy.limits;
        let own = self.request.limits.get_or_insert_with(|| Box::new(present));
        own.silence_time = silence;
        self.until = until.unwrap_or(self.until);
    }

    fn phase_deadline(&self) -> (Instant, &'static str) {
        let (limits, since) = (self.limits(), self.attempt.since);
        match (self.state, self.attempt.held) {
            (State::Asked, Some(held)) => (held, "continue_time"),
            (State::Asked, None) if self.attempt.lacks_pieces => (Instant::NEVER, ""),
            (State::Asked, None) if self.is_sending() && self.attempt.handed_over == 0 => {
                (since + limits.head_time, "head_time")
            }
            (State::Asked, None) if self.is_sending() => (since + limits.send_time, "send_time"),
            (State::Asked, None) => (since + limits.response_time, "response_time"),
            (State::Discarding { .. } | State::Answered | State::Receiving, _) => {
                (since + limits.silence_time, "silence_time")
            }
            (State::Connect { .. } | State::Ended | State::Failed, _) => (Instant::NEVER, ""),
        }
    }

    /// Does what time has made due. [`pump`](Self::pump) is to follow.
    pub(crate) fn elapsed(&mut self, now: Instant) {
        let phase = self.phase();
        if self.until <= now {
            return self.fail(phase, ErrorKind::TimedOut("total_time"));
        }
        let (due, limit) = self.phase_deadline();
        if due > now {
            return;
        }
        match (self.state, self.attempt.held) {
            (State::Asked, Some(_)) => {
                self.attempt.held = None;
                self.attempt.since = now;
            }
            // It is not worth more time: the connection goes, and the call goes on.
            (State::Discarding { fresh, at, .. }, _) => self.state = State::Connect { fresh, at },
            _ => self.fail(phase, ErrorKind::TimedOut(limit)),
        }
    }

    /// The whole time is over, and no connection could be made.
    pub(crate) fn never_connected(&mut self, phase: Phase) {
        self.fail(phase, ErrorKind::TimedOut("total_time"));
    }
}
