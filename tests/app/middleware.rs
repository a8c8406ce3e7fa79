//! What stands before and behind the routes: order, changes, cross-origin
//! fields, the log, the numbers.
#![cfg(feature = "net")]

use core::time::Duration;
use std::io::{Read, Write};
use std::sync::{Arc, Mutex};

use crate::app_support::{self, Answer, Running};
use barewire::app::{
    AccessLog, App, Cors, Incoming, Kind, Middleware, Next, Record, Refusal, Reply, ReplyHead,
    Scoped,
};
use barewire::http::Status;
use barewire::{http1, link};

/// Writes down what it sees, and marks every reply.
struct Scribe(&'static str, Arc<Mutex<Vec<String>>>);

impl Middleware for Scribe {
    fn before(&self, request: &mut Incoming<'_, '_>, _reply: Reply<'_, '_>) -> Next {
        self.1
            .lock()
            .unwrap()
            .push(format!("{} before {}", self.0, request.path()));
        Next::Continue
    }

    fn after(&self, record: &Record, head: &mut ReplyHead<'_>) {
        let line = format!(
            "{} after {} {}",
            self.0,
            record.path(),
            head.status().code()
        );
        self.1.lock().unwrap().push(line);
        head.add_header("X-Mark", self.0).unwrap();
    }
}

/// Changes requests and answers some of them early.
struct Gate;

impl Middleware for Gate {
    fn before(&self, request: &mut Incoming<'_, '_>, reply: Reply<'_, '_>) -> Next {
        match request.path() {
            "/early" => return reply.status(Status::ACCEPTED).text("early").into(),
            "/refused" => return Refusal::new(Status::FORBIDDEN).into(),
            "/old" => request.rewrite("/new").unwrap(),
            _ => {}
        }
        request.set_header("X-User", "alice").unwrap();
        request.add_header("X-More", "1").unwrap();
        drop(reply.header("X-Gate", "passed"));
        Next::Continue
    }
}

#[test]
fn middleware_runs_in_order_and_sees_every_reply() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let app = App::new()
        .with(Scribe("a", seen.clone()))
        .with(Gate)
        .with(Scribe("b", seen.clone()))
        .get("/hello", |_request, reply| reply.text("hi"))
        .post("/small", |_request, reply| reply.empty())
        .get("/panic", |_request, _reply| -> barewire::app::Done {
            panic!("as asked")
        })
        .collect_limit(2);
    let running = Running::start(app);
    let check = |status: u16, answer: app_support::Answer, marks: &str, lines: &[&str]| {
        assert_eq!(
            (answer.status, &*answer.header("x-mark")),
            (status, marks),
            "{answer:?}"
        );
        assert_eq!(core::mem::take(&mut *seen.lock().unwrap()), lines);
    };
    check(
        200,
        running.get("/hello"),
        "b, a",
        &[
            "a before /hello",
            "b before /hello",
            "b after /hello 200",
            "a after /hello 200",
        ],
    );
    let lines = [
        "a before /x",
        "b before /x",
        "b after /x 404",
        "a after /x 404",
    ];
    check(404, running.get("/x"), "b, a", &lines);
    let lines = [
        "a before /early",
        "b after /early 202",
        "a after /early 202",
    ];
    check(202, running.get("/early"), "b, a", &lines);
    let lines = [
        "a before /refused",
        "b after /refused 403",
        "a after /refused 403",
    ];
    check(403, running.get("/refused"), "b, a", &lines);
    let lines = [
        "a before /small",
        "b before /small",
        "b after /small 413",
        "a after /small 413",
    ];
    check(413, running.post("/small", "abc"), "b, a", &lines);
    // Once for each request, also where the body has to be waited for.
    let chunked = "POST /small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
                   2\r\nab\r\n0\r\n\r\n";
    let lines = [
        "a before /small",
        "b before /small",
        "b after /small 204",
        "a after /small 204",
    ];
    check(204, running.exchange(chunked), "b, a", &lines);
    // Also what the loop answers where a route has panicked.
    let lines = [
        "a before /panic",
        "b before /panic",
        "b after /panic 500",
        "a after /panic 500",
    ];
    check(500, running.get("/panic"), "b, a", &lines);
}

