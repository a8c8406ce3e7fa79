//! Rate limits in front of routes.

use barewire::app::{App, Incoming, RateLimit, RateLimited, Refusal, Scoped};
use barewire::http::Method;
use barewire::wire::Instant;
use core::time::Duration;

use crate::app_support::{Answer, Running};

fn app(limit: RateLimit) -> App {
    App::new()
        .with(limit)
        .get("/", |_request, reply| reply.text("in"))
}

fn ask(running: &Running, fields: &str) -> Answer {
    running.exchange(&format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n"))
}

#[test]
fn a_client_over_its_limit_is_told_when_to_come_back() {
    let limit = RateLimit::per_hour(2).fields("api");
    let running = Running::start(app(limit));
    let first = running.get("/");
    assert_eq!((first.status, first.body.as_str()), (200, "in"));
    assert_eq!(first.header("ratelimit-policy"), "\"api\";q=2;w=3600");
    assert_eq!(first.header("ratelimit"), "\"api\";r=1;t=1800");
    assert_eq!(running.get("/").status, 200);
    let third = running.get("/nothing/there");
    assert_eq!(third.status, 429);
    assert_eq!(third.body, r#"{"error":"Too Many Requests"}"#);
    let wait: u64 = third.header("retry-after").parse().unwrap();
    assert!((1..=1800).contains(&wait), "{wait}");
    assert!(third.header("ratelimit").starts_with("\"api\";r=0;t="));
}

#[test]
fn each_header_has_its_own_limit() {
    let running = Running::start(app(RateLimit::per_hour(1).by_header("X-Key")));
    for fields in ["X-Key: a\r\n", "X-Key: b\r\n", ""] {
        assert_eq!(ask(&running, fields).status, 200, "{fields:?}");
        assert_eq!(ask(&running, fields).status, 429, "{fields:?}");
    }
}

#[test]
fn a_closure_may_let_a_request_pass_uncounted() {
    let by = |request: &Incoming<'_, '_>| request.header("x-user").map(String::from);
    let running = Running::start(app(RateLimit::per_hour(1).by(by)));
    for _ in 0..3 {
        assert_eq!(ask(&running, "").status, 200);
    }
    assert_eq!(ask(&running, "X-User: ann\r\n").status, 200);
    assert_eq!(ask(&running, "X-User: ann\r\n").status, 429);
    assert_eq!(ask(&running, "X-User: bob\r\n").status, 200);
}

#[test]
fn one_route_is_limited_and_clones_count_together() {
    let limit = RateLimit::per_hour(1);
    let app = App::new()
        .with(Scoped::route(Method::POST, "/login", limit.clone()))
        .with(Scoped::route(Method::POST, "/reset", limit))
        .post("/login", |_request, reply| reply.text("in"))
        .post("/reset", |_request, reply| reply.text("in"))
        .get("/login", |_request, reply| reply.text("form"));
    let running = Running::start(app);
    assert_eq!(running.post("/login", "").status, 200);
    assert_eq!(running.post("/reset", "").status, 429);
    assert_eq!(running.get("/login").status, 200);
}

/// The body of a refused upload is not awaited: the answer comes before it.
#[test]
fn a_refused_request_is_answered_before_its_body() {
    let app = App::new()
        .with(RateLimit::per_hour(1).by(|_| Some(0)))
        .post("/", |_request, reply| reply.text("in"));
    let running = Running::start(app);
    assert_eq!(running.post("/", "").status, 200);
    let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n";
    assert_eq!(running.exchange(head).status, 429);
}

/// All loops count on one clock.
#[test]
fn several_loops_count_together() {
    let running = Running::start(app(RateLimit::per_hour(4)).threads(3));
    let passed = (0..12).filter(|_| running.get("/").status == 200).count();
    assert_eq!(passed, 4);
}

#[test]
fn a_handler_counts_by_itself_and_time_gives_back() {
    let limit = RateLimit::per_minute(60).burst(1);
    let at = |ms| Instant::START + Duration::from_millis(ms);
    assert_eq!(limit.take("ann", at(0)).unwrap().remaining, 0);
    let retry_after = Duration::from_millis(400);
    assert_eq!(limit.take("ann", at(600)), Err(RateLimited { retry_after }));
    assert!(limit.take("bob", at(600)).is_ok());
    assert!(limit.take("ann", at(1000)).is_ok());
    let refusal = Refusal::from(RateLimited { retry_after });
    assert_eq!(refusal.status().code(), 429);
}

#[test]
fn an_app_does_not_start_with_a_limit_that_lets_nothing_pass() {
    for limit in [
        RateLimit::per_second(0),
        RateLimit::per_second(1).burst(0),
        RateLimit::new(2_000_000_000, Duration::from_secs(1)),
        RateLimit::per_second(1).keys(0),
        RateLimit::per_second(1).fields("a \"b\""),
    ] {
        assert!(app(limit).listen("127.0.0.1:0").unwrap().spawn().is_err());
    }
}
