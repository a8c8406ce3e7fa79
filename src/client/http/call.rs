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
//! Whoever has connections drives it. It asks [`next`](Call::next) what to do; gives each
//! event of the connection to [`event`](Call::event), and says by
//! [`moved`](Call::moved), before it asks again, how far the connection has come: what
//! may be done about a lost connection depends on that.

mod answer;
mod events;
mod loss;
mod sending;
mod time;

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;

use self::answer::{Answer, Informational};
use super::body::Giving;
use super::error::{Error, ErrorKind};
use super::limits::ClientLimits;
use super::policy::Policy;
use super::request::Request;
use crate::client::connecting::{Phase, Url};
use crate::link::EndReason;
use crate::wire::Instant;

/// A call under way.
#[derive(Debug)]
pub(super) struct Call {
    request: Request,
    policy: Arc<Policy>,
    limits: ClientLimits,
    state: State,
    attempt: Attempt,
    answer: Answer,
    informational: VecDeque<Informational>,
    informed: u16,
    started: Instant,
    /// When all of it has to be over.
    until: Instant,
    /// Where it was before, while redirects are followed.
    visited: Vec<Url>,
    counts: Counts,
    /// The server did not understand the expectation.
    unexpecting: bool,
    failure: Option<Error>,
}

/// What has happened, and how often, which bounds how often it happens.
#[derive(Debug, Default)]
struct Counts {
    followed: u16,
    /// Attempts, those included that a status has asked for.
    made: u16,
    /// Attempts that the server has provably not looked at.
    unseen: u8,
    /// It went again because a connection at rest was dead.
    stale: bool,
    /// A redirect has led to another origin than it was made for.
    elsewhere: bool,
}

/// Where a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It wants a connection, at this time.
    Connect {
        fresh: bool,
        at: Instant,
    },
    /// The request is under way, and the head of the response has not come.
    Asked,
    /// The response is not the answer, and what is still to come of it is dropped;
    /// then comes the next request.
    Discarding {
        left: u64,
        fresh: bool,
        at: Instant,
    },
    /// The head is here, and the caller has not taken it.
    Answered,
    /// The body is being received, or taken.
    Receiving,
    /// All was received and taken.
    Ended,
    Failed,
}

/// The present attempt, on one connection.
#[derive(Debug)]
struct Attempt {
    stream: u32,
    /// The connection was used before.
    reused: bool,
    /// The body, while it is not sent.
    giving: Option<Giving>,
    /// The connection takes no more of the body at the moment.
    blocked: bool,
    /// Until when the body is held back.
    held: Option<Instant>,
    /// The last bytes of the request were taken by the system.
    is_out: bool,
    handed_over: u64,
    received: u64,
    /// The last stream that the server will act on.
    last_stream: u32,
    lost: Option<EndReason>,
    /// The response has no content.
    is_bare: bool,
    /// What the present deadline counts from.
    since: Instant,
}

/// What a call needs next.
#[derive(Debug)]
pub(super) enum Step {
    /// Events of its connection, or that its [deadline](Call::deadline) passes.
    Wait,
    /// A connection to the [URL](Call::url), not before `at`; then
    /// [`begin`](Call::begin), or [`unreachable`](Call::unreachable). The one before is
    /// given up: it can be used again if it is idle.
    Connect {
        /// One that has carried no request.
        fresh: bool,
        /// The time to wait for.
        at: Instant,
    },
    /// An interim response has come.
    Informational(Informational),
    /// The head of the response is here.
    Head,
    /// A piece of the body is here: [`piece`](Call::piece).
    Piece,
    /// The body has ended.
    End,
    /// The call has failed. Its connection is to be closed.
    Failed(Error),
}