#[test]
fn a_request_can_be_changed_on_its_way() {
    let app = App::new().with(Gate).any("/new", |request, reply| {
        let users: Vec<_> = request
            .headers()
            .get_all("x-user")
            .map(<[u8]>::len)
            .collect();
        let seen = format!(
            "{} {users:?} {:?} ",
            request.path(),
            request.header("x-more")
        );
        let query = request.query().unwrap_or_default();
        reply.text(seen + query + core::str::from_utf8(request.body()).unwrap())
    });
    let running = Running::start(app);
    let head = "Host: a\r\nX-User: mallory\r\nx-user: eve";
    let answer = running.exchange(&format!("GET /old?q=1 HTTP/1.1\r\n{head}\r\n\r\n"));
    assert_eq!(answer.body, "/new [5] Some(\"1\") q=1");
    assert_eq!(answer.header("x-gate"), "passed");
    // The changes last until the body has been collected.
    let answer = running.exchange(&format!(
        "POST /old HTTP/1.1\r\n{head}\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nz\r\n0\r\n\r\n"
    ));
    assert_eq!(answer.body, "/new [5] Some(\"1\") z");
    assert_eq!(answer.header("x-gate"), "passed");
}

#[test]
fn cors_answers_preflights_and_marks_every_reply() {
    let app = App::new()
        .with(Cors::permissive())
        .put("/x", |_request, reply| reply.text("x"))
        .get("/panic", |_request, _reply| -> barewire::app::Done {
            panic!("as asked")
        });
    let running = Running::start(app);
    let preflight = running.exchange(
        "OPTIONS /x HTTP/1.1\r\nHost: a\r\nOrigin: https://b\r\n\
         Access-Control-Request-Method: PUT\r\n\
         Access-Control-Request-Headers: x-one, x-two\r\n\r\n",
    );
    assert_eq!(preflight.status, 204);
    for (name, value) in [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-methods", "PUT"),
        ("access-control-allow-headers", "x-one, x-two"),
        ("access-control-max-age", "600"),
    ] {
        assert_eq!(preflight.header(name), value);
    }
    for (request, status) in [
        ("PUT /x", 200),
        ("GET /x", 405),
        ("GET /none", 404),
        ("GET /panic", 500),
    ] {
        let answer = running.exchange(&format!(
            "{request} HTTP/1.1\r\nHost: a\r\nOrigin: https://b\r\n\r\n"
        ));
        assert_eq!(answer.status, status);
        assert_eq!(
            answer.header("access-control-allow-origin"),
            "*",
            "{request}"
        );
        assert_eq!(answer.header("access-control-expose-headers"), "*");
    }
    // Without an origin it is no business of ours.
    assert_eq!(
        running.get("/none").header("access-control-allow-origin"),
        ""
    );
    let plain = running.exchange("OPTIONS /x HTTP/1.1\r\nHost: a\r\nOrigin: https://b\r\n\r\n");
    assert_eq!(
        (plain.status, &*plain.header("allow")),
        (204, "OPTIONS, PUT")
    );
}

#[test]
fn cors_names_an_origin_from_the_list_and_no_other() {
    let cors = Cors::origins(["https://good"])
        .allow_credentials()
        .expose("x-a")
        .expose("x-b");
    let app = App::new()
        .with(cors)
        .get("/x", |_request, reply| reply.text("x"));
    let running = Running::start(app);
    let ask = |origin: &str| {
        running.exchange(&format!(
            "GET /x HTTP/1.1\r\nHost: a\r\nOrigin: {origin}\r\n\r\n"
        ))
    };
    let good = ask("https://good");
    assert_eq!(good.header("access-control-allow-origin"), "https://good");
    assert_eq!(good.header("access-control-allow-credentials"), "true");
    assert_eq!(good.header("access-control-expose-headers"), "x-a, x-b");
    assert_eq!(good.header("vary"), "Origin");
    let evil = ask("https://evil");
    assert_eq!(
        (evil.status, &*evil.header("access-control-allow-origin")),
        (200, "")
    );
    assert_eq!(evil.header("vary"), "Origin");
}

