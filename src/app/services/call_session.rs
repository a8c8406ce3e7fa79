//! A call that stays open after its request's head has been handled.
//!
//! ```text
//!             body ends, the method runs
//!  Receiving ─────────────┬────────────► answered completely
//!      │                  ├─► Owing ────► a response is posted ─► answered
//!      │ violation,       └─► Streaming ─► messages ... a status
//!      │ deadline                 │ ▲
//!      └──────► a status ◄────────┘ └─ each message of the request
//! ```

mod events;

use alloc::boxed::Box;
use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use super::codec::CallStatus;
use super::guard::failed;
use super::inbox::{broken, charge, exhausted, inflated};
use super::later::Posted;
use super::methods::Answer;
use super::responses::{Source, Turn};
use super::running::{Receiving, run};
use super::sending::Sending;
use crate::app::channels::format::Delivery;
use crate::app::exchange::client::{Client, Count};
use crate::app::exchange::session::SessionContext;
use crate::app::exchange::timer_token;
use crate::app::publishing::handle::HandleMessage;
use crate::app::telemetry::metrics::Kind;
use crate::grpc::{self, Code, Status};
use crate::link::{DrainBuffer, EndReason};
use crate::net::{Claim, TimerId};
use crate::wire::{Instant, Received, Step};

/// A call on its loop.
pub(super) struct CallSession {
    pub(super) sending: Sending,
    deadline: Option<Instant>,
    timer: Option<TimerId>,
    message_timer: Option<TimerId>,
    state: State,
    /// Bytes of messages that have arrived and have not been looked at: part of one, or
    /// those that came while the method was busy.
    kept: DrainBuffer,
    requests: Requests,
    paused: bool, // nothing is read from the client
    _claim: Claim,
}

enum State {
    /// The body of one message is arriving.
    Receiving(Box<Receiving>),
    /// The method has promised a response.
    Owing,
    /// Messages are being sent, and may be received.
    Streaming(Box<dyn Source>),
    /// The call is over.
    Ended,
}

/// How far the messages of the request are, where the method takes each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Requests {
    /// They are arriving.
    Open,
    /// All are here, but not all have been looked at.
    Here,
    /// The method has had them all.
    Done,
}

impl CallSession {
    /// A call whose request's one message is arriving.
    pub(super) fn receiving(
        sending: Sending,
        deadline: Option<Instant>,
        receiving: Box<Receiving>,
        claim: Claim,
    ) -> Self {
        Self::new(sending, deadline, State::Receiving(receiving), claim)
    }

    /// A call that stays open with what its method has answered.
    pub(super) fn answered(
        sending: Sending,
        deadline: Option<Instant>,
        answer: Answer,
        claim: Claim,
    ) -> Self {
        let state = match answer {
            Answer::Message => State::Ended,
            Answer::Later => State::Owing,
            Answer::Stream(source) => State::Streaming(source),
        };
        Self::new(sending, deadline, state, claim)
    }

    /// A call whose messages are given to `source` as they come.
    pub(super) fn talking(
        sending: Sending,
        deadline: Option<Instant>,
        source: Box<dyn Source>,
        claim: Claim,
    ) -> Self {
        Self {
            requests: Requests::Open,
            ..Self::new(sending, deadline, State::Streaming(source), claim)
        }
    }

    const fn new(sending: Sending, deadline: Option<Instant>, state: State, claim: Claim) -> Self {
        Self {
            sending,
            deadline,
            timer: None,
            message_timer: None,
            state,
            kept: DrainBuffer::new(),
            requests: Requests::Done,
            paused: false,
            _claim: claim,
        }
    }

    /// The session has its place.
    fn open(&mut self, at: &mut SessionContext<'_, '_>) {
        if let Some(deadline) = self.deadline {
            let left = deadline.saturating_since(at.context.now());
            self.timer = at.context.set_timer(left, timer_token::CALL).ok();
            if self.timer.is_none() {
                let status = Status::new(Code::ResourceExhausted, "too many deadlines");
                return self.end_with(at, status.into(), EndReason::Aborted);
            }
        }
        self.begin_stream(at);
    }

    /// The first turn of what streams.
    fn begin_stream(&mut self, at: &mut SessionContext<'_, '_>) {
        let State::Streaming(source) = &self.state else {
            return;
        };
        let at_once = source.opens_at_once();
        if source.is_live() {
            self.sending.client = Some(Client::new(
                at,
                Kind::Grpc,
                &Count::default(),
                Delivery::Object,
            ));
        }
        self.turn(at, Turn::Open);
        if at_once && !self.sending.is_ended() {
            self.sending.open(at);
        }
    }

    /// The call ends now, wherever it is.
    pub(super) fn end_with(
        &mut self,
        at: &mut SessionContext<'_, '_>,
        status: CallStatus,
        why: EndReason,
    ) {
        self.sending.finish(at, status);
        self.tell(at, why);
    }

