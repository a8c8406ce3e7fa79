//! What the app holds for clients from one event to the next is charged to them.
#![cfg(feature = "net")]

use core::time::Duration;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, mpsc};

use barewire::app::{
    App, BlockingLimits, Conversation, DeferredResponse, Health, Metrics, Response, ResponseStream,
    Route, ServerStream, Service,
};
use barewire::http2::BodyLength;
use barewire::net::{Limits, ListenOptions};

use crate::app_support::{PATIENCE, Running, read_until, wait_until};
use crate::peer::Peer;

const KIB: usize = 1 << 10;
/// By how much the loop's own buffers may have grown.
const OWN: usize = 128 * KIB;

/// An app on one loop that keeps no buffers for the next user.
fn app() -> App {
    App::new()
        .threads(1)
        .limits(Limits::DEFAULT.with_spare_memory(0))
}

/// Bytes that are held for peers.
fn held(metrics: &Metrics) -> usize {
    metrics.snapshot().memory[0].held()
}

/// Begins a call of gRPC-Web, and sends so much of its body.
fn call(running: &Running, path: &str, metadata: &str, length: usize, body: &[u8]) -> TcpStream {
    let mut peer = running.connect();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc-web+proto\r\n\
         Content-Length: {length}\r\n{metadata}\r\n"
    );
    peer.write_all(head.as_bytes()).unwrap();
    peer.write_all(body).unwrap();
    peer
}

fn framed(message: &[u8]) -> Vec<u8> {
    [&[0], &(message.len() as u32).to_be_bytes()[..], message].concat()
}

#[test]
fn the_name_of_a_watched_service_is_charged() {
    const NAME: usize = 300 * KIB;
    let app = app();
    let metrics = app.metrics();
    let running = Running::start(app.grpc(Health::new().service()));
    // The field `service`, its length as a varint of three bytes.
    let length = [
        NAME as u8 | 0x80,
        (NAME >> 7) as u8 | 0x80,
        (NAME >> 14) as u8,
    ];
    let message = [&[0x0a], &length[..], &vec![b'n'; NAME]].concat();
    let body = framed(&message);
    let watch = || {
        let path = "/grpc.health.v1.Health/Watch";
        let mut peer = call(&running, path, "", body.len(), &body);
        read_until(&mut peer, "\x08\x03"); // SERVICE_UNKNOWN
        peer
    };
    let before = held(&metrics);
    let watchers: Vec<_> = (0..8).map(|_| watch()).collect();
    assert!(held(&metrics) >= before + 8 * NAME);
    drop(watchers);
    wait_until("all is given back", || held(&metrics) < before + OWN);
}

struct Once;

impl ServerStream for Once {
    type Message = Vec<u8>;

    fn open(&mut self, stream: &mut ResponseStream<'_, '_, Vec<u8>>) {
        stream.send(&vec![b'm'; 20_000]);
    }
}

#[test]
fn what_a_stream_frames_its_messages_in_is_charged() {
    let app = app();
    let metrics = app.metrics();
    let service = Service::new("t.T")
        .server_streaming_object("Once", |_request: Vec<u8>, _call| Ok(Once))
        .unary("Say", |request: Vec<u8>, _call| Ok(request));
    let running = Running::start(app.grpc(service));
    let before = held(&metrics);
    let mut peers: Vec<_> = (0..32)
        .map(|_| call(&running, "/t.T/Once", "", 5, &framed(b"")))
        .collect();
    for peer in &mut peers {
        read_until(peer, &"m".repeat(20_000));
    }
    assert!(held(&metrics) >= before + 32 * 20_000);
    drop(peers);
    wait_until("all is given back", || held(&metrics) < before + OWN);
}

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

#[test]
fn a_head_whose_message_does_not_come_is_charged() {
    let app = app();
    let metrics = app.metrics();
    let service = Service::new("t.T").unary("Say", |request: Vec<u8>, _call| Ok(request));
    let running = Running::start(app.grpc(service));
    let before = held(&metrics);
    // POST, http, :authority, :path, content-type, and a field of 8 KiB.
    let mut block = b"\x83\x86\x01\x01a\x04\x08/t.T/Say\x0f\x10\x10application/grpc".to_vec();
    block.extend(b"\x00\x01x\x7f\x81\x3f");
    block.extend([b'v'; 8 * KIB]);
    let mut calls = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    calls.extend(frame(4, 0, 0, &[]));
    for n in 0..32 {
        calls.extend(frame(1, 4, 2 * n + 1, &block)); // END_HEADERS
    }
    let mut peer = running.connect();
    peer.write_all(&calls).unwrap();
    wait_until("the heads are charged", || {
        held(&metrics) >= before + 32 * 8 * KIB
    });
    drop(peer);
    wait_until("all is given back", || held(&metrics) < before + OWN);
}

