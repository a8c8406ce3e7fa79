//! The passing of time: deadlines, and the pace of a body.

use core::time::Duration;

use super::intake::Reading;
use super::{After, BodyDemand, Connection};
use crate::http::CallContext;
use crate::http1::state::{Request, Response};
use crate::http1::{Event, Limits, ProtocolError};
use crate::wire::{Instant, Role, Sink};

/// How long before a last exchange a connection may have waited for its request: enough for one
/// on its way, too short for a silent peer to hold up a stopping server.
const LAST_CALL: Duration = Duration::from_millis(500);

impl Connection {
    /// When [`elapsed`](Self::elapsed) wants to be called. Any call but those
    /// of `&self` may change the answer.
    #[inline]
    pub fn deadline(&self, limits: &Limits) -> Option<Instant> {
        Some(self.since + self.patience(limits)?)
    }

    /// How long from `since` on the peer may take.
    fn patience(&self, limits: &Limits) -> Option<Duration> {
        let reads_body = match self.role {
            Role::Server => {
                self.exchange.request == Request::Body
                    && (matches!(
                        self.intake.wanted,
                        BodyDemand::Accepted | BodyDemand::Continued
                    ) || (self.intake.wanted == BodyDemand::Refused
                        && self.after == After::KeepDraining))
            }
            Role::Client => self.exchange.response == Response::Body,
        };
        if reads_body {
            return (limits.body_rate > 0).then_some(limits.body_grace);
        }
        match (self.exchange.request, self.exchange.response) {
            (Request::Idle, Response::Idle) => {
                let patience = match self.intake.reading() {
                    Reading::Head => limits.head_timeout,
                    Reading::Idle | Reading::Fixed | Reading::Chunked(_) | Reading::UntilClose => {
                        limits.idle_timeout
                    }
                };
                Some(match self.shutdown && self.is_idle() {
                    true => patience.min(LAST_CALL),
                    false => patience,
                })
            }
            (Request::Done, Response::Owed) if self.role == Role::Client => {
                Some(limits.response_timeout)
            }
            _ => None,
        }
    }

    /// Ends the connection of a peer that took too long. Does nothing before the
    /// [`deadline`](Self::deadline). An idle connection is done without a
    /// word, as is one on which nothing ever came.
    ///
    /// # Errors
    /// [`ProtocolError::HeadTimeout`], [`ProtocolError::BodyTimeout`] or
    /// [`ProtocolError::ResponseTimeout`]; the answer to it is in `out`.
    pub fn elapsed(
        &mut self,
        lent: CallContext<'_, Limits>,
        out: &mut impl Sink,
    ) -> Result<Option<Event<'static>>, ProtocolError> {
        if let Some(violation) = self.intake.failed {
            return Err(violation);
        }
        if self.deadline(lent.limits).is_none_or(|due| lent.now < due) {
            return Ok(None);
        }
        let violation = match (self.exchange.request, self.exchange.response) {
            (Request::Idle, _) if self.is_idle() => {
                self.close(After::Close);
                return Ok(None);
            }
            (Request::Idle, _) => ProtocolError::HeadTimeout,
            (_, Response::Owed) if self.role == Role::Client => ProtocolError::ResponseTimeout,
            _ => ProtocolError::BodyTimeout,
        };
        Err(self.fail(violation, lent.date, out))
    }

    /// Says that our own side withheld the input until `now`: the time that
    /// has passed is not counted against the peer.
    #[inline]
    pub const fn resume(&mut self, now: Instant) {
        if matches!(self.exchange.request, Request::Body)
            || matches!(self.exchange.response, Response::Body)
            || matches!(self.intake.reading(), Reading::Idle)
        {
            self.since = now;
        }
    }

    /// Says that output is on its way, and that the peer takes it: the connection
    /// is not idle, a client's request has not arrived yet, and a peer that is to send
    /// a body may not have seen `100 Continue`.
    pub const fn under_way(&mut self, now: Instant) {
        let awaits = matches!(self.role, Role::Client) && self.awaits_response();
        let is_idle = matches!(self.intake.reading(), Reading::Idle) && self.is_idle();
        let sends =
            matches!(self.role, Role::Server) && matches!(self.exchange.request, Request::Body);
        if awaits || sends || is_idle && !self.shutdown {
            self.since = now;
        }
    }

    /// Counts `bytes` of a body in favour of its sender.
    #[inline(always)]
    pub(super) fn pace(&mut self, bytes: usize, now: Instant, limits: &Limits) {
        // Mostly, what came before in this moment has counted enough.
        if self.since < now {
            self.advance(bytes, now, limits);
        } else {
            self.since = now;
        }
    }

    fn advance(&mut self, bytes: usize, now: Instant, limits: &Limits) {
        let rate = u64::from(limits.body_rate.max(1));
        let nanos = (bytes as u64).saturating_mul(1_000_000_000) / rate;
        self.since = (self.since + Duration::from_nanos(nanos)).min(now);
    }
}
