//! Routes that bound the bodies of their requests, and the time for a reply.

use core::time::Duration;
use std::io::{Read, Write};
use std::net::TcpStream;

use barewire::app::{App, Reply, Request, Response, Route, Stream, Streaming};
use barewire::http::Fields;

use crate::app_support::{Answer, Running, read_until};

/// Counts a body, and says how long it was.
#[derive(Default)]
struct Count(usize);

impl Streaming for Count {
    fn chunk(&mut self, _stream: &mut Stream<'_, '_>, data: &mut [u8]) {
        self.0 += data.len();
    }

    fn end(&mut self, stream: &mut Stream<'_, '_>, _trailers: Fields<'_>) {
        stream.respond(Response::text(self.0.to_string()));
    }
}

/// Sends a body back while it comes.
struct Echo;

impl Streaming for Echo {
    fn chunk(&mut self, stream: &mut Stream<'_, '_>, data: &mut [u8]) {
        let _ = stream.write(data);
    }

    fn end(&mut self, stream: &mut Stream<'_, '_>, _trailers: Fields<'_>) {
        stream.finish();
    }
}

fn rest(mut stream: TcpStream) -> Answer {
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    Answer::new(&answer)
}

fn app() -> App {
    App::new()
        .route(
            Route::post("/count")
                .stream(|_request, reply| reply.receive(Count::default()))
                .body_limit(10),
        )
        .route(
            Route::post("/echo")
                .body_limit(10)
                .stream(|_request, reply| reply.stream(Echo)),
        )
        .route(
            Route::post("/both")
                .collect(4, |request, reply| {
                    reply.text(format!("whole {}", request.body().len()))
                })
                .stream(|_request, reply| reply.receive(Count::default()))
                .body_limit(10),
        )
        .route(
            Route::post("/whole")
                .collect(100, |request, reply| {
                    reply.text(request.body().len().to_string())
                })
                .body_limit(10),
        )
}

#[test]
fn bodies_are_bounded_however_they_come() {
    let running = Running::start(app());
    for path in ["/count", "/both", "/whole"] {
        let answer = running.post(path, "0123456789");
        assert_eq!((answer.status, &*answer.body), (200, "10"), "{path}");
        let answer = running.post(path, "0123456789a");
        assert_eq!(answer.status, 413, "{path}: {answer:?}");
        let chunked = |body: &str| {
            running.exchange(&format!(
                "POST {path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{body}0\r\n\r\n"
            ))
        };
        let answer = chunked("5\r\n01234\r\n5\r\n56789\r\n");
        assert_eq!((answer.status, &*answer.body), (200, "10"), "{path}");
        let answer = chunked("5\r\n01234\r\n6\r\n56789a\r\n");
        assert_eq!(answer.status, 413, "{path}: {answer:?}");
        assert_eq!(answer.body, r#"{"error":"Content Too Large"}"#);
    }
    assert_eq!(running.post("/both", "0123").body, "whole 4");
}

/// A body without an end, to a route that streams it.
#[test]
fn a_reply_that_has_begun_is_cut() {
    let running = Running::start(app());
    let mut stream = running.connect();
    let head = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(b"5\r\n01234\r\n").unwrap();
    let begun = read_until(&mut stream, "5\r\n01234\r\n");
    assert!(begun.starts_with("HTTP/1.1 200"), "{begun}");
    stream.write_all(b"6\r\n56789a\r\n").unwrap();
    let mut end = Vec::new();
    let _ = stream.read_to_end(&mut end); // its end, or a reset
    let end = String::from_utf8_lossy(&end);
    assert!(
        !end.contains("0\r\n\r\n"),
        "the end of a complete body: {end}"
    );
}

const SOON: Duration = Duration::from_millis(50);

#[test]
fn a_reply_that_is_late_is_503() {
    let route = Route::get("/late")
        .collect(0, |_request, reply| {
            reply.defer(|deferred| {
                std::thread::spawn(move || {
                    while deferred.is_wanted() {
                        std::thread::yield_now();
                    }
                });
            })
        })
        .timeout(SOON);
    let running = Running::start(App::new().route(route));
    let answer = running.get("/late");
    assert_eq!(answer.status, 503, "{answer:?}");
}

#[test]
fn a_body_that_is_late_is_408() {
    let collected = Route::post("/collected")
        .collect(10, |_request, reply| reply.text("too soon"))
        .timeout(SOON);
    let streamed = Route::post("/streamed")
        .stream(|_request, reply| reply.receive(Count::default()))
        .timeout(SOON);
    let running = Running::start(App::new().route(collected).route(streamed));
    for path in ["/collected", "/streamed"] {
        let mut stream = running.connect();
        let head = format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n01234");
        stream.write_all(head.as_bytes()).unwrap();
        let answer = rest(stream);
        assert_eq!(answer.status, 408, "{path}: {answer:?}");
    }
}

/// A timer of an exchange that is over ends no later one of its connection.
#[test]
fn a_later_exchange_is_not_touched() {
    let quick = Route::post("/quick")
        .collect(10, |_request, reply| {
            reply.defer(|deferred| {
                std::thread::spawn(move || deferred.send(Response::text("quick")));
            })
        })
        .timeout(SOON);
    let slow = |_request: &Request<'_>, reply: Reply<'_, '_>| {
        reply.defer(|deferred| {
            std::thread::spawn(move || {
                std::thread::sleep(4 * SOON);
                deferred.send(Response::text("slow"))
            });
        })
    };
    let running = Running::start(App::new().route(quick).get("/slow", slow));
    // On a busy machine the first may be late.
    while !is_untouched(&running) {}
}

fn is_untouched(running: &Running) -> bool {
    let mut stream = running.connect();
    let head = "POST /quick HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(b"01234").unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"quick") {
        let mut byte = [0];
        if answer.ends_with(b"}") || stream.read(&mut byte).unwrap() == 0 {
            return false;
        }
        answer.push(byte[0]);
    }
    let request = "GET /slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    assert_eq!(rest(stream).body, "slow");
    true
}
