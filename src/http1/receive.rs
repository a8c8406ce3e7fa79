//! The reading half of the machine.

use super::connection::{After, Asked, Connection, Reading, Wanted};
use super::encode;
use super::fold;
use super::head::{self, Progress, RequestLine, StartLine, StatusLine, Stop};
use super::length::{self, Framing};
use super::semantics::Semantics;
use super::state::{Input, Request, Response};
use super::{Event, Limits, Violation};
use crate::http::{
    Content, FieldRange, Fields, Lent, Method, RequestHead, ResponseHead, Scratch, Target, Version,
};
use crate::wire::{Instant, Received, Role, Sink, Step};

/// Empty lines that are ignored before a head (RFC 9112 §2.2).
const EMPTY_LINES: u32 = 4;

/// Folds that a client repairs in the head of a response. Each may cost
/// another look at the head, so that they have to be few.
const FOLDS: u32 = 64;

impl Connection {
    /// Takes at most one event from the front of `input`.
    ///
    /// Bytes past `used` come again, in front of what arrives next. What must
    /// be answered at once is in `out` before this returns.
    ///
    /// [`Step::Paused`] says that our side must act first: a response is owed
    /// before the next request is looked at, or a body waits for
    /// [`accept_body`](Self::accept_body). After [`Step::Done`],
    /// [`closing`](Self::closing) tells how to close, or
    /// [`is_switched`](Self::is_switched) that the rest of the input belongs to
    /// another protocol.
    ///
    /// # Errors
    /// [`Violation`] when the peer broke the protocol. The answer to it is in
    /// `out` unless a response has already begun, and every later call answers
    /// the same.
    pub fn receive<'b>(
        &mut self,
        input: &'b mut [u8],
        lent: Lent<'b, Limits>,
        out: &mut impl Sink,
    ) -> Result<Received<Event<'b>>, Violation> {
        if let Some(violation) = self.failed {
            return Err(violation);
        }
        if self.role == Role::Server && out.room() < encode::CONTROL_ROOM {
            return Ok(answer(0, Step::Full));
        }
        let date = lent.date;
        let received = match self.role {
            Role::Server => self.receive_request(input, lent),
            Role::Client => self.receive_response(input, lent),
        };
        received.map_err(|violation| self.fail(violation, date, out))
    }

    /// The same for the last input of all: nothing comes after it. Called
    /// again, like [`receive`](Self::receive), until it answers
    /// [`Step::Done`]; a peer that has only closed its sending half still gets
    /// its responses.
    ///
    /// # Errors
    /// As [`receive`](Self::receive), and [`Violation::Incomplete`] if the
    /// input ends in the middle of a message (RFC 9112 §8).
    pub fn receive_eof<'b>(
        &mut self,
        input: &'b mut [u8],
        lent: Lent<'b, Limits>,
        out: &mut impl Sink,
    ) -> Result<Received<Event<'b>>, Violation> {
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
        if self.reading == Reading::UntilClose {
            self.end_body(now);
            let trailers = Fields::EMPTY;
            return Ok(Received::event(received.used, Event::End { trailers }));
        }
        let unfinished_head = received.used < len || self.scanned > 0;
        if self.exchange.request == Request::Idle && !unfinished_head {
            self.close(After::Close);
            return Ok(answer(received.used, Step::Done));
        }
        Err(self.fail(Violation::Incomplete, date, out))
    }

    pub(super) fn receive_request<'b>(
        &mut self,
        input: &'b mut [u8],
        lent: Lent<'b, Limits>,
    ) -> Result<Received<Event<'b>>, Violation> {
        match self.exchange.request {
            Request::Idle => self.request_head(input, lent),
            Request::Body => match (self.wanted, self.after) {
                (Wanted::Accepted, _) => self.body(input, lent),
                (Wanted::Refused, After::KeepDraining) => self.discard(input, lent),
                (Wanted::Offered | Wanted::Expected, _)
                | (Wanted::Refused, After::Keep | After::Close | After::Linger) => {
                    Ok(answer(0, Step::Paused))
                }
            },
            Request::Done => Ok(answer(0, Step::Paused)),
            Request::Closed | Request::Switched => Ok(answer(0, Step::Done)),
        }
    }

    fn receive_response<'b>(
        &mut self,
        input: &'b mut [u8],
        lent: Lent<'b, Limits>,
    ) -> Result<Received<Event<'b>>, Violation> {
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

    fn request_head<'b>(
        &mut self,
        input: &'b mut [u8],
        lent: Lent<'b, Limits>,
    ) -> Result<Received<Event<'b>>, Violation> {
        let skipped = self.skip_empty_lines(input, lent.now)?;
        let input = input.get_mut(skipped..).unwrap_or_default();
        let limits = lent.limits;
        let ranges = field_room(lent.scratch, limits);
        let Some(whole) = self.head::<RequestLine>(input, ranges, limits)? else {
            return Ok(Received::need(skipped, 1));
        };
        // The head ends within the input.
        let (text, rest) = input.split_at_mut(whole.end);
        let (text, ranges): (&'b [u8], &'b [FieldRange]) = (text, ranges);
        let fields = Fields::from_ranges(text, ranges.get(..whole.fields).unwrap_or_default());
        let line = whole.start;
        let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
        let method = Method::new(part(0, line.method_end)).ok_or(Violation::Method)?;
        let target = Target::parse(part(line.method_end + 1, line.target_end), method)
            .map_err(|_| Violation::Target)?;
        let head = RequestHead {
            method,
            target,
            version: line.version,
            protocol: None,
            fields,
        };
        let framing = self.begin_request(&head, text, &whole.semantics, limits)?;
        let mut used = skipped + whole.end;
        let content = match framing {
            Framing::Fixed(length)
                if self.wanted == Wanted::Offered
                    && length <= limits.drain
                    && rest.len() as u64 >= length =>
            {
                let length = length as usize; // not beyond the rest of the input
                used += length;
                self.exchange.take(Input::RequestHead { body: false });
                Content::Whole(rest.get_mut(..length).unwrap_or_default())
            }
            Framing::None => {
                self.exchange.take(Input::RequestHead { body: false });
                Content::None
            }
            Framing::Fixed(_) | Framing::Chunked | Framing::UntilClose => {
                self.exchange.take(Input::RequestHead { body: true });
                self.begin_body(framing, limits)
            }
        };
        Ok(Received::event(used, Event::Request { head, content }))
    }

    /// Judges the head of a request and remembers what its response depends
    /// on.
    fn begin_request(
        &mut self,
        head: &RequestHead<'_>,
        text: &[u8],
        semantics: &Semantics,
        limits: &Limits,
    ) -> Result<Framing, Violation> {
        semantics.check_host(text, head.version, &head.target)?;
        let framing = length::of_request(semantics.coding, semantics.length, head.version)?;
        let expects = semantics.expects_continue(head.version)?;
        self.old = head.version == Version::Http10;
        self.asked = match head.method {
            Method::Head => Asked::Head,
            Method::Connect => Asked::Tunnel,
            _ if semantics.offers_upgrade(head.version) => Asked::Upgrade,
            _ => Asked::Plain,
        };
        self.after = match (semantics.persists(head.version), framing) {
            (false, _) => After::Close,
            (true, Framing::Fixed(length)) if length <= limits.drain => After::KeepDraining,
            (true, Framing::Chunked) => After::KeepDraining, // until it turns out longer
            (true, _) => After::Keep,
        };
        self.wanted = match expects && framing != Framing::None {
            true => Wanted::Expected,
            false => Wanted::Offered,
        };
        Ok(framing)
    }

    fn response_head<'b>(
        &mut self,
        input: &'b mut [u8],
        lent: Lent<'b, Limits>,
    ) -> Result<Received<Event<'b>>, Violation> {
        let (limits, now) = (lent.limits, lent.now);
        let ranges = field_room(lent.scratch, limits);
        let whole = loop {
            match self.head::<StatusLine>(input, ranges, limits) {
                Ok(Some(whole)) => break whole,
                Ok(None) => return Ok(Received::need(0, 1)),
                Err(Violation::Folding) => self.unfold(input)?,
                Err(violation) => return Err(violation),
            }
        };
        let (text, ranges): (&'b [u8], &'b [FieldRange]) = (input, ranges);
        let fields = Fields::from_ranges(text, ranges.get(..whole.fields).unwrap_or_default());
        let StatusLine { version, status } = whole.start;
        let head = ResponseHead {
            status,
            version,
            fields,
        };
        self.since = now;
        let switches = match (status.code(), self.asked) {
            (101, Asked::Upgrade) => true,
            // A switch that was not offered.
            (101, Asked::Plain | Asked::Head | Asked::Tunnel) => {
                return Err(Violation::StatusLine);
            }
            (_, asked) => asked == Asked::Tunnel && status.is_successful(),
        };
        if switches {
            if !self.exchange.take(Input::Switch) {
                return Err(Violation::StatusLine); // before the request's end
            }
            let content = Content::None;
            return Ok(Received::event(
                whole.end,
                Event::Response { head, content },
            ));
        }
        if status.is_informational() {
            self.exchange.take(Input::Interim);
            return Ok(Received::event(whole.end, Event::Informational(head)));
        }
        let semantics = whole.semantics;
        let framing = length::of_response(
            semantics.coding,
            semantics.length,
            version,
            status,
            self.asked == Asked::Head,
        )?;
        if !semantics.persists(version) || framing == Framing::UntilClose {
            self.after = After::Close;
        }
        let body = framing != Framing::None;
        self.exchange.take(Input::ResponseHead { body });
        let content = if body {
            self.begin_body(framing, limits)
        } else {
            self.settle(now);
            Content::None
        };
        Ok(Received::event(
            whole.end,
            Event::Response { head, content },
        ))
    }

    /// Unfolds the first fold of a response's head, which is then looked at
    /// afresh. One at a time: a line in front of the next fold is judged before
    /// that fold, however the head was cut.
    fn unfold(&mut self, input: &mut [u8]) -> Result<(), Violation> {
        if self.spent == FOLDS || !fold::unfold(input) {
            return Err(Violation::Folding);
        }
        self.spent += 1; // at most FOLDS
        (self.line, self.scanned) = (0, 0);
        Ok(())
    }

    /// Skips empty lines before a head, and notes when the head begins.
    fn skip_empty_lines(&mut self, input: &[u8], now: Instant) -> Result<usize, Violation> {
        if self.reading == Reading::Idle && !input.is_empty() {
            self.reading = Reading::Head;
            self.since = now;
        }
        let mut at = 0;
        while let Some([b'\r', b'\n', ..]) = input.get(at..) {
            if self.spent == EMPTY_LINES {
                return Err(Violation::EmptyLines);
            }
            self.spent += 1;
            at += 2;
        }
        Ok(at)
    }

    /// Looks for a whole head at the front of `input`, each byte at most
    /// twice.
    pub(super) fn head<S: StartLine>(
        &mut self,
        input: &[u8],
        ranges: &mut [FieldRange],
        limits: &Limits,
    ) -> Result<Option<head::Head<S>>, Violation> {
        let (longest, too_long) = match S::absent() {
            Some(_) => (limits.trailers, Violation::TrailersTooLarge),
            None => (limits.head, Violation::HeadTooLarge),
        };
        let longest = longest as usize;
        let text = input.get(..longest).unwrap_or(input);
        let progress = Progress {
            line: self.line,
            scanned: self.scanned,
        };
        let resumed = match self.scanned {
            0 => Ok(()),
            _ => head::resume::<S>(text, progress, limits.target),
        };
        let parsed = resumed.and_then(|()| head::parse(text, ranges, limits.target));
        match parsed {
            Ok(whole) if whole.fields > ranges.len() => Err(Violation::TooManyFields),
            Ok(whole) => {
                (self.line, self.scanned) = (0, 0);
                Ok(Some(whole))
            }
            Err(Stop::Fault(violation)) => Err(violation),
            Err(Stop::Incomplete(progress)) if text.len() < longest => {
                (self.line, self.scanned) = (progress.line, progress.scanned);
                Ok(None)
            }
            Err(Stop::Incomplete(Progress { line: 0, .. }))
                if self.role == Role::Server && S::absent().is_none() =>
            {
                Err(Violation::TargetTooLong)
            }
            Err(Stop::Incomplete(_)) => Err(too_long),
        }
    }
}

/// Room for the fields of a head, within the limit.
pub(super) fn field_room<'b>(scratch: Scratch<'b>, limits: &Limits) -> &'b mut [FieldRange] {
    let room = scratch.fields.len().min(usize::from(limits.fields));
    scratch.fields.get_mut(..room).unwrap_or_default()
}

/// An answer without an event.
pub(super) const fn answer<'b>(used: usize, step: Step<Event<'b>>) -> Received<Event<'b>> {
    Received { used, step }
}