#[test]
fn middleware_below_a_path_sees_nothing_else() {
    let seen = Arc::new(Mutex::new(String::new()));
    let sink = seen.clone();
    let log = AccessLog::to(move |line| sink.lock().unwrap().push_str(line));
    let app = App::new()
        .with(Scoped::new("/api", Cors::permissive()))
        .with(Scoped::new("/api", log))
        .get("/api/x", |_request, reply| reply.text("x"))
        .get("/account", |_request, reply| reply.text("secret"));
    let running = Running::start(app);
    let ask = |method: &str, path: &str| {
        let answer = running.exchange(&format!(
            "{method} {path} HTTP/1.1\r\nHost: a\r\nOrigin: https://page\r\n\
             Access-Control-Request-Method: GET\r\n\r\n"
        ));
        let allowed = answer.header("access-control-allow-origin") == "*";
        (answer.status, allowed)
    };
    assert_eq!(ask("GET", "/api/x"), (200, true));
    assert_eq!(ask("GET", "/%61pi/x"), (200, true));
    assert_eq!(ask("GET", "/api/nothing"), (404, true));
    assert_eq!(ask("OPTIONS", "/api"), (204, true));
    assert_eq!(ask("GET", "/account"), (200, false));
    assert_eq!(ask("GET", "/apis"), (404, false));
    assert_eq!(ask("OPTIONS", "/account"), (204, false));
    app_support::wait_until("all lines", || seen.lock().unwrap().lines().count() >= 4);
    assert_eq!(seen.lock().unwrap().lines().count(), 4);
}

#[test]
fn the_log_has_a_line_for_every_reply() {
    let lines = Arc::new(Mutex::new(String::new()));
    let sink = lines.clone();
    let app = App::new()
        .with(AccessLog::to(move |line| {
            sink.lock().unwrap().push_str(line)
        }))
        .get("/hello", |_request, reply| reply.text("hi"));
    let running = Running::start(app);
    running.get("/hello?q");
    running.get("/no%0Ane");
    app_support::wait_until("both", || lines.lock().unwrap().lines().count() == 2);
    let lines = lines.lock().unwrap();
    let lines: Vec<&str> = lines.lines().collect();
    let [hello, none] = lines[..] else {
        panic!("{lines:?}")
    };
    assert!(hello.contains(" GMT 127.0.0.1:") && hello.contains(" \"GET /hello\" 200 2 "));
    assert!(none.contains(" \"GET /no%0Ane\" 404 21 "));
}

#[test]
fn metrics_count_what_was_done() {
    let app = App::new()
        .get("/hello", |_request, reply| reply.text("hello"))
        .post("/echo", |request, reply| {
            reply.body("text/plain", request.body())
        });
    let metrics = app.metrics();
    let app = app.get("/metrics", metrics.route());
    let running = Running::start(app.threads(2));
    for _ in 0..3 {
        running.get("/hello");
    }
    running.post("/echo", "0123456789");
    running.get("/none");
    let snapshot = metrics.snapshot();
    assert_eq!(
        (snapshot.total(), snapshot.successful(), snapshot.failed()),
        (5, 4, 1)
    );
    assert_eq!(
        (snapshot.connections_total, snapshot.durations.count()),
        (5, 5)
    );
    assert_eq!((snapshot.bytes_in, snapshot.bytes_out), (10, 15 + 10 + 21));
    assert_eq!(snapshot.sessions_total(Kind::Exchange), 0);
    app_support::wait_until("all are closed", || {
        metrics.snapshot().connections_active == 0
    });
    let shown = running.get("/metrics");
    assert_eq!(
        shown.header("content-type"),
        "text/plain; version=0.0.4; charset=utf-8"
    );
    assert!(
        shown
            .body
            .contains("barewire_http_requests_total{method=\"GET\",status=\"200\"} 3\n")
    );
    assert!(
        shown
            .body
            .contains("barewire_http_requests_total{method=\"GET\",status=\"404\"} 1\n")
    );
}

