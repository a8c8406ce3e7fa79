//! The same server over HTTP/2: requests, calls, and messages of a stream.

use std::io::{Read, Write};
use std::net::TcpStream;

use barewire::http::{
    CallContext, Content, Field, Fields, Method, OwnedScratch, RequestHead, Target, Version,
};
use barewire::http2::{BodyLength, Connection, Event, Limits};
use barewire::wire::{Instant, Role, Step};

use crate::server::Counted;
use crate::wanted;

/// Messages of a streamed response.
pub const STREAMED: u32 = 1000;

/// A client that knows how long each answer is.
pub struct Client {
    machine: Connection,
    stream: TcpStream,
    scratch: OwnedScratch,
    limits: Limits,
    out: Vec<u8>,
    input: Vec<u8>,
    open: u32,
    content: usize,
}

impl Client {
    pub fn new(stream: TcpStream) -> Self {
        let limits = Limits::DEFAULT
            .with_stream_window(1 << 30)
            .with_connection_window((1 << 31) - 1);
        let mut client = Self {
            machine: Connection::new(Role::Client, Instant::START),
            stream,
            scratch: OwnedScratch::new(100),
            limits,
            out: Vec::new(),
            input: Vec::new(),
            open: 0,
            content: 0,
        };
        let opened = client
            .machine
            .open(&client.limits, Instant::START, &mut client.out);
        opened.expect("a new connection opens");
        client
    }

    /// Asks for something; the request leaves with the next [`wait`](Self::wait).
    pub fn ask(&mut self, method: Method<'_>, path: &str, fields: &[Field<'_>], body: &[u8]) {
        let head = RequestHead {
            method,
            target: Target::Absolute {
                scheme: "http",
                authority: "127.0.0.1",
                path,
                query: None,
            },
            version: Version::Http2,
            protocol: None,
            fields: Fields::new(fields),
        };
        let length = (!body.is_empty()).then_some(BodyLength::Unknown);
        let id = self.machine.send_request(&head, length, &mut self.out);
        let id = id.expect("the server takes as many streams");
        if !body.is_empty() {
            let now = Instant::START;
            let sent = self.machine.send_data(id, body, true, now, &mut self.out);
            assert_eq!(sent, Ok(body.len()));
        }
        self.open += 1;
    }

    /// Waits until everything asked for is answered, with so many bytes of
    /// content.
    pub fn wait(&mut self, content: usize) {
        self.content = 0;
        while self.open > 0 {
            self.stream.write_all(&self.out).expect("the server reads");
            self.out.clear();
            let mut bytes = [0; 64 << 10];
            let length = self.stream.read(&mut bytes).expect("an answer");
            assert!(length > 0, "the server has ended the connection");
            self.input.extend_from_slice(&bytes[..length]);
            self.receive();
        }
        assert_eq!(self.content, content);
    }

    fn receive(&mut self) {
        let mut at = 0;
        loop {
            let lent = CallContext {
                now: Instant::START,
                date: None,
                mask_key: [0; 4],
                limits: &self.limits,
                scratch: self.scratch.lend(),
            };
            let received = self
                .machine
                .receive(&mut self.input[at..], lent, &mut self.out);
            let received = received.expect("the server keeps to the protocol");
            at += received.used;
            match received.step {
                Step::Event(Event::Response {
                    content: Content::None,
                    ..
                }) => self.open -= 1,
                Step::Event(Event::Data { stream, data }) => {
                    let length = data.len();
                    self.content += length;
                    self.machine.consume(stream, length, &mut self.out);
                }
                Step::Event(Event::End { .. }) => self.open -= 1,
                Step::Event(Event::Reset { code, .. }) => panic!("a reset: {code:?}"),
                Step::Event(_) => {}
                _ => break,
            }
        }
        self.input.drain(..at);
    }
}

/// The fields of a stock client's call.
fn call_fields() -> [Field<'static>; 4] {
    [
        Field::new("content-type", "application/grpc"),
        Field::new("te", "trailers"),
        Field::new(
            "user-agent",
            "grpc-c++/1.60.0 grpc-c/37.0.0 (linux; chttp2)",
        ),
        Field::new("grpc-accept-encoding", "identity, deflate, gzip"),
    ]
}

/// Those of a stock client of Connect.
fn connect_fields() -> [Field<'static>; 4] {
    [
        Field::new("content-type", "application/proto"),
        Field::new("connect-protocol-version", "1"),
        Field::new("user-agent", "connect-go/1.18.1 (go1.23.4)"),
        Field::new("accept-encoding", "gzip"),
    ]
}

/// A message of so many bytes behind its prefix.
fn framed(length: u8) -> Vec<u8> {
    let mut framed = vec![0, 0, 0, 0, length];
    framed.resize(5 + usize::from(length), b'a');
    framed
}

/// Calls whose answers are as long as their requests, alone and ten at once.
fn calls(counted: &mut Counted, name: &str, fields: &[Field<'_>], body: &[u8]) {
    for (name, each) in [(name, 1), (&*format!("{name}, 10 at once"), 10)] {
        if wanted(name) {
            let mut client = Client::new(counted.connect());
            counted.count(name, |operations| {
                for _ in 0..operations / each {
                    let path = "/echo.Echo/Say";
                    (0..each).for_each(|_| client.ask(Method::POST, path, fields, body));
                    client.wait(body.len() * each as usize);
                }
            });
        }
    }
}

/// Requests and calls, alone and many at once.
pub fn server_http2(counted: &mut Counted) {
    for (name, each) in [
        ("server GET over HTTP/2", 1),
        ("server GET over HTTP/2, 10 at once", 10),
    ] {
        if wanted(name) {
            let mut client = Client::new(counted.connect());
            let agent = [Field::new("user-agent", "h2load nghttp2/1.52.0")];
            counted.count(name, |operations| {
                for _ in 0..operations / each {
                    (0..each).for_each(|_| client.ask(Method::GET, "/hello", &agent, b""));
                    client.wait(13 * each as usize);
                }
            });
        }
    }
    calls(
        counted,
        "server unary call, 100 B",
        &call_fields(),
        &framed(100),
    );
    let bare = [b'a'; 100];
    calls(
        counted,
        "server Connect call, 100 B",
        &connect_fields(),
        &bare,
    );
    let name = "server 1,000 streamed messages of 16 B";
    if wanted(name) {
        let mut client = Client::new(counted.connect());
        let (fields, body) = (call_fields(), framed(16));
        counted.count(name, |operations| {
            for _ in 0..operations {
                client.ask(Method::POST, "/echo.Echo/Repeat", &fields, &body);
                client.wait(21 * STREAMED as usize);
            }
        });
    }
}
