//! A request in the steady state allocates what its caller keeps, and nothing else; a
//! connection at rest holds little.
#![cfg(feature = "client")]

mod counting;

use core::sync::atomic::Ordering::Relaxed;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use barewire::client::{Client, ClientOptions, Response, Url};
use counting::{ALLOCATIONS, COUNTS, LIVE};

/// A server that answers with the same text, in chunks where it is asked to, on any number of connections.
fn serve() -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(bytes @ 1..) = stream.read(&mut buffer) {
                    let is_chunked = buffer[..bytes].starts_with(b"GET /chunked ");
                    let rest = match is_chunked {
                        false => "Content-Length: 5\r\n\r\nhello",
                        true => {
                            "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"
                        }
                    };
                    let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n";
                    let answer = [head, rest.as_bytes()].concat();
                    stream.write_all(&answer).unwrap();
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
    let get = || client.get(&url).send().unwrap();
    // The text.
    assert_eq!(
        allocations(|| assert_eq!(get().text().unwrap(), "hello")),
        100
    );
    let mut buffer = vec![0; 16 << 10];
    let mut read = |response: Response| {
        let mut reader = response.reader();
        assert_eq!(reader.read(&mut buffer).unwrap(), 5);
        assert_eq!(reader.read(&mut buffer).unwrap(), 0);
    };
    assert_eq!(allocations(|| read(get())), 0);
    assert_eq!(allocations(|| drop(get())), 0);
    let post = || {
        client
            .post(&url)
            .header("Idempotency-Key", "1")
            .body("ping")
    };
    // The fields of the request.
    assert_eq!(allocations(|| read(post().send().unwrap())), 200);
    let chunked = url.join("/chunked").unwrap();
    let pieces = |url: &Url| {
        let mut response = client.get(url).send().unwrap();
        let mut length = 0;
        while let Some(piece) = response.next_chunk().unwrap() {
            length += piece.len();
        }
        assert_eq!(length, 5);
    };
    assert_eq!(allocations(|| pieces(&url)), 0);
    assert_eq!(allocations(|| pieces(&chunked)), 0);
    // A text has to be made a URL, which the response keeps.
    let text = url.to_string();
    let from_text = || read(client.get(&text).send().unwrap());
    assert_eq!(allocations(from_text), 200);
}

/// Those of a hundred calls in the steady state.
fn allocations(mut call: impl FnMut()) -> u64 {
    (0..10).for_each(|_| call());
    COUNTS.set(true);
    let before = ALLOCATIONS.load(Relaxed);
    (0..100).for_each(|_| call());
    let count = ALLOCATIONS.load(Relaxed) - before;
    COUNTS.set(false);
    count
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