/// What 100 calls hold whose metadata `x` has this value, and that are not answered:
/// as their method waits, or their message has not come.
fn held_by_calls(value: &[u8], is_complete: bool) -> usize {
    let app = app();
    let metrics = app.metrics();
    let owed: Mutex<Vec<DeferredResponse<Vec<u8>>>> = Mutex::default();
    // It sends what was sent to it.
    let service = Service::new("t.T").unary_later("Say", move |_request: Vec<u8>, call, later| {
        let value = call.metadata("x").unwrap();
        call.send_metadata("x", value).unwrap();
        owed.lock().unwrap().push(later);
    });
    let running = Running::start(app.grpc(service));
    let mut block = b"\x83\x86\x01\x01a\x04\x08/t.T/Say\x0f\x10\x10application/grpc".to_vec();
    block.extend(b"\x00\x01x");
    match value.len() {
        600 => block.extend([0x7f, 0xd9, 0x03]),
        length => block.push(length as u8),
    }
    block.extend(value);
    let mut calls = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    calls.extend(frame(4, 0, 0, &[]));
    for n in 0..100 {
        calls.extend(frame(1, 4, 2 * n + 1, &block)); // END_HEADERS
        if is_complete {
            calls.extend(frame(0, 1, 2 * n + 1, &framed(b"")));
        }
    }
    calls.extend(frame(6, 0, 0, b"are here"));
    let before = held(&metrics);
    let mut peer = running.connect();
    peer.write_all(&calls).unwrap();
    let (mut said, mut byte) = (Vec::new(), [0]);
    while !said.ends_with(b"are here") {
        peer.read_exact(&mut byte).unwrap();
        said.push(byte[0]);
    }
    held(&metrics) - before
}

#[test]
fn small_metadata_is_charged_as_large() {
    for is_complete in [true, false] {
        let [little, more] = [1, 600].map(|len| held_by_calls(&vec![b'v'; len], is_complete));
        assert!(more >= little + 100 * 500, "{little} {more}");
    }
}

struct Waits;

impl Conversation for Waits {
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    fn message(&mut self, _message: Vec<u8>, _stream: &mut ResponseStream<'_, '_, Vec<u8>>) {}

    fn half_closed(&mut self, _stream: &mut ResponseStream<'_, '_, Vec<u8>>) {}
}

/// Calls whose messages never ended kept the pace by what the server threw away, and an
/// honest upload was refused.
#[test]
fn nobody_keeps_the_pace_by_what_is_thrown_away() {
    let limits = Limits::DEFAULT
        .with_memory(4096 * KIB)
        .with_memory_grace(Duration::from_millis(200))
        .with_memory_wait(2 * PATIENCE);
    let app = App::new()
        .threads(1)
        .limits(limits)
        .collect_limit(2048 * KIB)
        .post("/length", |request, reply| {
            reply.text(request.body().len().to_string())
        })
        .grpc(Service::new("t.T").client_streaming("Wait", |_call| Ok(Waits)));
    let metrics = app.metrics();
    let running = Running::start(app);
    let part = [&[0, 0, 0x20, 0, 0], &vec![b'm'; 900 * KIB][..]].concat();
    let mut peers: Vec<Peer> = (0..3)
        .map(|_| {
            let mut peer = Peer::connect(&running);
            let fields = [("content-type", "application/grpc"), ("te", "trailers")];
            let length = Some(BodyLength::Unknown);
            let id = peer.side.ask("POST", "/t.T/Wait", None, &fields, length);
            peer.send(id, &part, false);
            peer
        })
        .collect();
    wait_until("all of it is held", || held(&metrics) > 2700 * KIB);
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // Frames that mean nothing (RFC 9113 §5.3.2), many times as fast as the pace.
            let junk = frame(2, 0, 9, b"\0\0\0\0\x10").repeat(700);
            while !is_over.load(Relaxed) {
                for peer in &mut peers {
                    let _ = peer.stream.write_all(&junk);
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        let answer = running.post("/length", &"y".repeat(1500 * KIB));
        is_over.store(true, Relaxed);
        assert_eq!(answer.body, (1500 * KIB).to_string());
    });
    assert!(metrics.snapshot().memory[0].evicted() > 0);
}

#[test]
fn requests_that_wait_for_a_thread_are_charged() {
    const BODY: usize = 200 * KIB;
    let app = app().blocking_limits(BlockingLimits::DEFAULT.with_threads(1));
    let metrics = app.metrics();
    let (go, gate) = mpsc::channel::<()>();
    let gate = Arc::new(Mutex::new(gate));
    let route = Route::post("/work").blocking(move |request| {
        let _ = gate.lock().unwrap().recv_timeout(PATIENCE);
        Response::text(request.body().len().to_string())
    });
    let running = Running::start(app.route(route));
    let before = held(&metrics);
    let post = || {
        let mut peer = running.connect();
        let head = format!("POST /work HTTP/1.1\r\nHost: a\r\nContent-Length: {BODY}\r\n\r\n");
        peer.write_all(head.as_bytes()).unwrap();
        peer.write_all(&vec![b'b'; BODY]).unwrap();
        peer
    };
    let mut peers: Vec<_> = (0..8).map(|_| post()).collect();
    wait_until("all wait", || metrics.snapshot().blocking_waiting == 7);
    assert!(held(&metrics) >= before + 8 * BODY);
    drop(go); // from here on nobody waits
    for peer in &mut peers {
        read_until(peer, &BODY.to_string());
    }
    wait_until("all is given back", || held(&metrics) < before + OWN);
}