    /// Tells what streams that the call is over.
    fn tell(&mut self, at: &mut SessionContext<'_, '_>, why: EndReason) {
        self.turn(at, Turn::Ended(why));
        self.state = State::Ended;
    }

    /// Calls what streams; its panic is the end of the call.
    pub(super) fn turn(&mut self, at: &mut SessionContext<'_, '_>, turn: Turn<'_>) {
        let State::Streaming(source) = &mut self.state else {
            return;
        };
        let call = AssertUnwindSafe(|| source.turn(at, &mut self.sending, turn));
        if catch_unwind(call).is_err() {
            self.state = State::Ended;
            let status = failed(at.loop_state, &self.sending.rules);
            self.sending.finish(at, status);
        }
    }

    /// A piece of the request's body arrived.
    fn receive(&mut self, at: &mut SessionContext<'_, '_>, piece: &mut [u8]) {
        match &mut self.state {
            State::Receiving(receiving) => {
                let Sending { machine, rules, .. } = &mut self.sending;
                receiving.inbox.charge_to(at.context);
                let pushed = receiving.inbox.push(piece, machine, &rules.limits);
                pushed.unwrap_or_else(|status| self.end_with(at, status, EndReason::Aborted));
            }
            State::Streaming(_) if self.requests == Requests::Open => {
                let used = match self.kept.is_empty() {
                    true => self.pump(at, piece),
                    false => 0, // in its order
                };
                let rest = piece.get(used..).unwrap_or_default();
                if rest.is_empty() || self.is_over() {
                    return;
                }
                charge(&mut self.kept, at.context);
                if self.kept.try_push(rest).is_err() {
                    self.end_with(at, exhausted(), EndReason::Aborted);
                }
            }
            State::Streaming(_) | State::Owing | State::Ended => {}
        }
    }

    /// Gives messages at the front of `input` to what streams; how much was used.
    fn pump(&mut self, at: &mut SessionContext<'_, '_>, input: &mut [u8]) -> usize {
        let mut used = 0;
        while self.listens() {
            let rest = input.get_mut(used..).unwrap_or_default();
            let left = rest.len();
            let Sending { machine, rules, .. } = &mut self.sending;
            let Received { used: now, step } = match machine.receive(rest, &rules.limits) {
                Ok(received) => received,
                Err(violation) => {
                    self.end_with(at, broken(violation), EndReason::Aborted);
                    break;
                }
            };
            used += now; // at most what was given
            match step {
                Step::Event(message) => self.message(at, &message),
                Step::Need(_) if (1..left).contains(&now) => {}
                Step::Need(_) | Step::Paused | Step::Full | Step::Done => break,
            }
        }
        used
    }

    /// Whether what streams wants a message now.
    fn listens(&self) -> bool {
        let is_free = !self.sending.waiting && !self.sending.held && !self.sending.is_ended();
        is_free && self.requests != Requests::Done && matches!(self.state, State::Streaming(_))
    }

    fn message(&mut self, at: &mut SessionContext<'_, '_>, message: &grpc::Message<'_>) {
        stop(&mut self.message_timer, at);
        at.loop_state.metrics.received_message(message.bytes.len());
        self.sending.outgoing.was_compressed = message.compressed;
        let (limits, packed) = (self.sending.rules.limits, message.compressed);
        let mapping = self.sending.mapping().cloned();
        let turn = inflated(at, &limits, (message.bytes, packed), |at, bytes| {
            let mapped = mapping.map(|mapping| mapping.read(bytes)).transpose()?;
            self.turn(at, Turn::Message(mapped.as_deref().unwrap_or(bytes)));
            Ok(())
        });
        if let Err(status) = turn.and_then(|it| it) {
            self.end_with(at, status, EndReason::Aborted);
        }
    }

    /// The request's body has ended.
    fn half_close(&mut self, at: &mut SessionContext<'_, '_>, dropped: u16) {
        at.loop_state.metrics.dropped_trailers(dropped);
        match core::mem::replace(&mut self.state, State::Ended) {
            State::Receiving(receiving) => self.run(at, &receiving),
            state => {
                self.state = state;
                if self.requests == Requests::Open {
                    self.requests = Requests::Here;
                }
            }
        }
    }

    /// The one message of the request has been received.
    fn run(&mut self, at: &mut SessionContext<'_, '_>, receiving: &Receiving) {
        let message = match receiving.inbox.end(&mut self.sending.machine) {
            Ok(message) => message,
            Err(status) => return self.end_with(at, status, EndReason::Aborted),
        };
        let head = (receiving.fields.as_fields(), self.deadline);
        match run(&*receiving.run, message, head, &mut self.sending, at) {
            Some(Answer::Stream(source)) => {
                self.state = State::Streaming(source);
                self.begin_stream(at);
            }
            Some(Answer::Later) => self.state = State::Owing,
            Some(Answer::Message) | None => {}
        }
    }

