//! What a client holds and allocates.
#![cfg(feature = "client")]

mod counting;

use core::net::SocketAddr;
use core::sync::atomic::AtomicBool;
use core::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use barewire::client::{Client, ClientOptions};
use counting::{ALLOCATIONS, COUNTS, LIVE};

/// Whether bodies are sent.
static OPEN: AtomicBool = AtomicBool::new(false);

/// A server that answers every request with `hi`, and its port.
fn serve() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            thread::spawn(move || {
                let mut head = [0; 4096];
                while let Ok(1..) = stream.read(&mut head) {
                    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
                    stream.write_all(head).unwrap();
                    while !OPEN.load(SeqCst) {
                        thread::yield_now();
                    }
                    stream.write_all(b"hi").unwrap();
                }
            });
        }
    });
    port
}

fn client(port: u16) -> Client {
    let resolver = move |_: &str, _: u16| Ok(vec![SocketAddr::from(([127, 0, 0, 1], port))]);
    Client::with(ClientOptions::new().no_proxy().resolver(resolver)).unwrap()
}

/// Fetches `url`, so many times at once.
fn fetch(client: &Client, url: &str, times: usize) {
    let responses: Vec<_> = (0..times)
        .map(|_| client.get(url).send().unwrap())
        .collect();
    OPEN.store(true, SeqCst);
    for response in responses {
        assert_eq!(response.text().unwrap(), "hi");
    }
    OPEN.store(false, SeqCst);
}

#[test]
fn a_connection_at_rest_takes_little() {
    const MANY: usize = 60;
    COUNTS.set(true);
    let client = client(serve());
    fetch(&client, "http://server.example/", 2);
    let (before, allocations) = (LIVE.load(Relaxed), ALLOCATIONS.load(Relaxed));
    fetch(&client, "http://server.example/", 2);
    assert_eq!(LIVE.load(Relaxed), before);
    let of_request = (ALLOCATIONS.load(Relaxed) - allocations) / 2;
    // The response, its URL and its text, and what stands behind them.
    assert!(of_request <= 6, "{of_request} allocations a request");
    fetch(&client, "http://server.example/", MANY);
    let each = (LIVE.load(Relaxed) - before) / (MANY as i64 - 2);
    println!("{each} bytes a connection at rest");
    assert!(each <= 256, "{each} bytes a connection");
}
