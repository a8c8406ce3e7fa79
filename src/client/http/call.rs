//! One call without I/O: a request, through all connections, redirects and further
//! attempts that it takes, to the last byte of its response.
//!
//! ```text
//!            ┌───────────────── again: another connection ─────────────────┐
//!            ▼                                                             │
//!   Connect ──begin──► Asked ──Response──► Answered ──taken──► Receiving   │
//!                        │                                        │        │
//!                        ├── a redirect, a status to retry ──► Discarding ─┤
//!                        └── lost, and nothing was acted on ───────────────┘
//!   Receiving ──End──► Ended            any of them ──► Failed
//! ```
//!
//! The owner of connections drives it. It asks [`next`](Call::next) what to do; gives
//! each event of the connection to [`event`](Call::event), and says by
//! [`moved`](Call::moved), before it asks again, how far the connection has come: what
//! may be done about a lost connection depends on that.

mod attempt;
mod events;
mod loss;
mod sending;
mod time;

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem;

use self::attempt::Attempt;
pub(super) use self::attempt::{Answer, Informational};
use super::error::{Error, ErrorKind};
use super::limits::ClientLimits;
use super::policy::Policy;
use super::request::Request;
use super::spare;
use crate::client::connecting::{Phase, Url};
use crate::link::EndReason;
use crate::wire::Instant;

/// A call under way.
#[derive(Debug)]
pub(super) struct Call {
    request: Request,
    policy: Arc<Policy>,
    state: State,
    attempt: Attempt,
    answer: Answer,
    informational: VecDeque<Informational>,
    informed: u16,
    started: Instant,
    until: Instant,
    visited: Vec<Url>,
    counts: Counts,
    /// The server did not understand the expectation.
    unexpecting: bool,
    failure: Option<Error>,
}

/// Counts of events that may happen only so often.
#[derive(Debug, Default)]
struct Counts {
    followed: u16,
    /// Attempts, those included that a status has asked for.
    made: u16,
    /// Attempts that the server has provably not looked at.
    unseen: u16,
    /// It went again because a connection at rest was dead.
    stale: bool,
    /// A redirect has led to another origin than it was made for.
    elsewhere: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Connect {
        fresh: bool,
        at: Instant,
    },
    /// The request is under way, and the head of the response has not come.
    Asked,
    /// The request is under way, but its response is not the answer: the rest is dropped, then
    /// the next request goes.
    Discarding {
        left: u64,
        fresh: bool,
        at: Instant,
    },
    /// The head is here, and the caller has not taken it.
    Answered,
    /// The body is being received, or taken.
    Receiving,
    Ended,
    Failed,
}

#[derive(Debug)]
pub(super) enum Step {
    /// Events of its connection, or that its [deadline](Call::deadline) passes.
    Wait,
    /// A connection to the [URL](Call::url), not before `at`; then [`begin`](Call::begin) or
    /// [`unreachable`](Call::unreachable). The former one is given up.
    Connect {
        /// One that has carried no request.
        fresh: bool,
        at: Instant,
    },
    Informational(Informational),
    Head,
    /// A piece of the body is here: [`piece`](Call::piece).
    Piece,
    End,
    /// The call has failed. Its connection is to be closed.
    Failed(Error),
}

impl Call {
    pub(super) fn new(mut request: Request, policy: Arc<Policy>, now: Instant) -> Self {
        if let Some(own) = &mut request.limits {
            **own = own.below(&policy.limits);
        }
        let limits = request.limits.as_deref().unwrap_or(&policy.limits);
        let until = now + limits.total_time;
        Self {
            request,
            policy,
            state: State::Connect {
                fresh: false,
                at: now,
            },
            attempt: Attempt::none(now),
            answer: Answer::none(),
            informational: VecDeque::new(),
            informed: 0,
            started: now,
            until,
            visited: Vec::new(),
            counts: Counts::default(),
            unexpecting: false,
            failure: None,
        }
    }