impl Call {
    /// A call that begins now.
    pub(super) fn new(request: Request, policy: Arc<Policy>, now: Instant) -> Self {
        let limits = match &request.limits {
            Some(own) => **own,
            None => policy.limits,
        };
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
            until: now + limits.total_time,
            limits,
            visited: Vec::new(),
            counts: Counts::default(),
            unexpecting: false,
            failure: None,
        }
    }

    /// What is to be done next.
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

    /// Decides what a lost connection means, if it is lost.
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

    /// The URL of the present request.
    pub(super) const fn url(&self) -> &Url {
        &self.request.url
    }

    pub(super) const fn limits(&self) -> &ClientLimits {
        &self.limits
    }

    pub(super) const fn request(&self) -> &Request {
        &self.request
    }

    /// Whether the connection for the present request may be one at rest that could turn
    /// out to be dead: the request can go again then.
    pub(super) fn bears_stale(&self) -> bool {
        self.request.is_repeatable() && self.request.body.bytes().is_some() && !self.counts.stale
    }

    /// Whether the response has no content, as one to HEAD, or with 204 or 304. Servers are
    /// known that send some nevertheless.
    pub(super) const fn is_bare(&self) -> bool {
        self.attempt.is_bare
    }

    /// When it began.
    pub(super) const fn started(&self) -> Instant {
        self.started
    }

    /// The piece of the body that is there.
    pub(super) fn piece(&self) -> &[u8] {
        self.answer.content.piece()
    }

    /// Takes the first bytes of the piece.
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

    /// Has the server go on though nothing is taken, as all of the body is wanted.
    pub(super) const fn want_whole(&mut self) {
        self.answer.content.credit();
    }

    /// What has come.
    pub(super) const fn head(&self) -> &Answer {
        &self.answer
    }

    /// Whether [`take_whole`](Self::take_whole) will have it, once it has come.
    pub(super) fn can_take_whole(&self) -> bool {
        self.answer.content.is_untouched()
    }

    /// Takes what is there of a body that nobody wants; how much that was.
    pub(super) fn drop_piece(&mut self) -> usize {
        self.attempt.giving = None; // nor what the rest of the request would bring
        self.answer.content.drop_received()
    }

    /// The connection is over, whether it was told or not.
    pub(super) fn connection_over(&mut self) {
        self.attempt.lost.get_or_insert(EndReason::Disconnected);
    }

    /// Nothing was sent, and nothing can be.
    pub(super) fn refuse(&mut self, kind: ErrorKind) {
        self.fail_as(Phase::Request, kind, false);
    }

    /// Whether the caller has had all.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.state, State::Ended | State::Failed)
    }

    /// Whether the response was received to its end.
    pub(super) const fn is_received(&self) -> bool {
        self.answer.content.has_ended()
    }

    /// Whether it needs its connection no more: all was received, and it is what it says
    /// that it is.
    pub(super) fn is_through(&self) -> bool {
        self.is_received() && (!self.answer.is_decoded || self.state == State::Ended)
    }

    /// Bytes that the present attempt has sent and received, as far as that was said.
    pub(super) const fn carried(&self) -> (u64, u64) {
        (self.attempt.handed_over, self.attempt.received)
    }

    /// Ends it for a reason of the caller's.
    pub(super) fn abandon(&mut self, kind: ErrorKind) {
        let phase = self.phase();
        self.fail(phase, kind);
    }

    /// How far it is.
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

    /// Ends it with an error.
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

    /// An error of this call.
    pub(super) fn blame(&self, phase: Phase, kind: ErrorKind) -> Error {
        let method = self.request.method.get();
        Error::new(phase, kind).of(method.as_str(), &self.request.url)
    }
}

