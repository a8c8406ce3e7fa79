//! A whole server, on a thread of its own, and a client that waits for each
//! answer: so the loop reads and writes once for each turn, however busy the
//! machine is.

use std::io::{Read, Write};
use std::net::TcpStream;

use barewire::app::{
    App, ChannelOptions, EnvelopeHub, History, Message, Server, Service, Socket, WebSocket,
};
use barewire::grpc::{CallStatus, Payload};
use barewire::net::{Address, Limits};
use barewire::websocket::extension::Reserved;
use barewire::websocket::frame::{Head, Opcode};
use barewire::wire::simd;

use crate::inputs::requests;
use crate::server_http2::{STREAMED, server_http2};
use crate::{count, instructions_mark, wanted};

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// Connections that are all in use, and how they are written: a few, and many.
const ACTIVE: [(u32, &str); 2] = [(64, "64"), (1_000, "1,000")];

/// Requests that are none like the other.
const DIFFERENT: usize = 50;

struct Echo;

impl WebSocket for Echo {
    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        socket.send(message);
    }
}

/// A member of one channel, who publishes to it what it gets.
struct Member(&'static str);

impl WebSocket for Member {
    fn open(&mut self, socket: &mut Socket<'_, '_>) {
        let _ = socket.join(self.0);
    }

    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        let _ = socket.publish(self.0, message);
    }
}

/// A server as anybody would run it: every limit, timer and counter is on.
pub fn app() -> App {
    let app = App::new();
    let envelopes = EnvelopeHub::new(app.hub());
    app.websocket_route("/hub", envelopes.route())
        .get("/mark", |_request, reply| {
            instructions_mark();
            reply.text("Hello, World!")
        })
        .get("/hello", |_request, reply| reply.text("Hello, World!"))
        .post("/echo", |request, reply| {
            reply.body(request.content_type(), request.body())
        })
        .websocket("/websocket", |_request| Ok(Echo))
        .websocket("/plain", |_request| Ok(Member("plain")))
        .websocket("/kept", |_request| Ok(Member("kept")))
        .channel("kept", ChannelOptions::new().history(History::DEFAULT))
        .grpc(echo())
        .limits(Limits::DEFAULT.with_per_address(2 * ACTIVE[1].0))
}

/// That server, on a thread of its own.
pub fn start() -> Server {
    app()
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
    connect_to(&server.local_addresses()[0])
}

pub fn connect_to(address: &Address) -> TcpStream {
    let Address::Tcp(address) = address else {
        panic!("only TCP addresses are listened on");
    };
    let stream = TcpStream::connect(address).expect("the server listens");
    stream.set_nodelay(true).expect("a TCP socket");
    stream
}