    pub(super) fn start(&mut self, now: Instant) {
        self.started = now;
        self.until = now + self.limits().total_time;
        self.attempt.since = now;
        self.state = State::Connect {
            fresh: false,
            at: now,
        };
    }

    pub(super) const fn wants_connection(&self) -> bool {
        matches!(self.state, State::Connect { .. })
    }

    pub(super) fn next(&mut self, now: Instant) -> Step {
        // What has come is given out before what has become of the connection.
        if !matches!(self.state, State::Answered | State::Receiving) {
            self.settle(now);
        }
        if let Some(informational) = self.informational.pop_front() {
            return Step::Informational(informational);
        }
        match self.state {
            State::Connect { fresh, at } => Step::Connect { fresh, at },
            State::Asked | State::Discarding { .. } => Step::Wait,
            State::Answered => {
                self.state = State::Receiving;
                Step::Head
            }
            State::Receiving => match self.next_piece() {
                Step::Wait if self.attempt.lost.is_some() => {
                    self.settle(now);
                    Step::Failed(self.take_failure())
                }
                step => step,
            },
            State::Ended => Step::End,
            State::Failed => Step::Failed(self.take_failure()),
        }
    }

    pub(super) fn settle(&mut self, now: Instant) {
        if let Some(why) = self.attempt.lost.take() {
            self.lost(why, now);
        }
    }

    fn next_piece(&mut self) -> Step {
        if let Err(kind) = self.answer.content.prepare() {
            self.fail(Phase::Body, kind);
            return Step::Failed(self.take_failure());
        }
        if !self.answer.content.piece().is_empty() {
            return Step::Piece;
        }
        if self.answer.content.has_ended() {
            self.state = State::Ended;
            return Step::End;
        }
        Step::Wait
    }

    fn take_failure(&mut self) -> Error {
        let again = || Error::new(Phase::Body, ErrorKind::Closed);
        self.failure.take().unwrap_or_else(again)
    }

    pub(super) const fn url(&self) -> &Url {
        &self.request.url
    }

    pub(super) fn limits(&self) -> &ClientLimits {
        let own = self.request.limits.as_deref();
        own.unwrap_or(&self.policy.limits)
    }

    pub(super) const fn request(&self) -> &Request {
        &self.request
    }

    /// Whether a resting connection that may be dead will do: the request can go again.
    pub(super) fn bears_stale(&self) -> bool {
        self.request.is_repeatable() && self.request.body.bytes().is_some() && !self.counts.stale
    }

    pub(super) const fn started(&self) -> Instant {
        self.started
    }

    pub(super) fn piece(&self) -> &[u8] {
        self.answer.content.piece()
    }

    pub(super) fn consume(&mut self, bytes: usize) {
        self.answer.content.consume(bytes);
    }

    /// All of the body, if it has come and nothing was taken of it.
    pub(super) fn take_whole(&mut self) -> Option<Vec<u8>> {
        let whole = self.answer.content.take_whole();
        if whole.is_some() {
            self.state = State::Ended;
        }
        whole
    }

    /// Keeps the memory of the response for the next call. It is not to be used any more.
    pub(super) fn recycle(&mut self) {
        spare::give_fields(mem::take(&mut self.answer.fields));
        spare::give_content(self.answer.content.give_up());
    }

    /// Lets the server go on though nothing is taken, as all of the body is wanted.
    pub(super) const fn want_whole(&mut self) {
        self.answer.content.credit();
    }

    pub(super) const fn head(&self) -> &Answer {
        &self.answer
    }

    pub(super) fn take_answer(&mut self) -> Answer {
        spare::give_content(self.answer.content.give_up());
        mem::replace(&mut self.answer, Answer::none())
    }

    /// All of the request leaves with what its connection writes next.
    pub(super) const fn leaves(&mut self) {
        self.attempt.is_out = true;
    }

    /// It did not leave.
    pub(super) const fn stays(&mut self) {
        self.attempt.is_out = false;
    }