impl Attempt {
    /// That of a call which has no connection.
    const fn none(now: Instant) -> Self {
        Self {
            stream: 0,
            reused: false,
            giving: None,
            blocked: false,
            held: None,
            is_out: false,
            handed_over: 0,
            received: 0,
            last_stream: u32::MAX,
            lost: None,
            is_bare: false,
            since: now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::connecting::Transport;
    use crate::client::http::body::Body;
    use crate::client::http::redirect::RedirectPolicy;
    use crate::client::http::request::OwnedMethod;
    use crate::client::http::retry::RetryPolicy;
    use crate::http::{Content, Field, Fields, RequestHead, ResponseHead, Status, Version};
    use crate::http2::ErrorCode;
    use crate::link::{self, Event, ProtocolError};
    use crate::net::Flow;
    use alloc::string::{String, ToString as _};
    use core::time::Duration;

    const NOW: Instant = Instant::START;
    const SECOND: Duration = Duration::from_secs(1);

    /// A connection that takes what it is given, as long as there is room.
    #[derive(Debug, Default)]
    struct Taking {
        lines: Vec<String>,
        body: Vec<u8>,
        finished: bool,
        reset: bool,
        consumed: usize,
        /// How many more pieces it takes.
        room: usize,
    }

    impl Transport for Taking {
        fn allowance(&mut self) -> usize {
            1
        }

        fn request(
            &mut self,
            head: &RequestHead<'_>,
            body: Option<link::Body<'_>>,
        ) -> Result<u32, link::UsageError> {
            let line = alloc::format!("{} {}", head.method, head.target.path());
            self.lines.push(line);
            (self.finished, self.reset) = (true, false);
            self.body.clear();
            match body {
                Some(link::Body::Whole(bytes)) => self.body.extend_from_slice(bytes),
                Some(_) => self.finished = false,
                None => {}
            }
            Ok(1)
        }

        fn write(&mut self, _: u32, data: &[u8]) -> Flow {
            self.body.extend_from_slice(data);
            self.room = self.room.saturating_sub(1);
            match self.room {
                0 => Flow::Wait,
                _ => Flow::Go,
            }
        }

        fn finish(&mut self, _: u32) {
            self.finished = true;
        }

        fn reset(&mut self, _: u32, _: ErrorCode) {
            self.reset = true;
        }

        fn consume(&mut self, _: u32, bytes: usize) {
            self.consumed += bytes;
        }

        fn shutdown(&mut self) {}
    }

    struct Scene {
        call: Call,
        wire: Taking,
        now: Instant,
    }

    impl Scene {
        fn new(method: &str, body: impl Into<Body>) -> Self {
            Self::with(method, body, |_| {})
        }

        fn with(method: &str, body: impl Into<Body>, change: impl FnOnce(&mut Policy)) -> Self {
            let url = Url::parse("http://a/").unwrap();
            let mut request = Request::new(OwnedMethod::parse(method).unwrap(), url);
            request.body = body.into();
            let mut policy = Policy::new(ClientLimits::DEFAULT);
            change(&mut policy);
            Self {
                call: Call::new(request, Arc::new(policy), NOW),
                wire: Taking {
                    room: 1000,
                    ..Taking::default()
                },
                now: NOW,
            }
        }

        fn next(&mut self) -> Step {
            self.call.next(self.now)
        }

        /// Takes the connection that is asked for; whether a fresh one was.
        fn connect(&mut self, reused: bool) -> bool {
            let Step::Connect { fresh, .. } = self.next() else {
                panic!("{:?}", self.call);
            };
            self.call.begin(&mut self.wire, reused, None, self.now);
            fresh
        }

        fn event(&mut self, event: Event<'_>) {
            self.call.event(1, event, &mut self.wire, self.now);
        }

        fn response(&mut self, code: u16, fields: &[Field<'_>], length: Option<u64>) {
            let head = ResponseHead {
                status: Status::new(code).unwrap(),
                version: Version::Http11,
                fields: Fields::new(fields),
            };
            let content = match length {
                Some(0) => Content::None,
                length => Content::Follows { length },
            };
            let event = match head.status.is_informational() {
                true => Event::Informational(head),
                false => Event::Response { head, content },
            };
            self.event(event);
        }

        fn end(&mut self) {
            let trailers = Fields::EMPTY;
            self.event(Event::End {
                trailers,
                dropped: 0,
            });
        }

        /// So much of the request was taken, and so much of an answer came.
        fn moved(&mut self, handed_over: u64, received: u64) {
            self.call.moved(handed_over, true, received, self.now);
        }

        fn lost(&mut self, handed_over: u64, received: u64) {
            self.event(Event::Ended(EndReason::Disconnected));
            self.moved(handed_over, received);
        }

        fn error(&mut self) -> Error {
            match self.next() {
                Step::Failed(error) => error,
                step => panic!("{step:?}"),
            }
        }

        fn wait(&mut self, time: Duration) {
            assert!(matches!(self.next(), Step::Wait));
            self.now += time;
            self.call.elapsed(self.now);
            self.call.pump(&mut self.wire, self.now);
        }
    }

    #[test]
    fn a_call_goes_from_request_to_the_last_byte() {
        let mut scene = Scene::new("POST", "body");
        assert!(!scene.connect(false));
        assert_eq!(
            (&*scene.wire.lines, &*scene.wire.body),
            (&["POST /".to_string()][..], &b"body"[..])
        );
        assert!(matches!(scene.next(), Step::Wait));
        scene.response(200, &[], Some(5));
        scene.event(Event::Body(&mut b"he".to_vec()));
        assert!(matches!(scene.next(), Step::Head));
        assert!(matches!(scene.next(), Step::Piece));
        assert_eq!(scene.call.piece(), b"he");
        scene.call.consume(2);
        assert!(matches!(scene.next(), Step::Wait));
        scene.event(Event::Body(&mut b"llo".to_vec()));
        scene.end();
        assert!(matches!(scene.next(), Step::Piece));
        scene.call.consume(3);
        scene.call.give_back(&mut scene.wire);
        assert_eq!(scene.wire.consumed, 5);
        assert!(matches!(scene.next(), Step::End));
        assert!(scene.call.is_over());
    }

    #[test]
    fn what_no_server_has_seen_goes_again_a_few_times() {
        for method in ["GET", "POST"] {
            let mut scene = Scene::new(method, "x");
            scene.connect(true);
            for _ in 0..3 {
                scene.lost(0, 0);
                assert!(scene.connect(false), "on a fresh one");
            }
            scene.lost(0, 0);
            let error = scene.error();
            assert!(!error.may_have_been_processed() && error.is_retryable());
        }
    }

    #[test]
    fn connections_that_die_before_they_are_used_are_counted() {
        let mut scene = Scene::new("GET", "x");
        for _ in 0..3 {
            scene.call.unused();
            assert!(matches!(scene.next(), Step::Connect { .. }));
        }
        scene.call.unused();
        assert!(matches!(scene.error().kind(), ErrorKind::Closed));
    }

    #[test]
    fn a_server_may_say_that_it_has_seen_nothing() {
        let refused = EndReason::StreamReset {
            code: ErrorCode::REFUSED_STREAM.code(),
            by_peer: true,
        };
        let mut scene = Scene::new("POST", "x");
        scene.connect(true);
        scene.event(Event::Ended(refused));
        scene.moved(100, 9);
        assert!(!scene.connect(true), "one that refuses may take the next");
        let leave = Event::GoingAway {
            last_stream: 0,
            code: 0,
            debug: b"",
        };
        scene.call.event(0, leave, &mut scene.wire, NOW);
        scene.lost(100, 9);
        assert!(scene.connect(true), "it is above the last one");
        let other = EndReason::StreamReset {
            code: ErrorCode::INTERNAL_ERROR.code(),
            by_peer: true,
        };
        scene.event(Event::Ended(other));
        scene.moved(100, 9);
        assert!(scene.error().may_have_been_processed());
    }

    #[test]
    fn only_a_connection_at_rest_that_answers_nothing_is_stale() {
        // The method, reused, bytes received: whether it goes again.
        for (method, reused, received, again) in [
            ("GET", true, 0, true),
            ("DELETE", true, 0, true),
            ("POST", true, 0, false),
            ("PATCH", true, 0, false),
            ("GET", false, 0, false),
            ("GET", true, 1, false),
        ] {
            let mut scene = Scene::new(method, "x");
            scene.connect(reused);
            scene.lost(100, received);
            if again {
                assert!(scene.connect(true), "{method}: not on another one at rest");
                scene.lost(100, 0);
            }
            let error = scene.error();
            assert!(
                error.may_have_been_processed(),
                "{method} {reused} {received}"
            );
            assert!(matches!(error.kind(), ErrorKind::Closed));
            assert_eq!(error.phase(), Phase::Response);
        }
    }

    #[test]
    fn a_body_that_was_begun_cannot_be_given_again() {
        let mut scene = Scene::new("PUT", Body::reader(&b"once"[..]));
        scene.connect(true);
        assert!(scene.wire.finished);
        scene.lost(0, 0);
        assert!(matches!(scene.error().kind(), ErrorKind::Closed));
    }

    #[test]
    fn what_breaks_the_protocol_is_not_sent_again() {
        let mut scene = Scene::new("GET", Body::empty());
        scene.connect(true);
        let fault = ProtocolError::Http1(crate::http1::ProtocolError::StatusLine);
        scene.event(Event::Ended(EndReason::ProtocolError(fault)));
        scene.moved(10, 0);
        assert!(matches!(scene.error().kind(), ErrorKind::Protocol(_)));
    }

    #[test]
    fn each_time_has_its_limit_and_the_end_of_one_begins_the_next() {
        let limits = ClientLimits::DEFAULT
            .with_send_time(SECOND)
            .with_response_time(SECOND * 2)
            .with_silence_time(SECOND * 3)
            .with_total_time(SECOND * 100);
        let scene = || {
            let mut scene = Scene::with("GET", Body::empty(), |policy| policy.limits = limits);
            scene.connect(false);
            scene
        };
        let timed_out = |mut scene: Scene, limit, phase| {
            let error = scene.error();
            assert!(
                matches!(error.kind(), ErrorKind::TimedOut(it) if *it == limit),
                "{error}"
            );
            assert_eq!(error.phase(), phase);
        };
        let mut late = scene();
        assert_eq!(late.call.deadline(), NOW + SECOND);
        late.wait(SECOND);
        timed_out(late, "send_time", Phase::Send);

        let mut late = scene();
        late.now += SECOND / 2;
        late.moved(100, 0);
        assert_eq!(late.call.deadline(), NOW + SECOND / 2 + SECOND * 2);
        late.wait(SECOND * 2);
        timed_out(late, "response_time", Phase::Response);

        let mut late = scene();
        late.moved(100, 0);
        late.response(200, &[], Some(5));
        assert!(matches!(late.next(), Step::Head));
        late.now += SECOND * 50; // nobody asks for more
        late.call.resume(late.now);
        assert_eq!(late.call.deadline(), late.now + SECOND * 3);
        late.wait(SECOND * 3);
        timed_out(late, "silence_time", Phase::Body);

        let mut late = scene();
        late.moved(100, 0);
        late.response(200, &[], Some(5));
        assert!(matches!(late.next(), Step::Head));
        late.now += SECOND * 99;
        late.call.resume(late.now);
        late.wait(SECOND);
        timed_out(late, "total_time", Phase::Body);
    }

    #[test]
    fn interim_responses_have_no_end_but_the_limit() {
        let mut scene = Scene::new("GET", Body::empty());
        scene.connect(false);
        for _ in 0..16 {
            scene.response(102, &[], None);
            assert!(matches!(scene.next(), Step::Wait));
        }
        scene.response(103, &[], None);
        assert!(matches!(
            scene.error().kind(),
            ErrorKind::TooLarge("informational")
        ));
    }

    #[test]
    fn a_body_waits_for_leave_or_for_its_time() {
        let expecting = || {
            let mut scene = Scene::new("POST", "x");
            scene.call.request.expects_continue = true;
            scene.connect(false);
            assert!(scene.wire.body.is_empty() && !scene.wire.finished);
            scene
        };
        let mut scene = expecting();
        scene.response(100, &[], None);
        assert!(scene.wire.finished && scene.wire.body == b"x");

        let mut scene = expecting();
        scene.wait(SECOND);
        assert!(scene.wire.finished && scene.wire.body == b"x");

        let mut scene = expecting();
        scene.response(417, &[], Some(0));
        scene.connect(true);
        assert!(
            scene.wire.finished && scene.wire.body == b"x",
            "without the expectation"
        );
        scene.response(417, &[], Some(0));
        assert!(matches!(scene.next(), Step::Head), "and no third time");
    }

    #[test]
    fn a_body_goes_out_as_there_is_room() {
        let mut scene = Scene::new("PUT", alloc::vec![7; 40 << 10]);
        scene.wire.room = 1;
        scene.connect(false);
        assert_eq!(
            (scene.wire.body.len(), scene.wire.finished),
            (16 << 10, false)
        );
        scene.call.pump(&mut scene.wire, NOW);
        assert_eq!(scene.wire.body.len(), 16 << 10);
        scene.wire.room = 1000;
        scene.event(Event::Writable);
        assert_eq!(
            (scene.wire.body.len(), scene.wire.finished),
            (40 << 10, true)
        );
    }

    #[test]
    fn a_source_that_fails_ends_the_request_unfinished() {
        let pieces = [Ok("a".into()), Err(std::io::Error::other("disk"))];
        let mut scene = Scene::new("PUT", Body::iterator(pieces.into_iter()));
        scene.connect(false);
        assert!(scene.wire.reset && !scene.wire.finished);
        let error = scene.error();
        assert!(matches!(error.kind(), ErrorKind::Body(_)));
        for body in [
            Body::reader(&b"abc"[..]).with_length(2),
            Body::reader(&b"a"[..]).with_length(2),
        ] {
            let mut scene = Scene::new("PUT", body);
            scene.connect(false);
            assert!(matches!(scene.error().kind(), ErrorKind::Body(_)));
        }
    }

    #[test]
    fn what_is_not_the_answer_is_dropped_as_long_as_it_is_short() {
        let redirected = |length| {
            let mut scene = Scene::with("GET", Body::empty(), |policy| policy.limits.drain = 10);
            scene.connect(false);
            scene.response(302, &[Field::new("Location", "/b")], length);
            scene
        };
        let mut scene = redirected(Some(10));
        assert!(matches!(scene.next(), Step::Wait));
        scene.event(Event::Body(&mut b"0123456789".to_vec()));
        scene.end();
        scene.connect(true);
        assert_eq!(scene.wire.lines, ["GET /", "GET /b"]);
        let mut scene = redirected(Some(11));
        assert!(
            matches!(scene.next(), Step::Connect { .. }),
            "not worth waiting for"
        );
        let mut scene = redirected(None);
        scene.event(Event::Body(&mut b"0123456789!".to_vec()));
        assert!(scene.wire.reset);
        assert!(matches!(scene.next(), Step::Connect { .. }));
        let mut scene = redirected(None);
        scene.lost(10, 10);
        assert!(
            matches!(scene.next(), Step::Connect { .. }),
            "its end is none of ours"
        );
        let mut scene = redirected(None);
        scene.moved(10, 10);
        scene.wait(SECOND * 60);
        assert!(
            matches!(scene.next(), Step::Connect { .. }),
            "nor its silence"
        );
    }

    #[test]
    fn another_attempt_waits_as_long_as_the_server_asks() {
        let retries = RetryPolicy::attempts(2);
        let mut scene = Scene::with("GET", Body::empty(), |policy| policy.retries = retries);
        scene.connect(false);
        scene.response(503, &[Field::new("Retry-After", "7")], Some(0));
        let Step::Connect { fresh: false, at } = scene.next() else {
            panic!("{:?}", scene.call);
        };
        assert_eq!(at, NOW + SECOND * 7);
        scene.connect(true);
        scene.response(503, &[], Some(0));
        assert!(matches!(scene.next(), Step::Head));
    }

    #[test]
    fn redirects_are_counted_over_the_whole_call() {
        let redirects = RedirectPolicy::follow(2);
        let mut scene = Scene::with("GET", Body::empty(), |policy| policy.redirects = redirects);
        for to in ["/b", "/c"] {
            scene.connect(false);
            scene.response(302, &[Field::new("Location", to)], Some(0));
        }
        scene.connect(false);
        scene.response(302, &[Field::new("Location", "/d")], Some(0));
        assert!(matches!(scene.error().kind(), ErrorKind::Redirect(_)));
    }

    #[test]
    fn a_body_that_ends_too_soon_is_an_error_after_what_came() {
        let mut scene = Scene::new("GET", Body::empty());
        scene.connect(true);
        scene.response(200, &[], Some(5));
        scene.event(Event::Body(&mut b"he".to_vec()));
        assert!(matches!(scene.next(), Step::Head));
        scene.lost(10, 10);
        assert!(matches!(scene.next(), Step::Piece));
        scene.call.consume(2);
        let error = scene.error();
        assert_eq!(
            (error.phase(), error.may_have_been_processed()),
            (Phase::Body, true)
        );
    }
}
