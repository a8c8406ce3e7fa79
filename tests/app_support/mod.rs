//! A running app, and a client that says exactly what it is told to.
#![allow(dead_code, reason = "each test file uses its part")]

pub(crate) mod grpc;

use core::time::Duration;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

use barewire::app::{App, Server};
use barewire::net::Address;

/// How long anything may take: tests wait for what must happen, and fail only
/// if it does not happen at all, so that a busy machine fails none.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A server that is shut down when the test is over.
pub(crate) struct Running(Option<Server>);

impl Running {
    pub(crate) fn start(app: App) -> Self {
        Self(Some(app.listen("127.0.0.1:0").unwrap().spawn().unwrap()))
    }

    pub(crate) fn server(&self) -> &Server {
        self.0.as_ref().unwrap()
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let [Address::Tcp(address)] = self.server().local_addresses() else {
            panic!()
        };
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Sends `request` on a connection of its own, then FIN, and reads to the
    /// end.
    pub(crate) fn exchange(&self, request: &str) -> Answer {
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        Answer::new(&answer)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.exchange(&format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"))
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> Answer {
        let length = body.len();
        self.exchange(&format!(
            "POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{body}"
        ))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(server) = self.0.take() {
            server.handle().shutdown(Duration::from_secs(1));
            let joined = server.join();
            if !std::thread::panicking() {
                joined.unwrap();
            }
        }
    }
}

/// What came back: the first head, and all behind it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        Self {
            status: head
                .get(9..12)
                .and_then(|code| code.parse().ok())
                .unwrap_or(0),
            head: head.into(),
            body: body.into(),
        }
    }

    /// The values of all fields of this name, with commas between.
    pub(crate) fn header(&self, name: &str) -> String {
        let lines = self
            .head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(": "));
        let values = lines.filter(|(other, _)| other.eq_ignore_ascii_case(name));
        values
            .map(|(_, value)| value)
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// Reads until `end` has come.
pub(crate) fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut text = Vec::new();
    while !text.ends_with(end.as_bytes()) {
        let mut byte = [0];
        match stream.read(&mut byte).unwrap() {
            0 => panic!("ended after {:?}", String::from_utf8_lossy(&text)),
            _ => text.push(byte[0]),
        }
    }
    String::from_utf8(text).unwrap()
}

/// Waits until `is` holds.
pub(crate) fn wait_until(what: &str, mut is: impl FnMut() -> bool) {
    let start = std::time::Instant::now();
    while !is() {
        assert!(start.elapsed() < PATIENCE, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until nobody listens at `address` any more: the server has begun to
/// drain.
pub(crate) fn wait_until_drained(address: SocketAddr) {
    wait_until("nobody listens", || TcpStream::connect(address).is_err());
}

/// The content of a body in chunks without extensions, which is complete.
pub(crate) fn unchunked(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    loop {
        let line = body.iter().position(|&b| b == b'\r').unwrap();
        let size = str::from_utf8(&body[..line]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return whole;
        }
        whole.extend_from_slice(&body[line + 2..][..size]);
        body = &body[line + 4 + size..];
    }
}
