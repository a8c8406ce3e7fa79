use super::*;
use crate::client::connecting::RequestSender;
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

impl RequestSender for Taking {
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

    fn finish(&mut self, _: u32, _: Fields<'_>) -> Result<(), link::UsageError> {
        self.finished = true;
        Ok(())
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
        for nth in 0..10 {
            scene.lost(0, 0);
            let Step::Connect { fresh: true, at } = scene.next() else {
                panic!("not on a fresh one: {:?}", scene.call);
            };
            let longest = [0, 10, 20, 40, 80, 160, 320, 640, 1000, 1000][nth];
            let pause = at.saturating_since(scene.now);
            assert!(pause <= Duration::from_millis(longest), "{nth}: {pause:?}");
            scene.now = at;
            scene.connect(false);
        }
        scene.lost(0, 0);
        let error = scene.error();
        assert!(!error.may_have_been_processed() && error.is_retryable());
    }
}

#[test]
fn all_calls_of_a_client_share_what_goes_again_unseen() {
    let policy = Arc::new(Policy::new(ClientLimits::DEFAULT));
    let mut again = 0;
    loop {
        let mut scene = Scene::new("GET", "x");
        scene.call.policy = policy.clone();
        scene.connect(false);
        scene.lost(0, 0);
        match scene.next() {
            Step::Connect { .. } => again += 1,
            step => {
                assert!(matches!(step, Step::Failed(error) if error.is_retryable()));
                break;
            }
        }
    }
    assert_eq!(again, 100);
    // Each answer gives back two.
    let mut scene = Scene::new("GET", "x");
    scene.call.policy = policy.clone();
    scene.connect(false);
    scene.response(200, &[], Some(0));
    assert!(policy.unseen.take() && policy.unseen.take() && !policy.unseen.take());
}

#[test]
fn connections_that_die_before_they_are_used_are_counted() {
    let mut scene = Scene::new("GET", "x");
    for _ in 0..10 {
        scene.call.unused(scene.now);
        assert!(matches!(scene.next(), Step::Connect { .. }));
    }
    scene.call.unused(scene.now);
    assert!(matches!(scene.error().kind(), ErrorKind::Closed));
}

#[test]
fn a_server_may_say_that_it_has_seen_nothing() {
    let refused = EndReason::StreamReset {
        code: ErrorCode::REFUSED_STREAM.code(),
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
        .with_head_time(SECOND / 2)
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
    assert_eq!(late.call.deadline(), NOW + SECOND / 2);
    late.wait(SECOND / 2);
    timed_out(late, "head_time", Phase::Send);

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
