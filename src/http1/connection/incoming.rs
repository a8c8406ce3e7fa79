//! Requests as they are read.

use super::{After, BodyDemand, Connection, RequestKind};
#[cfg(feature = "alloc")]
use crate::http::{Bounds, CallContext, KnownRequests, Place};
use crate::http::{Content, FieldRange, Fields, Method, RequestHead, Target, Version};
use crate::http1::head;
use crate::http1::length::{self, Framing};
use crate::http1::lines::Head;
use crate::http1::semantics::Semantics;
use crate::http1::start_line::RequestLine;
use crate::http1::state::{Exchange, Input};
use crate::http1::{Event, Limits, ProtocolError};
use crate::wire::{Instant, Received, shortcut};

/// A complete head of a request with its surroundings, from which an event borrows.
pub(super) struct ReceivedHead<'b> {
    text: &'b [u8],
    /// `None` if there was too little room.
    ranges: Option<&'b [FieldRange]>,
    rest: &'b mut [u8],
    /// Bytes up to the end of the head.
    pub(super) used: usize,
}

impl<'b> ReceivedHead<'b> {
    #[inline(always)]
    pub(super) fn new(
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

    /// The head, if nothing needs a closer look: a GET or POST of a path whose
    /// fields frame no content.
    #[inline(always)]
    pub(super) fn usual_head(&self, whole: &Head<RequestLine>) -> Option<RequestHead<'b>> {
        let line = whole.start;
        // By length first: the bytes after it are compared only where they can be the same.
        let method = match line.method_end {
            3 if self.text.starts_with(b"GET ") => Method::GET,
            4 if self.text.starts_with(b"POST ") => Method::POST,
            _ => return None,
        };
        let from = line.method_end as usize + 1;
        let (path, query) = Target::path_in(self.text, from, line.target_end as usize)?;
        if !whole.lines.semantics.is_usual() {
            return None;
        }
        Some(RequestHead {
            method,
            target: Target::Origin { path, query },
            version: line.version,
            protocol: None,
            fields: Fields::from_ranges(self.text, self.ranges?),
        })
    }

    /// Has a head of the usual form be known if it comes again.
    #[cfg(feature = "alloc")]
    #[inline(always)]
    pub(super) fn note(&self, known: &mut KnownRequests, line: usize, persists: bool) {
        if known.has_missed() {
            let ranges = self.ranges.unwrap_or_default();
            known.note((self.text, line), ranges, persists);
        }
    }
}

impl Connection {
    #[inline(always)]
    fn begin_head(&mut self, now: Instant) {
        if self.intake.begin_head() {
            self.since = now;
        }
    }

    /// Whether an empty line stood before the first head, so that what comes is
    /// not the front of the input any more.
    pub(crate) const fn has_skipped_lines(&self) -> bool {
        self.intake.has_skipped_lines()
    }

    /// Whether a request of the usual form may stand at the front of the input.
    #[inline(always)]
    const fn may_be_usual(&self, limits: &Limits) -> bool {
        shortcut!("http1_head") && !self.intake.is_in_line() && !limits.strict_target
    }

    /// Where the request at the front of `input` is known from, if it was read before.
    #[cfg(feature = "alloc")]
    #[inline(never)]
    pub(super) fn known_place(
        &self,
        input: &[u8],
        lent: &mut CallContext<'_, Limits>,
    ) -> Option<Place> {
        let limits = lent.limits;
        if !self.may_be_usual(limits) {
            return None;
        }
        let bounds = Bounds {
            head: limits.head,
            target: limits.target,
            fields: lent.scratch.fields.len().min(limits.fields.into()),
        };
        lent.scratch.known()?.find(input, bounds)
    }

