//! The reading half of the machine.

use super::connection::{After, Asked, Connection, Reading, Wanted};
use super::encode;
use super::fold;
use super::head::{self, Head, Progress, RequestLine, StartLine, StatusLine, Stop};
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

/// What a whole head of a request and its surroundings lend to an event.
struct Found<'b> {
    text: &'b [u8],
    /// `None` if there was too little room.
    ranges: Option<&'b [FieldRange]>,
    rest: &'b mut [u8],
    /// Bytes up to the end of the head.
    used: usize,
}

impl<'b> Found<'b> {
    #[inline(always)]
    fn new(
        input: &'b mut [u8],
        ranges: &'b [FieldRange],
        skipped: usize,
        whole: &Head<RequestLine>,
    ) -> Self {
        let input = input.get_mut(skipped..).unwrap_or_default();
        // The head ends within the input.
        let end = whole.lines.end.min(input.len());
        let (text, rest) = input.split_at_mut(end);
        Self {
            text,
            ranges: ranges.get(..whole.lines.fields),
            rest,
            used: skipped + end,
        }
    }

    /// The head, if nothing needs a closer look: a GET or POST of a path, in
    /// version 1.1, whose fields frame no content.
    #[inline(always)]
    fn usual_head(&self, whole: &Head<RequestLine>) -> Option<RequestHead<'b>> {
        let line = whole.start;
        let method = match line.method_end {
            3 if self.text.starts_with(b"GET ") => Method::Get,
            4 if self.text.starts_with(b"POST ") => Method::Post,
            _ => return None,
        };
        let from = line.method_end as usize + 1;
        let (path, query) = Target::path_in(self.text, from, line.target_end as usize)?;
        if !whole.lines.semantics.is_usual() || line.version != Version::Http11 {
            return None;
        }
        Some(RequestHead {
            method,
            target: Target::Origin { path, query },
            version: Version::Http11,
            protocol: None,
            fields: Fields::from_ranges(self.text, self.ranges?),
        })
    }
}

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
        let (date, limits) = (lent.date, lent.limits);
        if self.role == Role::Client || self.exchange.request != Request::Idle {
            return self.receive_more(input, lent, out);
        }
        let ranges = field_room(lent.scratch, limits);
        let mut whole = Head::new();
        let skipped = match self.find_request(input, lent.now, ranges, limits, &mut whole) {
            Ok((skipped, true)) => skipped,
            Ok((skipped, false)) => return Ok(Received::need(skipped, 1)),
            Err(violation) => return Err(self.fail(violation, date, out)),
        };
        let found = Found::new(input, ranges, skipped, &whole);
        // What is usual has a way of its own, so that its event is made where
        // the caller wants it.
        match found.usual_head(&whole) {
            Some(head) => {
                self.begin_usual_request(head.method);
                let content = Content::None;
                Ok(Received::event(
                    found.used,
                    Event::Request { head, content },
                ))
            }
            None => self
                .take_request(found, &whole, limits)
                .map_err(|violation| self.fail(violation, date, out)),
        }
    }

    /// Takes what is no request's head.
    fn receive_more<'b>(
        &mut self,
        input: &'b mut [u8],
        lent: Lent<'b, Limits>,
        out: &mut impl Sink,
    ) -> Result<Received<Event<'b>>, Violation> {
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
            Request::Idle => self.next_request(input, lent),
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

    /// A request that is not the first thing that is looked for.
    #[cold]
    fn next_request<'b>(
        &mut self,
        input: &'b mut [u8],
        lent: Lent<'b, Limits>,
    ) -> Result<Received<Event<'b>>, Violation> {
        let ranges = field_room(lent.scratch, lent.limits);
        let mut whole = Head::new();
        match self.find_request(input, lent.now, ranges, lent.limits, &mut whole)? {
            (skipped, true) => {
                let found = Found::new(input, ranges, skipped, &whole);
                self.take_request(found, &whole, lent.limits)
            }
            (skipped, false) => Ok(Received::need(skipped, 1)),
        }
    }

    /// Looks for the head of a request, and says how many bytes of empty lines
    /// stand in front of it and whether it is whole.
    #[inline(always)]
    fn find_request(
        &mut self,
        input: &[u8],
        now: Instant,
        ranges: &mut [FieldRange],
        limits: &Limits,
        whole: &mut Head<RequestLine>,
    ) -> Result<(usize, bool), Violation> {
        let skipped = self.skip_empty_lines(input, now)?;
        let input = input.get(skipped..).unwrap_or_default();
        let is_whole = self.head(input, ranges, limits, whole)?;
        Ok((skipped, is_whole))
    }

    /// Takes any request.
    #[inline(never)]
    fn take_request<'b>(
        &mut self,
        found: Found<'b>,
        whole: &Head<RequestLine>,
        limits: &Limits,
    ) -> Result<Received<Event<'b>>, Violation> {
        let (line, text) = (whole.start, found.text);
        let method = text.get(..line.method_end as usize).and_then(Method::new);
        let method = method.ok_or(Violation::Method)?;
        let target = text.get(line.method_end as usize + 1..line.target_end as usize);
        let target = Target::parse(target.unwrap_or_default(), method)
            .map_err(|_| head::fault_of_target(text, limits.target))?;
        let head = RequestHead {
            method,
            target,
            version: line.version,
            protocol: None,
            fields: Fields::from_ranges(text, found.ranges.ok_or(Violation::TooManyFields)?),
        };
        let framing = self.begin_request(&head, text, &whole.lines.semantics, limits)?;
        let mut used = found.used;
        let content = match framing {
            Framing::Fixed(length)
                if self.wanted == Wanted::Offered
                    && length <= limits.drain
                    && found.rest.len() as u64 >= length =>
            {
                let length = length as usize; // not beyond the rest of the input
                used += length;
                self.exchange.take(Input::RequestHead { body: false });
                Content::Whole(found.rest.get_mut(..length).unwrap_or_default())
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

    /// Remembers what the response to a usual request depends on.
    #[inline(always)]
    fn begin_usual_request(&mut self, method: Method<'_>) {
        self.old = false;
        self.asked = asked(method, false);
        self.after = After::Keep;
        self.wanted = Wanted::Offered;
        self.exchange.take(Input::RequestHead { body: false });
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
        semantics.check_host(text, head.version, head.target.authority().is_some())?;
        let framing = length::of_request(semantics.coding, semantics.length, head.version)?;
        let expects = semantics.expects_continue(head.version)?;
        self.old = head.version == Version::Http10;
        self.asked = asked(head.method, semantics.offers_upgrade(head.version));
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
        let mut whole = Head::<StatusLine>::new();
        loop {
            match self.head(input, ranges, limits, &mut whole) {
                Ok(true) => break,
                Ok(false) => return Ok(Received::need(0, 1)),
                Err(Violation::Folding) => self.unfold(input)?,
                Err(violation) => return Err(violation),
            }
            whole = Head::new();
        }
        let Head { start, lines } = &whole;
        let (text, ranges): (&'b [u8], &'b [FieldRange]) = (input, ranges);
        let ranges = ranges.get(..lines.fields);
        let fields = Fields::from_ranges(text, ranges.ok_or(Violation::TooManyFields)?);
        let StatusLine { version, status } = *start;
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
                lines.end,
                Event::Response { head, content },
            ));
        }
        if status.is_informational() {
            self.exchange.take(Input::Interim);
            return Ok(Received::event(lines.end, Event::Informational(head)));
        }
        let semantics = &lines.semantics;
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
            lines.end,
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

    /// Looks for a whole head at the front of `input`, each byte at most twice,
    /// and says whether it is in `head` now. It may have more fields than there
    /// is room for.
    #[inline(always)]
    pub(super) fn head<S: StartLine>(
        &mut self,
        input: &[u8],
        ranges: &mut [FieldRange],
        limits: &Limits,
        head: &mut Head<S>,
    ) -> Result<bool, Violation> {
        let longest = match S::IS_THERE {
            true => limits.head,
            false => limits.trailers,
        } as usize;
        let text = input.get(..longest).unwrap_or(input);
        if self.scanned != 0 && !self.resume_head::<S>(text, limits)? {
            return Ok(false);
        }
        match head::parse(text, ranges, limits.target, head) {
            Ok(()) => {
                (self.line, self.scanned) = (0, 0);
                Ok(true)
            }
            Err(stop) => self.stopped::<S>(stop, text, limits),
        }
    }

    /// Whether the head that an earlier call has begun with is whole now.
    #[cold]
    fn resume_head<S: StartLine>(
        &mut self,
        text: &[u8],
        limits: &Limits,
    ) -> Result<bool, Violation> {
        let progress = Progress {
            line: self.line,
            scanned: self.scanned,
        };
        match head::resume::<S>(text, progress, limits.target) {
            Ok(()) => Ok(true),
            Err(stop) => self.stopped::<S>(stop, text, limits),
        }
    }

    /// There is no whole head: never answers `true`.
    #[cold]
    fn stopped<S: StartLine>(
        &mut self,
        stop: Stop,
        text: &[u8],
        limits: &Limits,
    ) -> Result<bool, Violation> {
        let (longest, too_long) = match S::IS_THERE {
            true => (limits.head, Violation::HeadTooLarge),
            false => (limits.trailers, Violation::TrailersTooLarge),
        };
        match stop {
            Stop::Fault(violation) => Err(violation),
            Stop::Incomplete(progress) if text.len() < longest as usize => {
                (self.line, self.scanned) = (progress.line, progress.scanned);
                Ok(false)
            }
            Stop::Incomplete(Progress { line: 0, .. })
                if self.role == Role::Server && S::IS_THERE =>
            {
                Err(Violation::TargetTooLong)
            }
            Stop::Incomplete(_) => Err(too_long),
        }
    }
}

/// What the method of a request and its offer of an upgrade ask for.
#[inline]
const fn asked(method: Method<'_>, upgrade: bool) -> Asked {
    match method {
        Method::Head => Asked::Head,
        Method::Connect => Asked::Tunnel,
        _ if upgrade => Asked::Upgrade,
        _ => Asked::Plain,
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