#[test]
fn the_header_of_a_proxy_that_is_part_is_charged() {
    let app = app();
    let metrics = app.metrics();
    let options = ListenOptions::DEFAULT
        .with_proxies(["127.0.0.1/32".parse().unwrap()])
        .with_proxy_protocol(true);
    let running = Running::start(
        app.listen_options(options)
            .get("/", |_request, reply| reply.text("here")),
    );
    let before = held(&metrics);
    // Version 2, TCP over IPv4, of 1,000 bytes.
    let header = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x03\xe8";
    let mut peers: Vec<_> = (0..200).map(|_| running.connect()).collect();
    for peer in &mut peers {
        peer.write_all(&[&header[..], &[0; 900]].concat()).unwrap();
    }
    wait_until("the headers are charged", || {
        held(&metrics) >= before + 200 * 900
    });
    let mut peer = peers.pop().unwrap();
    peer.write_all(&[&[0; 100], &b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..]].concat())
        .unwrap();
    read_until(&mut peer, "here");
    for mut peer in peers {
        let _ = peer.shutdown(std::net::Shutdown::Write);
        let _ = peer.read(&mut [0]);
    }
    wait_until("all is given back", || held(&metrics) < before + OWN);
}

/// Decoders of requests: their states and windows.
#[cfg(all(feature = "gzip", feature = "zstd"))]
mod decoding {
    use barewire::app::{Decompression, Stream, Streaming};
    use barewire::http::Fields;

    use super::*;

    const MIB: usize = 1 << 20;

    /// Takes what comes.
    struct Taken;

    impl Streaming for Taken {
        fn chunk(&mut self, _stream: &mut Stream<'_, '_>, _data: &mut [u8]) {}

        fn end(&mut self, stream: &mut Stream<'_, '_>, _trailers: Fields<'_>) {
            stream.respond(Response::text("taken"));
        }
    }

    fn serve(app: App) -> Running {
        let app = app
            .with(Decompression::new())
            .post("/whole", |request, reply| {
                reply.text(request.body().len().to_string())
            })
            .route(Route::post("/pieces").stream(|_request, reply| reply.receive(Taken)));
        Running::start(app)
    }

    /// Begins a request, and sends so much of its body.
    fn begin(running: &Running, path: &str, coding: &str, length: usize, body: &[u8]) -> TcpStream {
        let mut peer = running.connect();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: a\r\nContent-Encoding: {coding}\r\n\
             Content-Length: {length}\r\n\r\n"
        );
        peer.write_all(head.as_bytes()).unwrap();
        peer.write_all(body).unwrap();
        peer
    }

    /// The front of a frame with a window of 1 MiB, and a block of one byte.
    const ZSTD: [u8; 10] = [0x28, 0xb5, 0x2f, 0xfd, 0, 10 << 3, 8, 0, 0, b'x'];
    /// A block of one byte that is the last one.
    const ZSTD_END: [u8; 4] = [9, 0, 0, b'y'];
    /// The head of a member, and a block of one byte.
    const GZIP: [u8; 16] = [
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, 0, 1, 0, 0xfe, 0xff, b'x',
    ];

    #[test]
    fn what_requests_are_decoded_with_is_charged() {
        for (coding, front, each) in [("zstd", &ZSTD[..], MIB), ("gzip", &GZIP[..], 40 * KIB)] {
            let app = app();
            let metrics = app.metrics();
            let running = serve(app);
            let before = held(&metrics);
            let peers: Vec<_> = (0..8)
                .map(|_| begin(&running, "/pieces", coding, 1000, front))
                .collect();
            let all = before + 8 * each;
            wait_until("the decoders are charged", || held(&metrics) >= all);
            drop(peers);
            wait_until("all is given back", || held(&metrics) < before + OWN);
        }
    }

    #[test]
    fn a_window_that_there_is_no_memory_for_is_not_taken() {
        let body = [&ZSTD[..], &ZSTD_END].concat();
        for (memory, answer) in [(MIB, "HTTP/1.1 503"), (16 * MIB, "HTTP/1.1 200")] {
            let limits = Limits::DEFAULT.with_spare_memory(0).with_memory(memory);
            let app = App::new().threads(1).limits(limits);
            let metrics = app.metrics();
            let running = serve(app);
            for path in ["/pieces", "/whole"] {
                let mut peer = begin(&running, path, "zstd", body.len(), &body);
                read_until(&mut peer, answer);
            }
            assert!(metrics.snapshot().memory[0].peak() <= memory);
        }
    }
}