    #[cfg(feature = "alloc")]
    #[inline(never)]
    pub(super) fn recall<'b>(
        &mut self,
        input: &'b [u8],
        lent: CallContext<'b, Limits>,
        place: Place,
    ) -> Received<Event<'b>> {
        let mut scratch = lent.scratch;
        let found = scratch.take_known().and_then(|it| it.head(place, input));
        let Some(known) = found else {
            return Received::need(0, 0); // it was there just now
        };
        self.begin_head(lent.now);
        self.begin_usual_request(&known.head, known.persists);
        let (head, content) = (known.head, Content::None);
        Received::event(known.used, Event::Request { head, content })
    }

    /// Looks for a complete request of the usual form at the front of `input`, if none of it
    /// was looked at. Changes nothing unless found.
    #[inline(always)]
    pub(super) fn find_request(
        &mut self,
        input: &[u8],
        ranges: &mut [FieldRange],
        now: Instant,
        limits: &Limits,
        whole: &mut Head<RequestLine>,
    ) -> bool {
        let text = input.get(..limits.head as usize).unwrap_or(input);
        if !self.may_be_usual(limits) || !head::find(text, ranges, limits.target, whole) {
            return false;
        }
        self.begin_head(now);
        true
    }

    /// Takes the next request, in whatever form and pieces it comes. Its usual form
    /// may have been `searched` for in vain.
    pub(super) fn next_request<'b>(
        &mut self,
        input: &'b mut [u8],
        ranges: &'b mut [FieldRange],
        (now, limits): (Instant, &Limits),
        searched: bool,
    ) -> Result<Received<Event<'b>>, ProtocolError> {
        let mut whole = Head::new();
        if !input.is_empty() {
            self.begin_head(now);
        }
        let skipped = self.intake.skip_empty_lines(input)?;
        let text = input.get(skipped..).unwrap_or_default();
        let searched = searched && skipped == 0 && !self.intake.is_in_line();
        if !self
            .intake
            .head(text, ranges, limits, &mut whole, searched)?
        {
            return Ok(Received::need(skipped, 1));
        }
        let found = ReceivedHead::new(input, ranges, skipped, &whole);
        self.take_request(found, &whole, limits)
    }

    #[inline(never)]
    pub(super) fn take_request<'b>(
        &mut self,
        found: ReceivedHead<'b>,
        whole: &Head<RequestLine>,
        limits: &Limits,
    ) -> Result<Received<Event<'b>>, ProtocolError> {
        let (line, text) = (whole.start, found.text);
        let method = text.get(..line.method_end as usize).and_then(Method::new);
        let method = method.ok_or(ProtocolError::Method)?;
        let target = text.get(line.method_end as usize + 1..line.target_end as usize);
        let target = Target::parse(target.unwrap_or_default(), method).ok();
        let target = target.filter(|it| !limits.strict_target || it.is_rfc3986());
        let target = target.ok_or_else(|| head::fault_of_target(text, limits.target))?;
        let head = RequestHead {
            method,
            target,
            version: line.version,
            protocol: None,
            fields: Fields::from_ranges(text, found.ranges.ok_or(ProtocolError::TooManyFields)?),
        };
        let framing = self.begin_request(&head, text, &whole.lines.semantics, limits)?;
        let mut used = found.used;
        let content = match framing {
            // A small body that was received with its head is given with it, so that its handler is
            // called once. One that is expected or long is offered first.
            Framing::Fixed(length)
                if self.intake.wanted == BodyDemand::Offered
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

    #[inline(always)]
    pub(super) fn begin_usual_request(&mut self, head: &RequestHead<'_>, persists: bool) {
        self.intake.old = head.version == Version::Http10;
        self.asked = asked(head.method, false);
        self.after = match persists {
            true => After::Keep,
            false => After::Close,
        };
        self.intake.wanted = BodyDemand::Offered;
        self.exchange = Exchange::ASKED;
    }

    /// Judges the head of a request and remembers what its response depends
    /// on.
    fn begin_request(
        &mut self,
        head: &RequestHead<'_>,
        text: &[u8],
        semantics: &Semantics,
        limits: &Limits,
    ) -> Result<Framing, ProtocolError> {
        semantics.check_host(text, head.version, head.target.authority().is_some())?;
        let framing = length::of_request(semantics.coding, semantics.length, head.version)?;
        let expects = semantics.expects_continue(head.version)?;
        self.intake.old = head.version == Version::Http10;
        self.asked = asked(head.method, semantics.offers_upgrade(head.version));
        self.after = match (semantics.persists(head.version), framing) {
            // After a refusal nothing is read: it may have been meant for the
            // tunnel, and be no request (RFC 9931).
            _ if self.asked == RequestKind::Tunnel => After::Linger,
            (false, _) => After::Close,
            (true, Framing::Fixed(length)) if length <= limits.drain => After::KeepDraining,
            (true, Framing::Chunked) => After::KeepDraining, // until it turns out longer
            (true, _) => After::Keep,
        };
        self.intake.wanted = match expects && framing != Framing::None {
            true => BodyDemand::Expected,
            false => BodyDemand::Offered,
        };
        Ok(framing)
    }
}

#[inline]
const fn asked(method: Method<'_>, upgrade: bool) -> RequestKind {
    match method {
        Method::HEAD => RequestKind::Head,
        Method::CONNECT => RequestKind::Tunnel,
        _ if upgrade => RequestKind::Upgrade,
        _ => RequestKind::Plain,
    }
}
