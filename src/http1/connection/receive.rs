//! The reading half of the machine.

use super::incoming::ReceivedHead;
use super::intake::{Reading, field_room};
use super::{After, BodyDemand, Connection, RequestKind};
#[cfg(feature = "alloc")]
use crate::http::KnownRequests;
use crate::http::{
    CallContext, Content, ContentFraming, FieldRange, Fields, ResponseContent, ResponseHead,
    date::Date,
};
use crate::http1::encode;
use crate::http1::length::{self, Framing};
use crate::http1::lines::Head;
use crate::http1::start_line::StatusLine;
use crate::http1::state::{Exchange, Input, Request, Response};
use crate::http1::{Event, Limits, ProtocolError};
#[cfg(feature = "alloc")]
use crate::wire::shortcut;
use crate::wire::{Instant, Received, Role, Sink, Step};

impl Connection {
    /// Takes at most one event from the front of `input`.
    ///
    /// Bytes past `used` come again, in front of what arrives next. What must
    /// be answered immediately is in `out` before this returns.
    ///
    /// [`Step::Paused`] says that our side must act first: a response is owed
    /// before the next request is looked at, or a body waits for
    /// [`accept_body`](Self::accept_body). After [`Step::Done`],
    /// [`closing`](Self::closing) tells how to close, or
    /// [`is_switched`](Self::is_switched) that the rest of the input belongs to
    /// another protocol.
    ///
    /// # Errors
    /// [`ProtocolError`] when the peer broke the protocol. The answer to it is in
    /// `out` unless a response has already begun, and every later call answers
    /// the same.
    #[inline]
    pub fn receive<'b>(
        &mut self,
        input: &'b mut [u8],
        lent: CallContext<'b, Limits>,
        out: &mut impl Sink,
    ) -> Result<Received<Event<'b>>, ProtocolError> {
        if self.role == Role::Server && self.exchange == Exchange::IDLE {
            return self.receive_first(input, lent, out);
        }
        self.receive_more(input, lent, out)
    }

    /// Takes the head of a request from a connection that waits for one.
    #[inline(never)]
    fn receive_first<'b>(
        &mut self,
        input: &'b mut [u8],
        #[cfg_attr(not(feature = "alloc"), expect(unused_mut))] mut lent: CallContext<'b, Limits>,
        out: &mut impl Sink,
    ) -> Result<Received<Event<'b>>, ProtocolError> {
        if out.room() < encode::CONTROL_ROOM {
            return Ok(answer(0, Step::Full));
        }
        #[cfg(feature = "alloc")]
        if shortcut!("known_requests")
            && lent
                .scratch
                .known()
                .is_some_and(KnownRequests::is_worth_a_look)
            && let Some(place) = self.known_place(input, &mut lent)
        {
            return Ok(self.recall(input, lent, place));
        }
        let (limits, now) = (lent.limits, lent.now);
        #[cfg(feature = "alloc")]
        let known = lent.scratch.take_known();
        let ranges = field_room(lent.scratch, limits);
        let mut whole = Head::new();
        // What was received in one piece and is usual has a way of its own, so that its
        // event is made where the caller wants it.
        if !self.find_request(input, ranges, now, limits, &mut whole) {
            return self.receive_head(input, ranges, (now, limits), lent.date, out);
        }
        let found = ReceivedHead::new(input, ranges, 0, &whole);
        let Some(head) = found.usual_head(&whole) else {
            let received = self.take_request(found, &whole, limits);
            return received.map_err(|violation| self.fail(violation, lent.date, out));
        };
        let persists = whole.lines.semantics.usual_persists(head.version);
        self.begin_usual_request(&head, persists);
        #[cfg(feature = "alloc")]
        if let Some(known) = known {
            found.note(known, whole.lines.start, persists);
        }
        let content = Content::None;
        Ok(Received::event(
            found.used,
            Event::Request { head, content },
        ))
    }

    /// Takes the head of a request that was not received in one piece, or is not of the
    /// usual form.
    #[cold]
    #[inline(never)]
    fn receive_head<'b>(
        &mut self,
        input: &'b mut [u8],
        ranges: &'b mut [FieldRange],
        lent: (Instant, &Limits),
        date: Option<&Date>,
        out: &mut impl Sink,
    ) -> Result<Received<Event<'b>>, ProtocolError> {
        self.next_request(input, ranges, lent, true)
            .map_err(|violation| self.fail(violation, date, out))
    }

    /// Takes everything but the head of a new request. Pieces of bodies are looked for
    /// first, because there are most of them.
    #[inline(never)]
    fn receive_more<'b>(
        &mut self,
        input: &'b mut [u8],
        lent: CallContext<'b, Limits>,
        out: &mut impl Sink,
    ) -> Result<Received<Event<'b>>, ProtocolError> {
        if let Some(violation) = self.intake.failed {
            return Err(violation);
        }
        if self.role == Role::Server && out.room() < encode::CONTROL_ROOM {
            return Ok(answer(0, Step::Full));
        }
        let Some((from, len)) = self.next_piece(input, lent.now, lent.limits) else {
            return self.receive_any(input, lent, out);
        };
        let piece = input.get_mut(from..from + len).unwrap_or_default();
        Ok(Received::event(from + len, Event::Body(piece)))
    }

    fn receive_any<'b>(
        &mut self,
        input: &'b mut [u8],
        lent: CallContext<'b, Limits>,
        out: &mut impl Sink,
    ) -> Result<Received<Event<'b>>, ProtocolError> {
        let date = lent.date;
        let received = match self.role {
            Role::Server => self.receive_request(input, lent),
            Role::Client => self.receive_response(input, lent),
        };
        received.map_err(|violation| self.fail(violation, date, out))
    }

    /// [Receives](Self::receive) from the last input of all: nothing comes after it.
    /// To be called until it answers [`Step::Done`]; a peer that has only closed its
    /// sending half still gets its responses.
    ///
    /// # Errors
    /// Those of [`receive`](Self::receive), and [`ProtocolError::Incomplete`] if the
    /// input ends in the middle of a message (RFC 9112 §8).
    pub fn receive_eof<'b>(
        &mut self,
        input: &'b mut [u8],
        lent: CallContext<'b, Limits>,
        out: &mut impl Sink,
    ) -> Result<Received<Event<'b>>, ProtocolError> {
        let (len, now, date) = (input.len(), lent.now, lent.date);
        let received = self.receive(input, lent, out)?;
        match received.step {
            Step::Need(_) => {}
            Step::Paused if received.used == len => {
                // No other request can follow this one.
                self.after = match self.after {
                    After::Keep | After::KeepDraining | After::Close => After::Close,
                    After::Linger => After::Linger,
                };
                return Ok(received);
            }
            Step::Event(_) | Step::Paused | Step::Full | Step::Done => return Ok(received),
        }
        if self.intake.reading() == Reading::UntilClose {
            self.end_body(now);
            return Ok(Received::event(received.used, Event::END));
        }
        let unfinished_head = received.used < len || self.intake.is_in_line();
        if self.exchange.request == Request::Idle && !unfinished_head {
            self.close(After::Close);
            return Ok(answer(received.used, Step::Done));
        }
        Err(self.fail(ProtocolError::Incomplete, date, out))
    }

    pub(super) fn receive_request<'b>(
        &mut self,
        input: &'b mut [u8],
        lent: CallContext<'b, Limits>,
    ) -> Result<Received<Event<'b>>, ProtocolError> {
        match self.exchange.request {
            Request::Idle => {
                let ranges = field_room(lent.scratch, lent.limits);
                self.next_request(input, ranges, (lent.now, lent.limits), false)
            }
            Request::Body => match (self.intake.wanted, self.after) {
                (BodyDemand::Accepted, _) => self.body(input, lent),
                (BodyDemand::Continued, _) => {
                    if !input.is_empty() {
                        self.intake.wanted = BodyDemand::Accepted;
                    }
                    self.body(input, lent)
                }
                (BodyDemand::Refused, After::KeepDraining) => self.discard(input, lent),
                (BodyDemand::Offered | BodyDemand::Expected, _)
                | (BodyDemand::Refused, After::Keep | After::Close | After::Linger) => {
                    Ok(answer(0, Step::Paused))
                }
            },
            Request::Done => Ok(answer(0, Step::Paused)),
            Request::Closed | Request::Switched => Ok(answer(0, Step::Done)),
        }
    }

    /// Whether the client's side does nothing before more has come.
    #[cfg(feature = "client")]
    pub(crate) fn awaits_input(&self) -> bool {
        let can_come = matches!(
            self.exchange.response,
            Response::Idle | Response::Owed | Response::Body
        );
        let is_client = self.role == Role::Client;
        is_client && can_come && !self.has_end() && self.closing().is_none()
    }

    fn receive_response<'b>(
        &mut self,
        input: &'b mut [u8],
        lent: CallContext<'b, Limits>,
    ) -> Result<Received<Event<'b>>, ProtocolError> {
        match self.exchange.response {
            Response::Idle if input.is_empty() => Ok(Received::need(0, 1)),
            // Nothing was asked: this answers nothing (RFC 9112 §9.2).
            Response::Idle | Response::Done => {
                self.close(After::Close);
                Ok(answer(0, Step::Done))
            }
            Response::Owed => self.response_head(input, lent),
            Response::Body => self.body(input, lent),
            Response::Closed | Response::Switched => Ok(answer(0, Step::Done)),
        }
    }

    fn response_head<'b>(
        &mut self,
        input: &'b mut [u8],
        lent: CallContext<'b, Limits>,
    ) -> Result<Received<Event<'b>>, ProtocolError> {
        let (limits, now) = (lent.limits, lent.now);
        let ranges = field_room(lent.scratch, limits);
        let mut whole = Head::<StatusLine>::new();
        loop {
            match self.intake.head(input, ranges, limits, &mut whole, false) {
                Ok(true) => break,
                Ok(false) => return Ok(Received::need(0, 1)),
                Err(ProtocolError::Folding) => self.intake.unfold(input)?,
                Err(violation) => return Err(violation),
            }
            whole = Head::new();
        }
        let Head { start, lines } = &whole;
        let mut used = lines.end;
        let (text, rest) = input.split_at_mut(used.min(input.len()));
        let (text, ranges): (&'b [u8], &'b [FieldRange]) = (text, ranges);
        let ranges = ranges.get(..lines.fields);
        let fields = Fields::from_ranges(text, ranges.ok_or(ProtocolError::TooManyFields)?);
        let StatusLine { version, status } = *start;
        let head = ResponseHead {
            status,
            version,
            fields,
        };
        self.since = now;
        let content = ResponseContent::to(self.asked.asks(), status);
        let switches = match (status.code(), self.asked) {
            (101, RequestKind::Upgrade) => true,
            // A switch that was not offered.
            (101, RequestKind::Plain | RequestKind::Head | RequestKind::Tunnel) => {
                return Err(ProtocolError::StatusLine);
            }
            _ => content.framing == ContentFraming::Tunnel,
        };
        if switches {
            if !self.exchange.take(Input::Switch) {
                return Err(ProtocolError::StatusLine); // before the request's end
            }
            let content = Content::None;
            return Ok(Received::event(used, Event::Response { head, content }));
        }
        if status.is_informational() {
            self.exchange.take(Input::Interim);
            return Ok(Received::event(used, Event::Informational(head)));
        }
        let semantics = &lines.semantics;
        let framing = length::of_response(semantics.coding, semantics.length, version, content)?;
        if !semantics.persists(version) || framing == Framing::UntilClose {
            self.after = After::Close;
        }
        let content = match framing {
            Framing::None => Content::None,
            // A small body that was received with its head is given with it.
            Framing::Fixed(length) if length <= limits.drain && rest.len() as u64 >= length => {
                let length = length as usize; // not beyond the rest of the input
                used += length;
                Content::Whole(rest.get_mut(..length).unwrap_or_default())
            }
            Framing::Fixed(_) | Framing::Chunked | Framing::UntilClose => {
                self.exchange.take(Input::ResponseHead { body: true });
                let content = self.begin_body(framing, limits);
                return Ok(Received::event(used, Event::Response { head, content }));
            }
        };
        self.exchange.take(Input::ResponseHead { body: false });
        self.settle(now);
        Ok(Received::event(used, Event::Response { head, content }))
    }
}

const fn answer<'b>(used: usize, step: Step<Event<'b>>) -> Received<Event<'b>> {
    Received { used, step }
}
