//! However the input is cut, an app answers the same.
#![cfg(feature = "net")]

use std::io::{Read, Write};
use std::net::Shutdown;

use crate::app_support::{self, Running};
use barewire::app::{App, Middleware, Record, ReplyHead, Route, Stream, Streaming};
use barewire::http::Fields;
use barewire::{http1, link};

/// Writes back what comes.
struct Echo;

impl Streaming for Echo {
    fn chunk(&mut self, stream: &mut Stream<'_, '_>, data: &mut [u8]) {
        let _ = stream.write(data);
    }

    fn end(&mut self, stream: &mut Stream<'_, '_>, _trailers: Fields<'_>) {
        stream.finish();
    }
}

/// Leaves no trace of the time.
struct Dateless;

impl Middleware for Dateless {
    fn after(&self, _record: &Record, head: &mut ReplyHead<'_>) {
        head.set_header("Date", "Thu, 01 Jan 1970 00:00:00 GMT")
            .unwrap();
    }
}

#[test]
fn any_cut_gives_the_same_answers() {
    let slow = http1::Limits::DEFAULT
        .with_head_timeout(10 * app_support::PATIENCE)
        .with_body_grace(10 * app_support::PATIENCE);
    let app = App::new()
        .with(Dateless)
        .get("/users/{id}", |request, reply| {
            reply.text(request.param("id"))
        })
        .post("/echo", |request, reply| {
            reply.body(request.content_type(), request.body())
        })
        .route(
            Route::put("/both")
                .collect(8, |request, reply| {
                    reply
                        .header("X-How", "whole")
                        .body("text/x", request.body())
                })
                .stream(|request, reply| {
                    let length = request.content_length();
                    let reply = reply
                        .header("X-How", "pieces")
                        .header("Content-Type", "text/x");
                    length
                        .into_iter()
                        .fold(reply, |reply, bytes| reply.length(bytes))
                        .stream(Echo)
                }),
        )
        .collect_limit(10)
        .protocol_limits(link::Limits::DEFAULT.with_http1(slow));
    let running = Running::start(app);
    let script = [
        "GET /users/1 HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
         3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nT: 1\r\n\r\n",
        "PUT /both HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n12345678",
        "PUT /both HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n123456789",
        "PUT /both HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        "PUT /both HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nz\r\n0\r\n\r\n",
        "GET /none HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello hello",
        "DELETE /echo HTTP/1.1\r\nHost: a\r\n\r\n",
        "HEAD /users/2 HTTP/1.1\r\nHost: a\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /users/%2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    ]
    .concat();
    let answer = |pieces: &mut dyn FnMut() -> usize| {
        let mut stream = running.connect();
        stream.set_nodelay(true).unwrap();
        let mut rest = script.as_bytes();
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(pieces().min(rest.len()));
            stream.write_all(piece).unwrap();
            std::thread::sleep(core::time::Duration::from_micros(100));
            rest = after;
        }
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let whole = answer(&mut || usize::MAX);
    assert_eq!(whole.matches("HTTP/1.1 ").count(), 13, "{whole}");
    assert_eq!(answer(&mut || 1), whole);
    let mut state = 7_u32;
    for _ in 0..40 {
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as usize % 60 + 1
        };
        assert_eq!(answer(&mut next), whole);
    }
}
