//! A loop that answers calls allocates nothing in its steady state.
// The short ways are what allocates nothing.
#![cfg(not(any(
    barewire_plain,
    barewire_plain = "grpc_message",
    barewire_plain = "grpc_fields",
    barewire_plain = "http2_content",
    barewire_plain = "http2_response",
    barewire_plain = "known_blocks",
    barewire_plain = "known_heads",
)))]
#![cfg(feature = "net")]

mod app_support;
mod counting;
mod http2_support;

use core::sync::atomic::Ordering::Relaxed;
use std::io::{Read, Write};
use std::net::TcpStream;

use app_support::{Running, grpc::framed};
use barewire::app::{App, Middleware, Record, ReplyHead, Service};
use counting::{ALLOCATIONS, COUNTS, fewest};
use http2_support::*;

/// Has the thread that serves counted, and its answers be the same in every
/// second: a new date is a new entry of the compression.
struct CountsThis;

impl Middleware for CountsThis {
    fn after(&self, _record: &Record, head: &mut ReplyHead<'_>) {
        head.set_header("Date", "Sun, 06 Nov 1994 08:49:37 GMT")
            .unwrap();
        if !COUNTS.replace(true) {
            drop(std::hint::black_box(Box::new(1_u8))); // this one is counted
        }
    }
}

/// Reads frames until the one that ends `stream`.
fn until_end(stream: &mut TcpStream, id: u32) {
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).unwrap();
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        std::io::copy(&mut stream.take(length as u64), &mut std::io::sink()).unwrap();
        let of = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        assert!(![RST_STREAM, GOAWAY].contains(&head[3]));
        if of == id && [DATA, HEADERS].contains(&head[3]) && head[4] & END_STREAM != 0 {
            return;
        }
    }
}

#[test]
fn calls_are_answered_without_an_allocation() {
    let service = Service::new("test.Test")
        .unary_bytes("Echo", |request, _call, response| {
            response.extend_from_slice(request);
            Ok(())
        })
        .unary_bytes("Fail", |_request, _call, _response| {
            Err(barewire::grpc::Status::new(barewire::grpc::Code::NotFound, "").into())
        });
    let running = Running::start(App::new().with(CountsThis).grpc(service));
    for path in ["/test.Test/Echo", "/test.Test/Fail"] {
        let block = block(&[
            (":method", "POST"),
            (":scheme", "http"),
            (":path", path),
            (":authority", "a"),
            ("content-type", "application/grpc+proto"),
            ("te", "trailers"),
            ("grpc-timeout", "10S"),
            ("grpc-accept-encoding", "identity,gzip"),
        ]);
        let message = framed([b'a'; 100]);
        let call = |id| {
            let head = frame(HEADERS, END_HEADERS, id, &block);
            [head, frame(DATA, END_STREAM, id, &message)].concat()
        };
        let mut stream = running.connect();
        stream.write_all(&opening()).unwrap();
        // What the answers take of the connection's window.
        stream
            .write_all(&number(WINDOW_UPDATE, 0, 1 << 30))
            .unwrap();
        let mut calls = (1..).step_by(2).map(|id| (id, call(id)));
        let mut run = |count| {
            for (id, call) in calls.by_ref().take(count) {
                stream.write_all(&call).unwrap();
                until_end(&mut stream, id);
            }
            ALLOCATIONS.load(Relaxed)
        };
        let mut before = run(300);
        assert!(before > 0, "nothing is counted");
        let allocations = fewest(|| {
            let counted = run(1000) - before;
            before += counted;
            counted
        });
        assert_eq!(allocations, 0, "{path}");
    }
}
