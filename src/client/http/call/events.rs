//! The events of a connection, for a call.

use core::time::Duration;

use super::attempt::Informational;
use super::{Call, State};
use crate::client::connecting::{Phase, RequestSender};
use crate::client::http::error::{ErrorKind, RedirectError};
use crate::client::http::redirect::{self, Change, Hop};
use crate::client::http::request::OwnedMethod;
use crate::client::http::{retry, spare};
use crate::coding::decode::Decoding;
use crate::http::{Content, FieldBuffer, Fields, Method, ResponseHead, Status, Version};
use crate::http2::ErrorCode;
use crate::link::Event;
use crate::wire::Instant;

impl Call {
    pub(crate) fn event(
        &mut self,
        stream: u32,
        event: Event<'_>,
        sender: &mut dyn RequestSender,
        now: Instant,
    ) {
        if let Event::GoingAway { last_stream, .. } = event {
            self.attempt.last_stream = last_stream;
        }
        if let (Event::Ended(why), 0) = (&event, stream) {
            // The end of the connection, which may be all that is said of the exchange.
            self.attempt.lost.get_or_insert(*why);
        }
        if stream != self.attempt.stream || stream == 0 {
            return;
        }
        self.attempt.since = now;
        match event {
            Event::Informational(head) => self.informational(&head, sender, now),
            Event::Response { head, content } => {
                self.response(&head, &content, now);
                let content = match content {
                    Content::Whole(content) => content,
                    Content::None | Content::Follows { .. } => return,
                };
                self.body(content, sender);
                self.end(Fields::EMPTY);
            }
            Event::Body(piece) => self.body(piece, sender),
            Event::End { trailers, .. } => self.end(trailers),
            Event::Writable => {
                self.attempt.blocked = false;
                self.pump(sender, now);
            }
            Event::Ended(why) => {
                self.attempt.lost.get_or_insert(why);
            }
            _ => {}
        }
    }

    fn informational(
        &mut self,
        head: &ResponseHead<'_>,
        sender: &mut dyn RequestSender,
        now: Instant,
    ) {
        if self.state != State::Asked {
            return;
        }
        if self.informed >= self.limits().informational {
            return self.fail(Phase::Response, ErrorKind::TooLarge("informational"));
        }
        if let Some(limit) = self.exceeded(head.fields, head.version) {
            return self.fail(Phase::Response, ErrorKind::TooLarge(limit));
        }
        self.informed += 1;
        if self.request.wants_informational {
            let mut fields = FieldBuffer::new();
            // It is far shorter than 4 GiB.
            let _ = fields.extend_checked(head.fields);
            let status = head.status;
            self.informational
                .push_back(Informational { status, fields });
        }
        if head.status == Status::CONTINUE && self.attempt.held.take().is_some() {
            self.pump(sender, now);
        }
    }

