//! The machine: what it remembers, and time.

mod body;
mod heads;
mod incoming;
mod receive;
mod request;
mod respond;
#[cfg(feature = "net")]
mod resting;
mod send;

use core::time::Duration;

use super::chunked::Chunked;
use super::encode;
use super::state::{Exchange, Input, Request, Response};
use super::{Closing, Event, Limits, ProtocolError};
use crate::http::{Asks, CallContext, Status, date::Date};
use crate::wire::{Instant, Role, Sink};

/// One HTTP/1.1 connection, in either role.
///
/// It owns no bytes: heads and bodies are read where the caller keeps them,
/// and 48 bytes of state remain between calls. A clone is a snapshot: together
/// with the output as it was, it takes back what was sent since and not yet
/// flushed.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Bytes of the body, or of its present chunk, that are still to come.
    remaining: u64,
    /// Bytes of the body of announced length that we still have to send.
    owed: u64,
    /// What the present deadline counts from. In a body it advances with the
    /// bytes that come in, never past now.
    since: Instant,
    /// How far an unfinished head or trailer section was looked through; in a
    /// chunk's size line its digits.
    scanned: u32,
    /// Where the unfinished line of that head begins.
    line: u32,
    /// Empty lines before this head, then bytes of extensions in its body.
    spent: u32,
    exchange: Exchange,
    reading: Reading,
    sending: Sending,
    asked: RequestKind,
    wanted: BodyDemand,
    after: After,
    /// The peer's message was of version 1.0.
    old: bool,
    shutdown: bool,
    role: Role,
    failed: Option<ProtocolError>,
    /// The failure has been answered.
    refused: bool,
}

/// What stands at the front of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// Nothing; the next head begins with the next byte.
    Idle,
    /// A head, or the wait for the first one.
    Head,
    /// A body of announced length.
    Fixed,
    /// A chunked body.
    Chunked(Chunked),
    /// A body that ends with the connection.
    UntilClose,
}

/// How the body is framed that we send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sending {
    /// There is none.
    Nothing,
    /// Announced by Content-Length.
    Fixed,
    /// In chunks.
    Chunked,
    /// Until we close.
    UntilClose,
    /// Taken from the application and dropped: no content may follow the head.
    Swallowed,
}

/// What a request asks for beyond the usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RequestKind {
    Plain,
    /// HEAD: a response without content.
    Head,
    /// CONNECT: a tunnel.
    Tunnel,
    /// An upgrade is offered.
    Upgrade,
}

impl RequestKind {
    /// What the method says about the content of the response.
    #[inline(always)]
    const fn asks(self) -> Asks {
        match self {
            Self::Plain | Self::Upgrade => Asks::Content,
            Self::Head => Asks::Head,
            Self::Tunnel => Asks::Tunnel,
        }
    }
}

/// What our side thinks of the request's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BodyDemand {
    /// It has not said yet.
    Offered,
    /// It has not said yet, and the peer waits for `100 Continue`.
    Expected,
    /// It reads it; the peer was told to go on, and has sent nothing of it yet.
    Continued,
    /// It reads it.
    Accepted,
    /// It will never read it.
    Refused,
}

/// What becomes of the connection after this exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    /// It lives on; a body that is still to come may be any length.
    Keep,
    /// It lives on; what is still to come of the body is little enough to be
    /// discarded.
    KeepDraining,
    /// It closes.
    Close,
    /// It closes, but the peer may still be sending.
    Linger,
}

/// How long a connection without a request may have waited for one when it is
/// to end after the next: long enough for what is on its way, and too short for
/// those who say nothing to hold up a server that stops.
const LAST_CALL: Duration = Duration::from_millis(500);

impl Connection {
    /// A connection that has just been opened. A server's
    /// [`Limits::head_timeout`] for the first request counts from `now`.
    pub const fn new(role: Role, now: Instant) -> Self {
        Self {
            remaining: 0,
            owed: 0,
            since: now,
            scanned: 0,
            line: 0,
            spent: 0,
            exchange: Exchange::IDLE,
            reading: match role {
                Role::Server => Reading::Head,
                Role::Client => Reading::Idle,
            },
            sending: Sending::Nothing,
            asked: RequestKind::Plain,
            wanted: BodyDemand::Offered,
            after: After::Keep,
            old: false,
            shutdown: false,
            role,
            failed: None,
            refused: false,
        }
    }

    /// Ends the connection gracefully: what runs is finished, the next
    /// response (a client's next request) says `Connection: close`, and an
    /// idle connection is done at once.
    pub const fn shutdown(&mut self) {
        self.shutdown = true;
        if self.is_idle() {
            self.close(After::Close);
        }
    }

    /// The same after the next exchange, or the one that runs: what is idle
    /// waits for a request first, but not beyond half a second from its beginning
    /// or its last exchange.
    pub const fn shutdown_after_next(&mut self) {
        self.shutdown = true;
    }

    /// How the connection ends, once it has nothing more to read or to say;
    /// `None` while it lives and when it was handed to another protocol.
    #[inline]
    pub const fn closing(&self) -> Option<Closing> {
        match (self.exchange.response, self.after) {
            (Response::Closed, After::Linger) => Some(Closing::Linger),
            (Response::Closed, After::Keep | After::KeepDraining | After::Close) => {
                Some(Closing::Now)
            }
            (
                Response::Idle
                | Response::Owed
                | Response::Body
                | Response::Done
                | Response::Switched,
                _,
            ) => None,
        }
    }

    /// Whether the connection was handed to another protocol.
    #[inline]
    pub const fn is_switched(&self) -> bool {
        matches!(self.exchange.response, Response::Switched)
    }

