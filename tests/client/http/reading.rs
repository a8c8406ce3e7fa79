//! Bodies that are read into memory of the caller's.

use std::io::Read as _;
use std::time::Duration;

use barewire::client::{Client, ClientLimits, ClientOptions};

use super::script::{Act, Server, answer, send};

fn body(length: usize) -> Vec<u8> {
    (0..length)
        .map(|at| (at * 7 + at / 251) as u8)
        .collect::<Vec<_>>()
}

/// The body in chunks of many lengths.
fn chunked(body: &[u8]) -> Vec<u8> {
    let mut out = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    let (mut at, mut length) = (0, 1);
    while at < body.len() {
        let end = (at + length).min(body.len());
        out.extend_from_slice(format!("{:x}\r\n", end - at).as_bytes());
        out.extend_from_slice(&body[at..end]);
        out.extend_from_slice(b"\r\n");
        (at, length) = (end, length * 3 % 40_000 + 1);
    }
    out.extend_from_slice(b"0\r\n\r\n");
    out
}

fn whole(body: &[u8], head: &str) -> Vec<u8> {
    let mut out = format!("HTTP/1.1 200 OK\r\n{head}\r\n").into_bytes();
    out.extend_from_slice(body);
    out
}

#[test]
fn a_body_is_the_same_in_buffers_of_any_size() {
    let body = body(300_000);
    let with_length = whole(&body, "Content-Length: 300000\r\n");
    let to_the_end = whole(&body, "Connection: close\r\n");
    for (bytes, is_kept) in [
        (with_length, true),
        (chunked(&body), true),
        (to_the_end, false),
    ] {
        for room in [1, 1000, 8191, 8192, 20_000, 70_000, 400_000] {
            let mut script = vec![Act::Read];
            for piece in bytes.chunks(room * 2 + 5_000) {
                script.push(send(piece));
            }
            match is_kept {
                true => script.extend([Act::Read, answer("again")]),
                false => script.push(Act::Fin),
            }
            let server = Server::once(script);
            let client = Client::with(ClientOptions::new().no_proxy()).unwrap();
            let mut reader = client.get(server.url("/")).send().unwrap().reader();
            let (mut read, mut buffer) = (Vec::new(), vec![0; room]);
            loop {
                match reader.read(&mut buffer).unwrap() {
                    0 => break,
                    bytes => read.extend_from_slice(&buffer[..bytes]),
                }
            }
            assert!(read == body, "{room} {}", read.len());
            assert_eq!(reader.read(&mut buffer).unwrap(), 0);
            if is_kept {
                let next = client.get(server.url("/")).send().unwrap();
                assert_eq!(next.text().unwrap(), "again", "{room}");
                assert_eq!(client.metrics().connections_opened(), 1);
            }
        }
    }
}

#[test]
fn what_was_shown_is_not_read_again() {
    let body = body(100_000);
    let server = Server::once(vec![
        Act::Read,
        send(whole(&body[..10], "Content-Length: 100000\r\n")),
        Act::Sleep(Duration::from_millis(50)),
        send(&body[10..]),
        Act::Stall,
    ]);
    let mut response = Client::new().get(server.url("/")).send().unwrap();
    let first = response.next_chunk().unwrap().unwrap().to_vec();
    assert!(body.starts_with(&first) && !first.is_empty());
    let mut reader = response.reader();
    let mut second = vec![0; 30_000];
    reader.read_exact(&mut second).unwrap();
    let rest = reader.into_response().bytes().unwrap();
    assert!([first, second, rest].concat() == body);
}

#[test]
fn a_body_that_does_not_come_to_its_end_is_an_error_behind_what_came() {
    let limits = ClientLimits::DEFAULT.with_silence_time(Duration::from_millis(200));
    let client = Client::with(ClientOptions::new().no_proxy().limits(limits)).unwrap();
    let body = body(50_000);
    for (end, text) in [(Act::Fin, "closed"), (Act::Stall, "`silence_time`")] {
        let server = Server::once(vec![
            Act::Read,
            send(whole(&body, "Content-Length: 100000\r\n")),
            end,
        ]);
        let mut reader = client.get(server.url("/")).send().unwrap().reader();
        let (mut read, mut buffer) = (Vec::new(), vec![0; 64 << 10]);
        let error = loop {
            match reader.read(&mut buffer) {
                Ok(bytes) => read.extend_from_slice(&buffer[..bytes]),
                Err(error) => break error,
            }
        };
        assert!(read == body, "{}", read.len());
        println!("{error}");
        assert!(error.to_string().contains(text), "{error}");
    }
}