    /// The limit of this request that a list of fields exceeds; the client's were checked by
    /// its connection.
    fn exceeded(&self, fields: Fields<'_>, version: Version) -> Option<&'static str> {
        self.request.limits.as_ref()?;
        self.limits().exceeded(fields, version)
    }

    /// The head of a final response: the answer, or what is to be done instead.
    fn response(&mut self, head: &ResponseHead<'_>, content: &Content<'_>, now: Instant) {
        if self.state != State::Asked {
            return;
        }
        if let Some(limit) = self.exceeded(head.fields, head.version) {
            return self.fail(Phase::Response, ErrorKind::TooLarge(limit));
        }
        self.keep_cookies(head.fields);
        let (fresh, at) = match self.judge(head, now) {
            Judgement::Answer => return self.answered(head, content),
            Judgement::Again { fresh, at } => (fresh, at),
            Judgement::Failed(kind) => return self.fail(Phase::Response, kind),
        };
        let left = self.limits().drain;
        self.state = match content {
            Content::None => State::Connect { fresh, at },
            Content::Follows {
                length: Some(length),
            } if *length > left => State::Connect { fresh, at },
            _ => State::Discarding { left, fresh, at },
        };
    }

    fn answered(&mut self, head: &ResponseHead<'_>, content: &Content<'_>) {
        if head.status.is_error() || self.attempt.held.is_some() {
            self.attempt.giving = None; // the server does not want the rest
        }
        let answer = &mut self.answer;
        (answer.status, answer.version) = (head.status, head.version);
        answer.fields = spare::take_fields();
        // It is far shorter than 4 GiB.
        let _ = answer.fields.extend_checked(head.fields);
        match content {
            Content::None => {
                // That of what a GET would bring, to HEAD and with 304 (RFC 9110 §8.6).
                let length = head.fields.get_str("content-length");
                answer.length = length.and_then(|it| it.parse().ok());
                answer.content.end();
            }
            Content::Whole(bytes) => answer.length = Some(bytes.len() as u64),
            Content::Follows { length } => {
                answer.length = *length;
                if head.version != Version::Http2 {
                    answer.left = length.unwrap_or(0);
                }
            }
        }
        let is_coded = head.fields.contains("content-encoding");
        if *content != Content::None && is_coded && self.accepts_codings() {
            match Decoding::of(head.fields, &self.limits().decoding()) {
                Ok(None) => {}
                Ok(Some(decoding)) => {
                    let answer = &mut self.answer;
                    answer.content.decode_by(decoding);
                    answer.is_decoded = true;
                    // They tell of what was received, and not of what the caller gets.
                    answer.fields.remove("content-encoding");
                    answer.fields.remove("content-length");
                }
                Err(fault) => return self.fail(Phase::Response, fault.into()),
            }
        }
        self.state = State::Answered;
    }

    fn body(&mut self, piece: &[u8], sender: &mut dyn RequestSender) {
        match &mut self.state {
            State::Answered | State::Receiving => {
                self.answer.left = self.answer.left.saturating_sub(piece.len() as u64);
                self.answer.content.push(piece);
            }
            State::Discarding { left, fresh, at } => {
                let (fresh, at) = (*fresh, *at);
                match left.checked_sub(piece.len() as u64) {
                    Some(rest) => *left = rest,
                    None => {
                        sender.reset(self.attempt.stream, ErrorCode::CANCEL);
                        self.state = State::Connect { fresh, at };
                    }
                }
                sender.consume(self.attempt.stream, piece.len());
            }
            _ => sender.consume(self.attempt.stream, piece.len()),
        }
    }

    /// Whether the next piece of the body on this stream can go to the caller as it comes.
    pub(crate) fn passes_on(&self, stream: u32) -> bool {
        self.state == State::Receiving
            && stream == self.attempt.stream
            && self.answer.content.is_passed_on()
    }

    /// Whether that is so of the body that is received.
    pub(crate) fn passes_on_all(&self) -> bool {
        self.passes_on(self.attempt.stream)
    }

    /// How many bytes come next that are nothing but the body.
    pub(crate) const fn bare_body(&self) -> u64 {
        self.answer.left
    }

    pub(crate) fn passed_on(&mut self, bytes: usize, now: Instant) {
        self.attempt.since = now;
        self.answer.left = self.answer.left.saturating_sub(bytes as u64);
        self.answer.content.passed_on(bytes);
    }

    fn end(&mut self, trailers: Fields<'_>) {
        match self.state {
            State::Answered | State::Receiving => {
                if let Some(limit) = self.exceeded(trailers, self.answer.version) {
                    return self.fail(Phase::Body, ErrorKind::TooLarge(limit));
                }
                if !trailers.is_empty() {
                    // They are far shorter than 4 GiB.
                    let _ = self.answer.trailers.extend_checked(trailers);
                }
                self.answer.content.end();
            }
            State::Discarding { fresh, at, .. } => self.state = State::Connect { fresh, at },
            _ => {}
        }
    }

    /// Opens the server's window for what the caller has taken.
    pub(crate) fn give_back(&mut self, sender: &mut dyn RequestSender) {
        let taken = self.answer.content.take_taken();
        if taken > 0 {
            sender.consume(self.attempt.stream, taken);
        }
    }

    fn judge(&mut self, head: &ResponseHead<'_>, now: Instant) -> Judgement {
        let status = head.status;
        let can_begin = self.request.body.can_begin();
        if status == Status::EXPECTATION_FAILED && self.attempt.held.is_some() {
            // Without the expectation it may do (RFC 9110 §10.1.1).
            if self.can_give_again() && !self.unexpecting {
                self.unexpecting = true;
                return Judgement::Again {
                    fresh: false,
                    at: now,
                };
            }
        }
        // A server that gives up a connection at rest may say so, and does not mean us.
        let is_unasked = status == Status::REQUEST_TIMEOUT && self.attempt.reused;
        if is_unasked && self.bears_stale() {
            self.counts.stale = true;
            return Judgement::Again {
                fresh: true,
                at: now,
            };
        }
        self.policy.unseen.earn();
        if !matches!(status.code(), 429 | 503) {
            self.policy.budget.earn();
        } else if self.request.is_repeatable() && can_begin {
            let asked = retry::read(head.fields);
            if let Some(at) = self.retry_at(status, asked, now) {
                return Judgement::Again { fresh: false, at };
            }
        }
        let policy = self.request.redirects.unwrap_or(self.policy.redirects);
        let location = head.fields.get("location");
        let method = self.request.method.get();
        let url = &self.request.url;
        match policy.hop(status, location, method, url, self.counts.followed) {
            Ok(None) => Judgement::Answer,
            Ok(Some(hop)) => self.follow(hop, now),
            Err(error) => Judgement::Failed(ErrorKind::Redirect(error)),
        }
    }

    /// When to try again for a status.
    fn retry_at(
        &mut self,
        status: Status,
        asked: Option<Duration>,
        now: Instant,
    ) -> Option<Instant> {
        let made = self.counts.made;
        let dice = self.policy.dice.roll();
        let pause = self.policy.retries.pause(status, asked, made, dice)?;
        let at = now + pause;
        (at < self.until && self.policy.budget.take()).then_some(at)
    }

    /// Turns to the request that a redirect asks for.
    fn follow(&mut self, hop: Hop, now: Instant) -> Judgement {
        let refused = |error| Judgement::Failed(ErrorKind::Redirect(error));
        if hop.change == Change::Nothing && !self.can_give_again() {
            return refused(RedirectError::Body);
        }
        let method = match hop.change {
            Change::ToGet => OwnedMethod::Named(Method::GET),
            Change::Nothing | Change::WithoutBody => self.request.method.clone(),
        };
        let is_known = hop.url == self.request.url || self.visited.contains(&hop.url);
        // With a cookie that it has set in between, a server may want the same once more.
        if is_known && method == self.request.method && !self.has_cookies() {
            return refused(RedirectError::Loop);
        }
        redirect::sift(&mut self.request.fields, &hop);
        self.counts.elsewhere |= hop.is_elsewhere;
        if hop.change != Change::Nothing {
            self.request.body = super::super::body::Body::empty();
            self.request.expects_continue = false;
        }
        let before = core::mem::replace(&mut self.request.url, hop.url);
        self.visited.push(before);
        self.request.method = method;
        self.counts.followed += 1;
        self.counts.made = 0;
        self.counts.stale = false;
        Judgement::Again {
            fresh: false,
            at: now,
        }
    }

    #[cfg(feature = "cookies")]
    fn keep_cookies(&self, fields: Fields<'_>) {
        if let Some(jar) = &self.policy.cookies {
            for value in fields.get_all("set-cookie") {
                if let Ok(text) = core::str::from_utf8(value) {
                    jar.set(&self.request.url, text);
                }
            }
        }
    }

    #[cfg(not(feature = "cookies"))]
    const fn keep_cookies(&self, _: Fields<'_>) {}

    #[cfg(feature = "cookies")]
    fn has_cookies(&self) -> bool {
        self.policy.cookies.is_some()
    }

    #[cfg(not(feature = "cookies"))]
    const fn has_cookies(&self) -> bool {
        false
    }

    pub(super) fn can_give_again(&self) -> bool {
        self.request.body.can_begin()
    }
}

enum Judgement {
    Answer,
    Again { fresh: bool, at: Instant },
    Failed(ErrorKind),
}
