//! Content codings of requests, over real sockets.
#![cfg(all(feature = "gzip", feature = "brotli", feature = "zstd"))]

use std::io::{Read, Write};
use std::net::Shutdown;

use crate::app_support::{Answer, Running};
use crate::codings::encode;
use crate::http2_support::{content, ended, status};
use crate::peer::Peer;
use barewire::app::{
    App, Decompression, DecompressionLimits, Direction, Kind, Response, Route, Stream, Streaming,
};
use barewire::http::Fields;
use barewire::http2::BodyLength;

const CODINGS: [&str; 4] = ["gzip", "deflate", "br", "zstd"];

/// Answers with what it has got, and how often.
#[derive(Default)]
struct Gather(Vec<u8>);

impl Streaming for Gather {
    fn chunk(&mut self, _stream: &mut Stream<'_, '_>, data: &mut [u8]) {
        self.0.extend_from_slice(data);
    }

    fn end(&mut self, stream: &mut Stream<'_, '_>, _trailers: Fields<'_>) {
        stream.respond(Response::body("text/plain", core::mem::take(&mut self.0)));
    }
}

fn app() -> App {
    let limits = DecompressionLimits::DEFAULT.with_decoded(400_000);
    App::new()
        .with(Decompression::new().limits(limits))
        .post("/echo", |request, reply| {
            let coding = request.header("content-encoding");
            assert!(coding.is_none_or(|it| it == "identity"));
            reply.body("text/plain", request.body())
        })
        .route(Route::post("/short").collect(1000, |request, reply| {
            reply.body("text/plain", request.body())
        }))
        .route(Route::post("/pieces").stream(|_request, reply| reply.receive(Gather::default())))
        .route(
            Route::post("/both")
                .collect(1000, |request, reply| {
                    reply.body("text/plain", request.body())
                })
                .stream(|_request, reply| reply.receive(Gather::default())),
        )
}

/// Sends a body in chunks of this size, or announced if it is 0.
fn post(running: &Running, path: &str, coding: &str, body: &[u8], size: usize) -> Answer {
    let mut request =
        format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Encoding: {coding}\r\n").into_bytes();
    if size == 0 {
        request.extend(format!("Content-Length: {}\r\n\r\n", body.len()).bytes());
        request.extend(body);
    } else {
        request.extend(b"Transfer-Encoding: chunked\r\n\r\n");
        for piece in body.chunks(size) {
            request.extend(format!("{:x}\r\n", piece.len()).bytes());
            request.extend(piece);
            request.extend(b"\r\n");
        }
        request.extend(b"0\r\n\r\n");
    }
    let mut stream = running.connect();
    let _ = stream.write_all(&request); // refused early, perhaps
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    Answer::new(&answer)
}

fn text() -> String {
    (0..20_000)
        .map(|it| format!("line {}\n", it * 7919 % 1000))
        .collect()
}

#[test]
fn a_body_is_decoded_whether_it_comes_whole_or_in_pieces() {
    let running = Running::start(app());
    let text = text();
    for coding in CODINGS {
        for length in [0, 1, 900, text.len()] {
            let plain = &text[..length];
            let body = encode(coding, plain.as_bytes());
            for path in ["/echo", "/pieces", "/both"] {
                for size in [0, 7, 5000] {
                    let answer = post(&running, path, coding, &body, size);
                    assert_eq!(answer.status, 200, "{coding} {path} {size}");
                    assert!(answer.body == plain, "{coding} {path} {length} {size}");
                }
            }
        }
    }
    let plain = running.post("/echo", "not coded");
    assert_eq!((plain.status, &*plain.body), (200, "not coded"));
    assert_eq!(post(&running, "/echo", "identity", b"x", 0).body, "x");
}

#[test]
fn the_same_over_http2() {
    let running = Running::start(app());
    let (mut peer, text) = (Peer::connect(&running), text());
    for coding in CODINGS {
        let body = encode(coding, text.as_bytes());
        for path in ["/echo", "/pieces"] {
            let fields = [("content-encoding", coding)];
            let length = Some(BodyLength::Known(body.len() as u64));
            let id = peer.side.ask("POST", path, None, &fields, length);
            peer.send(id, &body, true);
            peer.until(|seen| ended(seen, id));
            assert_eq!(status(&peer.seen, id), 200);
            assert!(content(&peer.seen, id) == text.as_bytes());
        }
    }
}

#[test]
fn what_is_cut_damaged_or_followed_is_400() {
    let running = Running::start(app());
    for coding in CODINGS {
        let body = encode(coding, &text().as_bytes()[..3000]);
        let behind = [&body[..], b"behind"].concat();
        for path in ["/echo", "/pieces"] {
            for bad in [
                &body[..body.len() - 1],
                &body[..body.len() / 2],
                &body[..1],
                &behind,
                b"plain text",
            ] {
                let answer = post(&running, path, coding, bad, 0);
                assert_eq!(answer.status, 400, "{coding} {path} {}", bad.len());
                assert!(
                    answer.body.contains("coding") || answer.body.contains("Encoding"),
                    "{}",
                    answer.body
                );
            }
        }
    }
}

#[test]
fn what_is_too_long_once_it_is_decoded_is_413() {
    let running = Running::start(app());
    for coding in CODINGS {
        let fits = encode(coding, &[b'a'; 400_000]);
        let over = encode(coding, &[b'a'; 400_001]);
        let bomb = encode(coding, &vec![0; 64 << 20]);
        for path in ["/echo", "/pieces"] {
            assert_eq!(
                post(&running, path, coding, &fits, 0).status,
                200,
                "{coding} {path}"
            );
            assert_eq!(
                post(&running, path, coding, &over, 0).status,
                413,
                "{coding} {path}"
            );
            assert_eq!(
                post(&running, path, coding, &bomb, 100).status,
                413,
                "{coding} {path}"
            );
        }
        // Beside that a route collects so much.
        assert_eq!(
            post(
                &running,
                "/short",
                coding,
                &encode(coding, &[b'a'; 1000]),
                0
            )
            .status,
            200
        );
        assert_eq!(
            post(
                &running,
                "/short",
                coding,
                &encode(coding, &[b'a'; 1001]),
                0
            )
            .status,
            413
        );
        let twice = encode(coding, &encode(coding, b"text"));
        assert_eq!(
            post(&running, "/echo", &format!("{coding}, {coding}"), &twice, 0).status,
            413
        );
    }
}

#[test]
fn what_is_not_known_is_415_and_says_what_is() {
    let running = Running::start(app());
    for coding in ["compress", "own, gzip", "gzip, own", "\u{ff}"] {
        let answer = post(&running, "/echo", coding, b"x", 0);
        assert_eq!(answer.status, 415, "{coding}");
        assert_eq!(answer.header("accept-encoding"), "zstd, br, gzip, deflate");
    }
}

#[test]
fn metrics_tell_what_was_inflated() {
    let app = app();
    let metrics = app.metrics();
    let running = Running::start(app);
    let text = text();
    for (number, coding) in CODINGS.into_iter().enumerate() {
        let body = encode(coding, text.as_bytes());
        for path in ["/echo", "/pieces"] {
            post(&running, path, coding, &body, 5000);
        }
        let list = metrics.snapshot().codings;
        assert_eq!(list.len(), number + 1);
        let counted = list.iter().find(|it| it.coding == coding).unwrap();
        assert_eq!(
            (counted.kind, counted.direction),
            (Kind::Exchange, Direction::Received)
        );
        assert_eq!(
            (counted.plain, counted.coded),
            (2 * text.len() as u64, 2 * body.len() as u64)
        );
    }
}
