//! The machine: its state, and its beginning and end.

mod body;
mod incoming;
mod intake;
mod receive;
mod request;
mod respond;
mod resting;
mod send;
mod time;

use self::intake::{BodyDemand, Intake, Reading};
use super::encode;
use super::state::{Exchange, Input, Request, Response};
use super::{Closing, ProtocolError};
use crate::http::{Asks, Status, date::Date};
use crate::wire::{Instant, Role, Sink};

/// One HTTP/1.1 connection, in either role.
///
/// It owns no bytes: heads and bodies are read where the caller keeps them,
/// and 48 bytes of state remain between calls. A clone is a snapshot: together
/// with the output as it was, it takes back what was sent since and not yet
/// flushed.
///
/// # Calls, and their order
///
/// - **Input**: [`receive`](Self::receive) when bytes have arrived, and again until
///   it gives no event; [`receive_eof`](Self::receive_eof) when no more will arrive.
///   Only these give events, and each may change the answer of every other call.
/// - **Responses** (server): one for each [`Event::Request`](super::Event::Request). First
///   [`accept_body`](Self::accept_body) or [`refuse_body`](Self::refuse_body), if its
///   content follows; then [`send_informational`](Self::send_informational), as often
///   as wanted; then [`send_whole`](Self::send_whole), or
///   [`send_response`](Self::send_response), [`send_body`](Self::send_body) and
///   [`send_end`](Self::send_end), or [`send_switching`](Self::send_switching). After
///   the end of a response `receive` is worth a call without new bytes: the next
///   request may have been received already.
/// - **Requests** (client): [`send_request`](Self::send_request), then
///   [`send_body`](Self::send_body) and [`send_end`](Self::send_end) if it has a body.
///   The next one may follow once both messages are complete:
///   [`is_idle`](Self::is_idle).
/// - **Time**: [`deadline`](Self::deadline) before the caller waits, because every
///   call above may move it; [`elapsed`](Self::elapsed) when it has come.
/// - **The transport**: [`resume`](Self::resume) once our side takes input again that
///   it withheld; [`under_way`](Self::under_way) while the peer takes output. They move
///   the deadline and change nothing else.
/// - **The end**: [`shutdown`](Self::shutdown) asks for it;
///   [`closing`](Self::closing) says when the transport ends, and how.
///
/// All other calls take `&self`, and may come at any time.
///
/// Pipelined requests are given one by one, each after the response to the one before:
/// that response may end the connection or hand it to another protocol, and then what
/// stands after its request is no request.
#[derive(Debug, Clone)]
pub struct Connection {
    intake: Intake,
    /// Bytes of the body of announced length that we still have to send.
    owed: u64,
    /// The time from which the present deadline counts. In a body it advances with the
    /// bytes that come in, never past now.
    since: Instant,
    exchange: Exchange,
    sending: Sending,
    asked: RequestKind,
    after: After,
    shutdown: bool,
    role: Role,
    refused: bool,
}

/// How the body is framed that we send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sending {
    Nothing,
    Fixed,
    Chunked,
    UntilClose,
    /// Taken from the application and dropped: no content may follow the head.
    Swallowed,
}

/// The kind of a request: a plain one, or one that asks for more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RequestKind {
    Plain,
    /// HEAD: a response without content.
    Head,
    Tunnel,
    Upgrade,
}

impl RequestKind {
    #[inline(always)]
    const fn asks(self) -> Asks {
        match self {
            Self::Plain | Self::Upgrade => Asks::Content,
            Self::Head => Asks::Head,
            Self::Tunnel => Asks::Tunnel,
        }
    }
}

/// The fate of the connection after this exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    /// It lives on; a body that is still to come may be any length.
    Keep,
    /// It lives on; what is still to come of the body is little enough to be
    /// discarded.
    KeepDraining,
    Close,
    /// It closes, but the peer may still be sending.
    Linger,
}

