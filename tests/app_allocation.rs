//! A loop in its steady state allocates nothing.
#![cfg(feature = "net")]

mod app_support;
mod counting;

use core::sync::atomic::Ordering::Relaxed;
use std::io::{Read, Write};

use app_support::Running;
use barewire::app::{App, Cors, Middleware, Record, ReplyHead};
use counting::{ALLOCATIONS, COUNTS, fewest};

/// Has the thread that serves counted.
struct CountsThis;

impl Middleware for CountsThis {
    fn after(&self, _record: &Record, _head: &mut ReplyHead<'_>) {
        if !COUNTS.replace(true) {
            drop(std::hint::black_box(Box::new(1_u8))); // this one is counted
        }
    }
}

/// Sends `request` and reads `answer` bytes back, and allocates nothing.
fn exchange(stream: &mut std::net::TcpStream, request: &[u8], answer: &mut [u8]) {
    stream.write_all(request).unwrap();
    stream.read_exact(answer).unwrap();
}

#[test]
fn requests_are_served_without_an_allocation() {
    let app = App::new()
        .with(CountsThis)
        .with(Cors::permissive())
        .get("/users/{id}", |request, reply| {
            reply.header("X-A", "b").text(request.param("id"))
        })
        .post("/echo", |request, reply| {
            reply.body(request.content_type(), request.body())
        })
        .get("/none", |_request, reply| {
            reply.refuse(barewire::http::Status::FORBIDDEN)
        });
    let running = Running::start(app);
    let chunked = "POST /echo HTTP/1.1\r\nHost: a\r\nOrigin: https://b\r\n\
                   Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    for request in [
        "GET /users/7 HTTP/1.1\r\nHost: a\r\nOrigin: https://b\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
        "GET /none HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n",
        chunked,
    ] {
        let mut stream = running.connect();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = vec![0; 4096];
        std::thread::sleep(core::time::Duration::from_millis(20));
        let length = stream.read(&mut answer).unwrap();
        answer.truncate(length);
        for _ in 0..100 {
            exchange(&mut stream, request.as_bytes(), &mut answer);
        }
        let allocations = fewest(|| {
            let before = ALLOCATIONS.load(Relaxed);
            assert!(before > 0, "nothing is counted");
            for _ in 0..1000 {
                exchange(&mut stream, request.as_bytes(), &mut answer);
            }
            ALLOCATIONS.load(Relaxed) - before
        });
        assert_eq!(allocations, 0, "{request}");
    }
}