    /// Whether no exchange is under way and no byte of a next one is here.
    #[inline]
    pub const fn is_idle(&self) -> bool {
        matches!(self.exchange.request, Request::Idle) && self.scanned == 0
    }

    /// Whether a request has come (server) or gone (client) whose final
    /// response has not begun.
    #[inline]
    pub const fn awaits_response(&self) -> bool {
        matches!(self.exchange.response, Response::Owed)
    }

    /// Whether nothing comes of further input before the server's owner has
    /// said what becomes of the request.
    #[cfg(feature = "net")]
    pub(crate) const fn awaits_owner(&self) -> bool {
        let is_asked = matches!(self.exchange.request, Request::Done)
            && matches!(self.exchange.response, Response::Owed | Response::Body);
        matches!(self.role, Role::Server) && (is_asked || self.is_body_offered())
    }

    /// Whether the head of the present exchange's final response is out and
    /// its body is not finished.
    #[inline]
    pub const fn is_responding(&self) -> bool {
        matches!(self.exchange.response, Response::Body)
    }

    /// Whether the head of the present exchange's final response is out.
    #[inline]
    pub const fn response_started(&self) -> bool {
        matches!(self.exchange.response, Response::Body | Response::Done)
    }

    /// Whether a request's body is under way that
    /// [`accept_body`](Self::accept_body) has not asked for.
    #[inline]
    pub const fn is_body_offered(&self) -> bool {
        matches!(self.exchange.request, Request::Body)
            && matches!(self.wanted, BodyDemand::Offered | BodyDemand::Expected)
    }

    /// Whether the peer was told `100 Continue` and has sent nothing of the body
    /// that it is asked for.
    #[cfg(feature = "net")]
    pub(crate) const fn is_continued(&self) -> bool {
        matches!(self.exchange.request, Request::Body)
            && matches!(self.wanted, BodyDemand::Continued)
    }

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
                    && (matches!(self.wanted, BodyDemand::Accepted | BodyDemand::Continued)
                        || (self.wanted == BodyDemand::Refused
                            && self.after == After::KeepDraining))
            }
            Role::Client => self.exchange.response == Response::Body,
        };
        if reads_body {
            return (limits.body_rate > 0).then_some(limits.body_grace);
        }
        match (self.exchange.request, self.exchange.response) {
            (Request::Idle, Response::Idle) => {
                let patience = match self.reading {
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

    /// Judges a peer that took too long. Does nothing before the
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
        if let Some(violation) = self.failed {
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
    /// has passed is not held against the peer.
    #[inline]
    pub const fn resume(&mut self, now: Instant) {
        if matches!(self.exchange.request, Request::Body)
            || matches!(self.exchange.response, Response::Body)
            || matches!(self.reading, Reading::Idle)
        {
            self.since = now;
        }
    }

    /// Says that output is on its way, and that the peer takes it: the connection
    /// is not idle, a client's request has not arrived yet, and who is to send a
    /// body may not have seen `100 Continue`.
    pub const fn under_way(&mut self, now: Instant) {
        let awaits = matches!(self.role, Role::Client) && self.awaits_response();
        let is_idle = matches!(self.reading, Reading::Idle) && self.is_idle();
        let sends =
            matches!(self.role, Role::Server) && matches!(self.exchange.request, Request::Body);
        if awaits || sends || is_idle && !self.shutdown {
            self.since = now;
        }
    }

    /// The status that the machine itself has answered a [`ProtocolError`] with;
    /// `None` without one, and where it came too late for an answer.
    pub fn refusal(&self) -> Option<Status> {
        self.failed
            .filter(|_| self.refused)
            .and_then(ProtocolError::status)
    }

    /// Ends the connection over `violation`, with an answer if one is owed or
    /// none was ever asked for.
    fn fail(
        &mut self,
        violation: ProtocolError,
        date: Option<&Date>,
        out: &mut impl Sink,
    ) -> ProtocolError {
        let unanswered = matches!(self.exchange.response, Response::Idle | Response::Owed);
        if self.role == Role::Server && unanswered && out.room() >= encode::CONTROL_ROOM {
            encode::put_refusal(violation, date, out);
            self.refused = violation.status().is_some();
        }
        self.failed = Some(violation);
        self.close(match self.role {
            Role::Server => After::Linger,
            Role::Client => After::Close,
        });
        violation
    }

    /// Ends the connection.
    const fn close(&mut self, after: After) {
        self.after = after;
        self.exchange.take(Input::Close);
    }

    /// Ends the exchange if both its messages are complete, or the connection
    /// if it does not outlive them.
    #[inline]
    fn settle(&mut self, now: Instant) {
        match (self.exchange.request, self.exchange.response, self.after) {
            (Request::Done, Response::Done, After::Keep | After::KeepDraining) => {
                if self.shutdown {
                    return self.close(After::Close);
                }
                self.exchange.take(Input::Reuse);
                self.reading = Reading::Idle;
                self.since = now;
                (self.scanned, self.line, self.spent) = (0, 0, 0);
            }
            (Request::Done, Response::Done, After::Close | After::Linger) => {
                self.close(self.after);
            }
            (Request::Body, Response::Done, _) if self.role == Role::Client => {
                self.close(After::Close);
            }
            // The answer was complete before the request: what follows of it
            // is of no use to anybody.
            (Request::Body, Response::Done, After::KeepDraining) => {
                self.wanted = BodyDemand::Refused;
                self.since = now;
            }
            (Request::Body, Response::Done, After::Keep | After::Close | After::Linger) => {
                self.close(After::Linger);
            }
            _ => {}
        }
    }

    /// Counts `bytes` of a body in favour of its sender.
    #[inline(always)]
    fn pace(&mut self, bytes: usize, now: Instant, limits: &Limits) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_48_bytes() {
        assert_eq!(size_of::<Connection>(), 48);
    }
}
