//! A whole server, on a thread of its own, and a client that waits for each
//! answer: so the loop reads and writes once for each turn, however busy the
//! machine is.

use std::io::{Read, Write};
use std::net::TcpStream;

use barewire::app::{App, Message, Server, Service, Socket, WebSocket};
use barewire::grpc::{CallStatus, Payload};
use barewire::net::Address;
use barewire::websocket::extension::Reserved;
use barewire::websocket::frame::{Head, Opcode};
use barewire::wire::simd;

use crate::inputs::requests;
use crate::server_http2::{STREAMED, server_http2};
use crate::{count, instructions_mark, wanted};

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

struct Echo;

impl WebSocket for Echo {
    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        socket.send(message);
    }
}

/// A server as anybody would run it: every limit, timer and counter is on.
fn start() -> Server {
    App::new()
        .get("/mark", |_request, reply| {
            instructions_mark();
            reply.text("Hello, World!")
        })
        .get("/hello", |_request, reply| reply.text("Hello, World!"))
        .post("/echo", |request, reply| {
            reply.body(request.content_type(), request.body())
        })
        .websocket("/websocket", |_request| Ok(Echo))
        .grpc(echo())
        .listen("127.0.0.1:0")
        .and_then(App::spawn)
        .expect("the loopback interface is there")
}

/// A message that is always the same.
struct Word;

impl Payload for Word {
    fn decode(_bytes: &[u8]) -> Result<Self, CallStatus> {
        Ok(Self)
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"0123456789abcdef");
    }
}

/// A service that copies nothing.
fn echo() -> Service {
    Service::new("echo.Echo")
        .unary_bytes("Say", |message, _call, out| {
            out.extend_from_slice(message);
            Ok(())
        })
        .server_streaming("Repeat", |_message: Word, _call| {
            Ok((0..STREAMED).map(|_| Ok(Word)))
        })
}

fn connect(server: &Server) -> TcpStream {
    let [Address::Tcp(address)] = server.local_addresses() else {
        panic!("one TCP address was listened on");
    };
    let stream = TcpStream::connect(address).expect("the server listens");
    stream.set_nodelay(true).expect("a TCP socket");
    stream
}

/// Reads one response, whose body has 13 bytes.
fn head_and_body(stream: &mut TcpStream) -> usize {
    let mut answer = [0; 1024];
    let mut length = 0;
    loop {
        length += stream.read(&mut answer[length..]).expect("an answer");
        if answer[..length].ends_with(b"Hello, World!") {
            assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"));
            return length;
        }
    }
}

/// A server, and a connection of its own for the marks.
pub struct Counted {
    server: Server,
    marks: TcpStream,
}

impl Counted {
    pub fn connect(&self) -> TcpStream {
        connect(&self.server)
    }

    /// Has the server's part of `run` counted.
    pub fn count(&mut self, name: &str, run: impl FnMut(u32)) {
        let mark = || {
            let request = b"GET /mark HTTP/1.1\r\nHost: a\r\n\r\n";
            self.marks.write_all(request).expect("the server reads");
            head_and_body(&mut self.marks);
        };
        count(name, mark, run);
    }

    /// Has the exchange of `request` and `answer` bytes counted, `each`
    /// operations at a time.
    fn exchange(
        &mut self,
        name: &str,
        mut stream: TcpStream,
        request: &[u8],
        answer: usize,
        each: u32,
    ) {
        let mut answer = vec![0; answer];
        self.count(name, |operations| {
            for _ in 0..operations / each {
                stream.write_all(request).expect("the server reads");
                stream.read_exact(&mut answer).expect("an answer");
            }
        });
    }
}

/// Requests and messages, alone and many at once.
pub fn server() {
    let server = start();
    let marks = connect(&server);
    let mut counted = Counted { server, marks };
    let (_, request) = requests().swap_remove(2);
    for (name, each) in [("server GET", 1), ("server GET, 10 at once", 10)] {
        if wanted(name) {
            let mut stream = connect(&counted.server);
            stream
                .write_all(request.as_bytes())
                .expect("the server reads");
            let length = head_and_body(&mut stream) * each;
            counted.exchange(
                name,
                stream,
                request.repeat(each).as_bytes(),
                length,
                each as u32,
            );
        }
    }
    let name = "server POST, 1 KiB echoed";
    if wanted(name) {
        let mut stream = connect(&counted.server);
        let request = format!(
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1024\r\n\r\n{}",
            "a".repeat(1024)
        );
        stream
            .write_all(request.as_bytes())
            .expect("the server reads");
        let (mut answer, mut length) = ([0; 2048], 0);
        while !answer[..length].ends_with(&[b'a'; 1024]) {
            length += stream.read(&mut answer[length..]).expect("an answer");
        }
        counted.exchange(name, stream, request.as_bytes(), length, 1);
    }
    for (name, each) in [
        ("server echo, 16 B", 1),
        ("server echo, 16 B, 10 at once", 10),
    ] {
        if wanted(name) {
            let mut stream = connect(&counted.server);
            upgrade(&mut stream);
            let head = Head {
                fin: true,
                reserved: Reserved::NONE,
                opcode: Opcode::Binary,
                mask: Some(KEY),
                length: 16,
            };
            let mut payload = *b"0123456789abcdef";
            simd::mask(&mut payload, KEY);
            let frame = [head.encode().as_bytes(), &payload].concat();
            counted.exchange(name, stream, &frame.repeat(each), 18 * each, each as u32);
        }
    }
    server_http2(&mut counted);
    counted.server.handle().shutdown(core::time::Duration::ZERO);
}

/// The handshake (RFC 6455 §4.1).
fn upgrade(stream: &mut TcpStream) {
    stream
        .write_all(
            b"GET /websocket HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
              Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
        )
        .expect("the server reads");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("an answer");
        head.push(byte[0]);
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "));
}