    fn posted(&mut self, at: &mut SessionContext<'_, '_>, posted: Posted) {
        match posted {
            // A sender on another thread cannot wait.
            Posted::Message(bytes) => {
                self.sending.send(at, |out| out.extend_from_slice(&bytes));
            }
            Posted::Response(bytes) => {
                let sent = self.sending.send(at, |out| out.extend_from_slice(&bytes));
                if sent.is_taken() {
                    self.sending.finish_ok(at);
                }
            }
            Posted::End(status) => self.sending.finish(at, status),
        }
    }

    fn handle_message(&mut self, at: &mut SessionContext<'_, '_>, handle_message: HandleMessage) {
        match (handle_message, &self.state) {
            (HandleMessage::Mail(mail), _) => self.turn(at, Turn::Mail(mail)),
            (HandleMessage::Send(_, payload), State::Streaming(_)) => {
                self.sending.send(at, |out| out.extend_from_slice(&payload));
            }
            (HandleMessage::Close(..), State::Streaming(_)) => {
                self.end_with(at, Status::OK.into(), EndReason::Aborted);
            }
            (HandleMessage::SendAway(time), State::Streaming(source)) if source.is_live() => {
                let message = alloc::format!("retry in {} ms", time.as_millis());
                let status = CallStatus::new(Code::Unavailable, message.into());
                self.end_with(at, status, EndReason::Drained);
            }
            (HandleMessage::SendAway(_), _) => {} // it is answered soon
            (HandleMessage::Answered(channel, token, answered), _) => {
                self.channel_answered(at, (&channel, token, answered));
            }
            (HandleMessage::Send(..) | HandleMessage::Close(..), _) => {}
        }
    }

    /// The response has been owed for too long. A stream just says that it is
    /// one; a single answer will not come any more.
    fn no_reply(&mut self, at: &mut SessionContext<'_, '_>) {
        match &self.state {
            State::Streaming(source) if !source.is_owing() => {
                self.sending.open(at);
            }
            State::Streaming(_) | State::Receiving(_) | State::Owing | State::Ended => {
                let status = Status::new(Code::DeadlineExceeded, "the method gave no answer");
                self.time_out(at, status.into());
            }
        }
    }

    /// The call has taken too long.
    fn time_out(&mut self, at: &mut SessionContext<'_, '_>, status: CallStatus) {
        if matches!(&self.state, State::Streaming(source) if source.is_polled()) {
            at.loop_state.metrics.counters.futures_timed_out.add(1);
        }
        self.end_with(at, status, EndReason::Aborted);
    }

    fn is_over(&self) -> bool {
        self.sending.is_ended() || matches!(self.state, State::Ended)
    }

    /// Starts a timer that runs while a message that is wanted is incomplete.
    fn watch_message(&mut self, at: &mut SessionContext<'_, '_>) {
        let is_part = match &self.state {
            State::Receiving(receiving) => receiving.inbox.is_part(),
            State::Streaming(_) => !self.kept.is_empty() && self.listens(),
            State::Owing | State::Ended => false,
        };
        match (is_part, self.message_timer) {
            (true, None) => {
                let time = self.sending.rules.limits.message_time;
                self.message_timer = at.context.grant_time(time, timer_token::MESSAGE).ok();
                if self.message_timer.is_none() {
                    let status = Status::new(Code::ResourceExhausted, "too many deadlines");
                    self.end_with(at, status.into(), EndReason::Aborted);
                }
            }
            (false, Some(_)) => stop(&mut self.message_timer, at),
            (true, Some(_)) | (false, None) => {}
        }
    }

    /// Does the work that is left after an event has been looked at.
    fn settle(&mut self, at: &mut SessionContext<'_, '_>) {
        if !self.kept.is_empty() && self.listens() {
            let mut kept = core::mem::take(&mut self.kept);
            let used = self.pump(at, kept.unused_mut());
            kept.advance(used);
            kept.release(0);
            self.kept = kept;
        }
        if self.requests == Requests::Here && self.listens() {
            self.requests = Requests::Done;
            match self.sending.machine.receive_eof() {
                Ok(()) => self.turn(at, Turn::HalfClosed),
                Err(violation) => self.end_with(at, broken(violation), EndReason::Aborted),
            }
        }
        if !self.is_over() {
            self.sending.flush(at);
            self.sending.book(at);
        }
        self.watch_message(at);
        let reads = self.requests != Requests::Open || self.is_over() || self.listens();
        if reads == self.paused {
            self.paused = !reads;
            at.context.set_reading(reads);
        }
    }
}

/// Cancels a timer that runs.
fn stop(timer: &mut Option<TimerId>, at: &mut SessionContext<'_, '_>) {
    if let Some(timer) = timer.take() {
        at.context.cancel_timer(timer);
    }
}
