//! A request in the steady state allocates what its caller keeps, and nothing else; a
//! connection at rest holds little.
#![cfg(feature = "client")]

mod counting;

use core::sync::atomic::Ordering::Relaxed;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use barewire::client::{Client, ClientOptions, Url};
use counting::{ALLOCATIONS, COUNTS, LIVE};

/// A server that answers each request alike, on any number of connections.
fn serve() -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(1..) = stream.read(&mut buffer) {
                    let answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\
                                   Content-Length: 5\r\n\r\nhello";
                    stream.write_all(answer).unwrap();
                }
            });
        }
    });
    Url::parse(&url).unwrap()
}

fn client() -> Client {
    Client::with(ClientOptions::new().no_proxy()).unwrap()
}

// One after the other: what they count is counted for all threads.
#[test]
fn a_request_allocates_what_its_caller_keeps_and_a_connection_at_rest_holds_little() {
    a_request_allocates_what_its_caller_keeps();
    a_connection_at_rest_holds_little();
}

fn a_request_allocates_what_its_caller_keeps() {
    let (url, client) = (serve(), client());
    let get = || assert_eq!(client.get(&url).send().unwrap().text().unwrap(), "hello");
    for _ in 0..10 {
        get();
    }
    COUNTS.set(true);
    let before = ALLOCATIONS.load(Relaxed);
    for _ in 0..100 {
        get();
    }
    let count = ALLOCATIONS.load(Relaxed) - before;
    COUNTS.set(false);
    // The fields, where each of them lies, and the body.
    assert_eq!(count, 300);
}

fn a_connection_at_rest_holds_little() {
    const MANY: usize = 50;
    let (url, client) = (serve(), client());
    let hold = || {
        let first = client.get(&url).send().unwrap();
        drop(first);
    };
    hold();
    COUNTS.set(true);
    let before = LIVE.load(Relaxed);
    // Each has its own origin, so that none is used again.
    let others: Vec<Client> = (0..MANY).map(|_| self::client()).collect();
    let of_clients = LIVE.load(Relaxed) - before;
    for other in &others {
        drop(other.get(&url).send().unwrap());
    }
    let held = LIVE.load(Relaxed) - before - of_clients;
    COUNTS.set(false);
    let each = held / MANY as i64;
    println!("a connection at rest holds {each} bytes, with its place in a pool of its own");
    assert!(each < 6000, "{each}");
}
