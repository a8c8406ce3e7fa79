//! Calls whose connection is lost, or could not be made.
//!
//! | the server | the request | then |
//! |---|---|---|
//! | has seen nothing of it, provably | any | it goes again, after ever longer pauses, within a budget |
//! | has closed a connection that was at rest, and answered nothing | may be repeated | it goes again, once, on a fresh connection |
//! | anything else | any | an error, which says whether it may have been acted on |

use core::time::Duration;

use super::{Call, State};
use crate::client::connecting::{DialError, Phase};
use crate::client::http::error::ErrorKind;
use crate::client::http::retry;
use crate::http1;
use crate::http2::{self, ErrorCode, StreamError};
use crate::link::{EndReason, ProtocolError};
use crate::wire::Instant;

impl Call {
    pub(crate) fn unreachable(&mut self, error: DialError, now: Instant) {
        self.counts.made = self.counts.made.saturating_add(1);
        let dice = self.policy.dice.roll();
        let pause = self
            .policy
            .retries
            .pause_unreachable(self.counts.made, dice);
        if let Some(pause) = pause.filter(|_| !error.is_cancelled() && now < self.until) {
            let at = now + pause;
            self.state = State::Connect { fresh: false, at };
            return;
        }
        let phase = error.phase();
        self.fail(phase, ErrorKind::Unreachable(error));
    }

    /// A connection opened for it died unused. Within limits it wants another.
    pub(crate) fn unused(&mut self, now: Instant) {
        match (self.state, self.unseen_again(now)) {
            (State::Connect { fresh, .. }, Some(at)) => self.state = State::Connect { fresh, at },
            _ => self.fail(Phase::Connect, ErrorKind::Closed),
        }
    }

    /// When a request goes again that no server has looked at; `None` if it does not.
    fn unseen_again(&mut self, now: Instant) -> Option<Instant> {
        if self.counts.unseen >= self.limits().unseen_attempts {
            return None;
        }
        let pause = match self.counts.unseen {
            0 => Duration::ZERO,
            n => retry::pause_unseen(n, self.policy.dice.roll()),
        };
        let at = now + pause;
        let goes = at < self.until && self.policy.unseen.take();
        self.counts.unseen += u16::from(goes);
        goes.then_some(at)
    }

    pub(super) fn lost(&mut self, why: EndReason, now: Instant) {
        match self.state {
            State::Asked => {}
            State::Discarding { fresh, at, .. } => {
                self.state = State::Connect { fresh, at };
                return;
            }
            State::Answered | State::Receiving if !self.answer.content.has_ended() => {
                return self.fail(Phase::Body, kind(why));
            }
            _ => return,
        }
        let is_unseen = self.is_unseen(why);
        let is_refused = is_refused(why);
        let phase = self.phase();
        // A body of which something was given has to be one that can be given again.
        let can_go_again = self.can_give_again();
        let unseen_at = match is_unseen && can_go_again {
            true => self.unseen_again(now),
            false => None,
        };
        let at = if let Some(at) = unseen_at {
            at
        } else if can_go_again && self.is_stale(why) && self.bears_stale() {
            self.counts.stale = true;
            now
        } else {
            return self.fail_as(phase, kind(why), !is_unseen);
        };
        self.attempt.giving = None;
        // One that refuses a stream may take the next.
        let fresh = !is_refused;
        self.state = State::Connect { fresh, at };
    }

    /// Whether the server has provably not looked at the request.
    fn is_unseen(&self, why: EndReason) -> bool {
        self.attempt.handed_over == 0
            || is_refused(why)
            || self.attempt.stream > self.attempt.last_stream
    }

    fn is_stale(&self, why: EndReason) -> bool {
        let has_died = match why {
            EndReason::Finished | EndReason::Disconnected | EndReason::Reset => true,
            EndReason::ProtocolError(error) => is_end(error),
            EndReason::Transport => true,
            _ => false,
        };
        self.attempt.reused && self.attempt.received == 0 && has_died
    }
}

/// Whether the server has refused the stream, and not looked at it (RFC 9113 §8.7).
fn is_refused(why: EndReason) -> bool {
    let refused = ErrorCode::REFUSED_STREAM.code();
    matches!(why, EndReason::StreamReset { code } if code == refused)
}

/// Whether the fault is that nothing more came.
const fn is_end(error: ProtocolError) -> bool {
    matches!(
        error,
        ProtocolError::Http1(http1::ProtocolError::Incomplete)
            | ProtocolError::Http2(http2::ProtocolError::PingTimeout)
    )
}

const fn kind(why: EndReason) -> ErrorKind {
    match why {
        EndReason::Finished | EndReason::Disconnected => ErrorKind::Closed,
        EndReason::Reset | EndReason::Aborted | EndReason::Stalled => ErrorKind::Reset,
        EndReason::StreamReset { code } => ErrorKind::StreamReset(code),
        EndReason::StreamError(error) => match error {
            StreamError::TooManyFields => ErrorKind::TooLarge("fields"),
            StreamError::ListTooLarge => ErrorKind::TooLarge("head"),
            error => ErrorKind::Stream(error),
        },
        EndReason::Transport => ErrorKind::Transport(None),
        EndReason::ProtocolError(ProtocolError::Http1(error)) => match error {
            http1::ProtocolError::Incomplete => ErrorKind::Closed,
            http1::ProtocolError::HeadTooLarge | http1::ProtocolError::TrailersTooLarge => {
                ErrorKind::TooLarge("head")
            }
            http1::ProtocolError::TooManyFields => ErrorKind::TooLarge("fields"),
            error => ErrorKind::Protocol(ProtocolError::Http1(error)),
        },
        EndReason::ProtocolError(ProtocolError::Http2(http2::ProtocolError::FieldTooLarge)) => {
            ErrorKind::TooLarge("head")
        }
        EndReason::ProtocolError(error) => ErrorKind::Protocol(error),
        _ => ErrorKind::Closed,
    }
}