impl Connection {
    /// A connection that has just been opened. A server's
    /// [`Limits::head_timeout`](super::Limits::head_timeout) for the first request counts from `now`.
    pub const fn new(role: Role, now: Instant) -> Self {
        Self {
            intake: Intake::new(role),
            owed: 0,
            since: now,
            exchange: Exchange::IDLE,
            sending: Sending::Nothing,
            asked: RequestKind::Plain,
            after: After::Keep,
            shutdown: false,
            role,
            refused: false,
        }
    }

    /// Ends the connection gracefully: what runs is finished, the next
    /// response (a client's next request) says `Connection: close`, and an
    /// idle connection is done immediately.
    pub const fn shutdown(&mut self) {
        self.shutdown = true;
        if self.is_idle() {
            self.close(After::Close);
        }
    }

    /// Ends the connection gracefully after the next exchange, or the one that runs:
    /// what is idle waits for a request first, but not beyond half a second from its
    /// beginning or its last exchange.
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

    /// Whether no exchange is under way and no byte of a next one was received.
    #[inline]
    pub const fn is_idle(&self) -> bool {
        matches!(self.exchange.request, Request::Idle) && !self.intake.is_in_line()
    }

    /// Whether a request was received (server) or sent (client) whose final
    /// response has not begun.
    #[inline]
    pub const fn awaits_response(&self) -> bool {
        matches!(self.exchange.response, Response::Owed)
    }

    /// Whether nothing comes of further input before the server's owner has
    /// said what becomes of the request.
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
            && matches!(
                self.intake.wanted,
                BodyDemand::Offered | BodyDemand::Expected
            )
    }

    /// Whether the peer was told `100 Continue` and has sent nothing of the body
    /// that it is asked for.
    pub(crate) const fn is_continued(&self) -> bool {
        matches!(self.exchange.request, Request::Body)
            && matches!(self.intake.wanted, BodyDemand::Continued)
    }

    /// The status that the machine itself has answered a [`ProtocolError`] with;
    /// `None` without one, and where it came too late for an answer.
    pub fn refusal(&self) -> Option<Status> {
        self.intake
            .failed
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
        // After the beginning of a response another one would be read as its content.
        let unanswered = matches!(self.exchange.response, Response::Idle | Response::Owed);
        if self.role == Role::Server && unanswered && out.room() >= encode::CONTROL_ROOM {
            encode::put_refusal(violation, date, out);
            self.refused = violation.status().is_some();
        }
        self.intake.failed = Some(violation);
        self.close(match self.role {
            Role::Server => After::Linger,
            Role::Client => After::Close,
        });
        violation
    }

    const fn close(&mut self, after: After) {
        self.after = after;
        self.exchange.take(Input::Close);
    }

    /// Begins the wait for the next exchange, after one that is over.
    #[inline(always)]
    const fn wait_for_next(&mut self, now: Instant) {
        self.intake.wait_for_next();
        self.since = now;
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
                self.wait_for_next(now);
            }
            (Request::Done, Response::Done, After::Close | After::Linger) => {
                self.close(self.after);
            }
            // A server that answers early may not read the rest, and where it would stop is not
            // known.
            (Request::Body, Response::Done, _) if self.role == Role::Client => {
                self.close(After::Close);
            }
            // The answer was complete before the request: what follows of it
            // is of no use.
            (Request::Body, Response::Done, After::KeepDraining) => self.drain(now),
            // Chunks may be few, and the head that would have said otherwise has left.
            (Request::Body, Response::Done, After::Keep) if self.is_chunked() => {
                self.after = After::KeepDraining;
                self.drain(now);
            }
            (Request::Body, Response::Done, After::Keep | After::Close | After::Linger) => {
                self.close(After::Linger);
            }
            _ => {}
        }
    }

    const fn is_chunked(&self) -> bool {
        matches!(self.intake.reading(), Reading::Chunked(_))
    }

    /// Discards what is still to come of the request's body.
    const fn drain(&mut self, now: Instant) {
        self.intake.wanted = BodyDemand::Refused;
        self.since = now;
    }
}

#[cfg(test)]
mod tests;