/// Behind a body that was collected they were not counted.
#[test]
fn trailers_that_are_left_out_are_counted_behind_every_body() {
    let app = App::new().post("/echo", |request, reply| {
        reply.body("text/plain", request.body())
    });
    let metrics = app.metrics();
    let running = Running::start(app);
    let chunked = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
                   1\r\nx\r\n0\r\nExpires: 0\r\nX-Sum: 1\r\nDate: now\r\n\r\n";
    assert_eq!(running.exchange(chunked).body, "x");
    assert_eq!(metrics.snapshot().trailers_dropped, 2);
    assert_eq!(running.post("/echo", "y").body, "y");
    assert_eq!(metrics.snapshot().trailers_dropped, 2);

    let mut http2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    http2.extend(b"\0\0\0\x04\0\0\0\0\0");
    http2.extend(b"\0\0\x0c\x01\x04\0\0\0\x01\x83\x86\x04\x05/echo\x01\x01a");
    http2.extend(b"\0\0\x01\0\0\0\0\0\x01z");
    http2.extend(b"\0\0\x0b\x01\x05\0\0\0\x01\0\x07expires\x010");
    running.connect().write_all(&http2).unwrap();
    app_support::wait_until("it is counted over HTTP/2", || {
        metrics.snapshot().trailers_dropped == 3
    });
}

#[test]
fn what_the_protocol_refuses_itself_is_logged_and_counted() {
    let lines = Arc::new(Mutex::new(String::new()));
    let sink = lines.clone();
    let http1 = http1::Limits::DEFAULT.with_head_timeout(Duration::from_secs(1));
    let app = App::new()
        .protocol_limits(link::Limits::DEFAULT.with_http1(http1))
        .with(AccessLog::to(move |line| {
            sink.lock().unwrap().push_str(line)
        }))
        .get("/hello", |_request, reply| reply.text("hi"))
        .post("/echo", |request, reply| {
            reply.body("text/plain", request.body())
        });
    let metrics = app.metrics();
    let running = Running::start(app);

    let malformed = "GET /hello HTTP/1.1\r\n\r\n";
    assert_eq!(running.exchange(malformed).status, 400);
    let large = format!("GET / HTTP/1.1\r\nX: {}\r\n", "x".repeat(20_000));
    assert_eq!(running.exchange(&large).status, 431);
    let mut slow = running.connect();
    slow.write_all(b"GET /hello HTTP/1.1\r\nHo").unwrap();
    let mut answer = Vec::new();
    slow.read_to_end(&mut answer).unwrap();
    assert_eq!(Answer::new(&answer).status, 408);
    let chunk =
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nx\r\n";
    assert_eq!(running.exchange(chunk).status, 400);
    let second = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\nnonsense\r\n\r\n";
    assert_eq!(running.exchange(second).status, 200);
    drop(running.connect()); // says nothing, and is answered nothing

    app_support::wait_until("all are closed", || {
        metrics.snapshot().connections_active == 0
    });
    let snapshot = metrics.snapshot();
    let count = |method, code| {
        let mut requests = snapshot.requests.iter();
        let found = requests.find(|it| (it.method, it.status.code()) == (method, code));
        found.map_or(0, |it| it.count)
    };
    let counts = [
        count("unknown", 400),
        count("unknown", 431),
        count("unknown", 408),
        count("POST", 400),
        count("GET", 200),
    ];
    assert_eq!(counts, [2, 1, 1, 1, 1], "{:?}", snapshot.requests);
    assert_eq!((snapshot.total(), snapshot.durations.count()), (6, 2));

    app_support::wait_until("all lines", || lines.lock().unwrap().lines().count() >= 6);
    let lines = lines.lock().unwrap();
    let has = |end: &str| lines.lines().filter(|line| line.contains(end)).count();
    assert_eq!(has(" \"-\" 400 0 "), 2, "{lines}");
    assert_eq!(has(" \"-\" 431 0 "), 1, "{lines}");
    assert_eq!(has(" \"-\" 408 0 "), 1, "{lines}");
    assert_eq!(has(" \"POST /echo\" 400 0 "), 1, "{lines}");
    assert_eq!(lines.lines().count(), 6, "{lines}");
}

#[test]
fn durations_hold_the_time_that_a_route_takes() {
    let app = App::new().get("/slow", |_request, reply| {
        std::thread::sleep(Duration::from_millis(20));
        reply.text("done")
    });
    let metrics = app.metrics();
    let running = Running::start(app);
    running.get("/slow");
    let durations = metrics.snapshot().durations;
    assert!(
        durations.sum() >= Duration::from_millis(20),
        "{durations:?}"
    );
    assert!(durations.sum() < app_support::PATIENCE, "{durations:?}");
}