    /// Whether [`take_whole`](Self::take_whole) will have it, once it has come.
    pub(super) fn can_take_whole(&self) -> bool {
        self.answer.content.is_untouched()
    }

    /// Takes what is there of a body that is not wanted; how much that was.
    pub(super) fn drop_piece(&mut self) -> usize {
        self.attempt.giving = None; // nor what the rest of the request would bring
        self.answer.content.drop_received()
    }

    pub(super) fn connection_over(&mut self) {
        self.attempt.lost.get_or_insert(EndReason::Disconnected);
    }

    /// Nothing was sent, and nothing can be.
    pub(super) fn refuse(&mut self, kind: ErrorKind) {
        self.fail_as(Phase::Request, kind, false);
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.state, State::Ended | State::Failed)
    }

    pub(super) const fn is_received(&self) -> bool {
        self.answer.content.has_ended()
    }

    /// The number of the exchange on its connection; 0 if none was begun.
    pub(super) const fn stream(&self) -> u32 {
        self.attempt.stream
    }

    /// Whether some of the body is still to be given to the connection.
    pub(super) const fn is_giving(&self) -> bool {
        self.attempt.giving.is_some()
    }

    pub(super) fn wants_pieces(&self) -> bool {
        !self.is_over() && (self.is_giving() || self.request.body.feed().is_some())
    }

    /// Counts of decoding since the last call: coding, coded and plain bytes.
    pub(super) fn decoded(&mut self) -> impl Iterator<Item = (&'static str, usize, usize)> {
        self.answer.content.decoded()
    }

    pub(super) fn held(&self) -> usize {
        self.answer.content.memory()
    }

    /// Whether it needs its connection no more: all was received and verified.
    pub(super) fn is_through(&self) -> bool {
        self.is_received() && (!self.answer.is_decoded || self.state == State::Ended)
    }

    pub(super) const fn carried(&self) -> (u64, u64) {
        (self.attempt.handed_over, self.attempt.received)
    }

    /// Ends it for a reason of the caller's.
    pub(super) fn abandon(&mut self, kind: ErrorKind) {
        let phase = self.phase();
        self.fail(phase, kind);
    }

    fn phase(&self) -> Phase {
        match self.state {
            State::Connect { .. } => Phase::Pool,
            State::Asked if self.is_sending() => Phase::Send,
            State::Asked | State::Discarding { .. } => Phase::Response,
            State::Answered | State::Receiving | State::Ended | State::Failed => Phase::Body,
        }
    }

    /// Whether some of the request is not out.
    pub(super) fn is_sending(&self) -> bool {
        self.state == State::Asked && (self.attempt.giving.is_some() || !self.attempt.is_out)
    }

    /// Whether nothing can be done but to wait.
    pub(super) fn is_waiting(&self) -> bool {
        self.attempt.lost.is_none()
            && match self.state {
                State::Asked | State::Discarding { .. } => self.informational.is_empty(),
                State::Answered => false,
                State::Receiving => !self.is_received(),
                State::Connect { .. } | State::Ended | State::Failed => false,
            }
    }

    fn fail(&mut self, phase: Phase, kind: ErrorKind) {
        let may = match self.state {
            State::Connect { .. } => false,
            State::Asked => self.attempt.handed_over > 0,
            _ => true,
        };
        self.fail_as(phase, kind, may);
    }

    fn fail_as(&mut self, phase: Phase, kind: ErrorKind, may_have_been_processed: bool) {
        if matches!(self.state, State::Failed | State::Ended) {
            return;
        }
        self.state = State::Failed;
        self.failure = Some(
            self.blame(phase, kind)
                .possibly_processed(may_have_been_processed),
        );
    }

    pub(super) fn blame(&self, phase: Phase, kind: ErrorKind) -> Error {
        let method = self.request.method.get();
        Error::new(phase, kind).of(method.as_str(), &self.request.url)
    }
}

#[cfg(test)]
mod tests;