/// Reads one response, whose body has 13 bytes.
pub fn head_and_body(stream: &mut impl Read) -> usize {
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
    pub fn new(server: Server) -> Self {
        let marks = connect(&server);
        Self { server, marks }
    }

    pub fn server(&self) -> &Server {
        &self.server
    }

    pub fn connect(&self) -> TcpStream {
        connect(&self.server)
    }

    pub fn stop(self) {
        self.server.handle().shutdown(core::time::Duration::ZERO);
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
    pub fn exchange(
        &mut self,
        name: &str,
        mut stream: impl Read + Write,
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

    /// The same, each operation on the next of several connections.
    fn exchange_in_turn(
        &mut self,
        name: &str,
        mut streams: Vec<TcpStream>,
        request: &[u8],
        answer: usize,
    ) {
        let (mut answer, mut next) = (vec![0; answer], 0);
        self.count(name, |operations| {
            for _ in 0..operations {
                let stream = &mut streams[next];
                stream.write_all(request).expect("the server reads");
                stream.read_exact(&mut answer).expect("an answer");
                next = (next + 1) % streams.len();
            }
        });
    }
}

/// What is asked of a server again and again, and how long the answer is.
pub struct Repeated {
    pub request: Vec<u8>,
    pub answer: usize,
}

impl Repeated {
    /// A GET, sent once on the stream to know its answer.
    fn get(stream: &mut TcpStream) -> Self {
        Self::get_of("127.0.0.1:8080", stream)
    }

    /// Such a GET of this host.
    pub fn get_of(host: &str, stream: &mut (impl Read + Write)) -> Self {
        let (_, request) = requests().swap_remove(2);
        let request = request.replace("127.0.0.1:8080", host).into_bytes();
        stream.write_all(&request).expect("the server reads");
        let answer = head_and_body(stream);
        Self { request, answer }
    }

    /// A message of 16 bytes that is echoed.
    pub fn echo() -> Self {
        let head = Head {
            fin: true,
            reserved: Reserved::NONE,
            opcode: Opcode::Binary,
            mask: Some(KEY),
            length: 16,
        };
        let mut payload = *b"0123456789abcdef";
        simd::mask(&mut payload, KEY);
        let request = [head.encode().as_bytes(), &payload].concat();
        let answer = 18;
        Self { request, answer }
    }
}

/// Requests and messages, alone and many at once.
pub fn server() {
    let mut counted = Counted::new(start());
    for (name, each) in [("server GET", 1), ("server GET, 10 at once", 10)] {
        if wanted(name) {
            let mut stream = connect(&counted.server);
            let Repeated { request, answer } = Repeated::get(&mut stream);
            let request = request.repeat(each);
            counted.exchange(name, stream, &request, answer * each, each as u32);
        }
    }
    let name = "server GET, 50 different at once";
    if wanted(name) {
        let mut stream = connect(&counted.server);
        let Repeated { request, answer } = Repeated::get(&mut stream);
        let request = String::from_utf8(request).expect("a head in ASCII");
        // None comes again soon enough to be known.
        let requests: String = (0..DIFFERENT)
            .map(|n| request.replace("/hello", &format!("/hello?n={n}")))
            .collect();
        let answers = answer * DIFFERENT;
        counted.exchange(name, stream, requests.as_bytes(), answers, DIFFERENT as u32);
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
            upgrade("a", &mut stream);
            let Repeated { request, answer } = Repeated::echo();
            let request = request.repeat(each);
            counted.exchange(name, stream, &request, answer * each, each as u32);
        }
    }
    server_http2(&mut counted);
    for (active, written) in ACTIVE {
        in_turn(&mut counted, active, written);
    }
    // Last, as a channel that keeps something has a timer.
    for (path, name) in [
        ("/plain", "server publish, 16 B to 10 members"),
        ("/kept", "server publish, 16 B to 10 members, kept"),
    ] {
        if wanted(name) {
            publish(&mut counted, path, name);
        }
    }
    for (channel, name) in [
        ("plain", "server envelope, 16 B to 10 members"),
        ("kept", "server envelope, 16 B to 10 members, kept"),
    ] {
        if wanted(name) {
            envelopes(&mut counted, channel, name);
        }
    }
    counted.stop();
}

/// A broadcast of somebody who is no member, and is told that it was published.
fn envelopes(counted: &mut Counted, channel: &str, name: &str) {
    let mut clients: Vec<TcpStream> = (0..11).map(|_| connect(&counted.server)).collect();
    let say = |client: &mut TcpStream, kind: &str, data: &str| {
        let text = format!(
            r#"{{"message_id":"1","message_type":"text","payload":{{"type":"{kind}","channel":"{channel}"{data}}}}}"#
        );
        send_text(client, &text);
    };
    for client in &mut clients {
        upgrade_at("/hub", "a", client);
    }
    let (sender, members) = clients.split_first_mut().expect("there are eleven");
    for member in &mut *members {
        say(member, "subscribe", "");
        read_text(member);
    }
    counted.count(name, |operations| {
        for _ in 0..operations {
            say(sender, "broadcast", r#","data":"0123456789abcd""#);
            for member in &mut *members {
                read_text(member);
            }
            read_text(sender);
        }
    });
}

/// Sends a short text.
pub fn send_text(client: &mut TcpStream, text: &str) {
    let length = u8::try_from(text.len()).expect("a short text");
    let mut frame = vec![0x81, 0x80 | 126, 0, length, 0, 0, 0, 0];
    if length < 126 {
        frame = vec![0x81, 0x80 | length, 0, 0, 0, 0];
    }
    frame.extend_from_slice(text.as_bytes());
    client.write_all(&frame).expect("the server reads");
}

/// Reads one text of the server's.
fn read_text(stream: &mut TcpStream) {
    let (mut head, mut text) = ([0; 4], [0; 1024]);
    stream.read_exact(&mut head).expect("a message");
    assert_eq!(head[..2], [0x81, 126], "all of them are that long");
    let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
    stream.read_exact(&mut text[..length]).expect("its text");
}

/// A message that one of ten members publishes, and all of them get.
fn publish(counted: &mut Counted, path: &str, name: &str) {
    let mut members: Vec<TcpStream> = (0..10).map(|_| connect(&counted.server)).collect();
    let Repeated { request, answer } = Repeated::echo();
    let mut answer = vec![0; answer];
    for nth in 0..members.len() {
        upgrade_at(path, "a", &mut members[nth]);
        // What it publishes comes to those that are in before it, and to itself.
        members[nth].write_all(&request).expect("the server reads");
        for member in &mut members[..=nth] {
            member.read_exact(&mut answer).expect("a publication");
        }
    }
    counted.count(name, |operations| {
        for _ in 0..operations {
            members[0].write_all(&request).expect("the server reads");
            for member in &mut members {
                member.read_exact(&mut answer).expect("a publication");
            }
        }
    });
}

/// One operation at a time, on so many connections in turn: as many are in use
/// as a busy server has.
fn in_turn(counted: &mut Counted, active: u32, written: &str) {
    let streams = |server: &Server| (0..active).map(|_| connect(server)).collect::<Vec<_>>();
    let name = format!("server GET, {written} connections");
    if wanted(&name) {
        let mut streams = streams(&counted.server);
        // Each has been used twice before it is counted: one that has rested is expanded by
        // its next request, and stays so while it is busy.
        let mut gets = Vec::new();
        for _ in 0..2 {
            gets.extend(streams.iter_mut().map(Repeated::get));
        }
        let get = gets.swap_remove(0);
        assert!(gets.iter().all(|other| other.answer == get.answer));
        counted.exchange_in_turn(&name, streams, &get.request, get.answer);
    }
    let name = format!("server echo, 16 B, {written} connections");
    if wanted(&name) {
        let mut streams = streams(&counted.server);
        let Repeated { request, answer } = Repeated::echo();
        for stream in &mut streams {
            upgrade("a", stream);
            stream.write_all(&request).expect("the server reads");
            let mut echoed = vec![0; answer];
            stream.read_exact(&mut echoed).expect("an answer");
        }
        counted.exchange_in_turn(&name, streams, &request, answer);
    }
}

/// The handshake (RFC 6455 §4.1).
pub fn upgrade(host: &str, stream: &mut (impl Read + Write)) {
    upgrade_at("/websocket", host, stream);
}

/// The handshake on a path.
pub fn upgrade_at(path: &str, host: &str, stream: &mut (impl Read + Write)) {
    upgrade_to(path, &format!("Host: {host}\r\n"), stream);
}

/// The handshake on a path, with these fields.
pub fn upgrade_to(path: &str, fields: &str, stream: &mut (impl Read + Write)) {
    let request = format!(
        "GET {path} HTTP/1.1\r\n{fields}Upgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    stream
        .write_all(request.as_bytes())
        .expect("the server reads");
    // Nothing comes behind it before a message has been sent.
    let (mut head, mut length) = ([0; 1024], 0);
    while !head[..length].ends_with(b"\r\n\r\n") {
        length += stream.read(&mut head[length..]).expect("an answer");
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "));
}
