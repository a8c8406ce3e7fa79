//! A channel's calls and server machines, joined by hand.
#![allow(dead_code, unreachable_pub)]

use std::collections::BTreeMap;

use barewire::client::{CallOptions, Calls, ChannelLimits, Connection, LinkId, NextMessage, Wire};
use barewire::http::{
    CallContext, Content, Field, FieldBuffer, Fields, OwnedScratch, ResponseHead, Status, Target,
};
use barewire::http2::{self, BodyLength, ErrorCode};
use barewire::link::{EndReason, Event};
use barewire::net::Key;
use barewire::wire::{Instant, Role, Step};

/// A request as the server sees it.
#[derive(Debug, Default)]
pub struct Seen {
    pub path: String,
    pub authority: String,
    /// `http`, unless it says otherwise.
    pub scheme: String,
    pub fields: FieldBuffer,
    pub body: Vec<u8>,
    pub ended: bool,
    pub reset: Option<ErrorCode>,
}

/// A server that notes what comes and answers when it is told to.
pub struct Server {
    pub machine: http2::Connection,
    pub limits: http2::Limits,
    pub now: Instant,
    pub out: Vec<u8>,
    pub seen: BTreeMap<u32, Seen>,
    pub gone_away: bool,
    /// Whether content is consumed as it comes.
    pub reads: bool,
    input: Vec<u8>,
    scratch: OwnedScratch,
    /// What the windows did not let out yet, by stream.
    waiting: BTreeMap<u32, Vec<u8>>,
}

impl Server {
    pub fn new(limits: http2::Limits, now: Instant) -> Self {
        Self {
            machine: http2::Connection::new(Role::Server, now),
            limits,
            now,
            out: Vec::new(),
            seen: BTreeMap::new(),
            gone_away: false,
            reads: true,
            input: Vec::new(),
            scratch: OwnedScratch::new(100),
            waiting: BTreeMap::new(),
        }
    }

    pub fn take(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
        let mut input = std::mem::take(&mut self.input);
        let mut used = 0;
        loop {
            let lent = CallContext {
                now: self.now,
                date: None,
                mask_key: [0; 4],
                limits: &self.limits,
                scratch: self.scratch.lend(),
            };
            let received = self
                .machine
                .receive(&mut input[used..], lent, &mut self.out);
            let received = received.expect("the client is honest");
            used += received.used;
            let event = match received.step {
                Step::Event(event) => event,
                _ if received.used > 0 => continue,
                _ => break,
            };
            match event {
                http2::Event::Request {
                    stream,
                    head,
                    content,
                } => {
                    let (ended, body) = match content {
                        Content::Follows { .. } => (false, Vec::new()),
                        Content::None => (true, Vec::new()),
                        Content::Whole(bytes) => (true, bytes.to_vec()),
                    };
                    let scheme = match head.target {
                        Target::Absolute { scheme, .. } => scheme,
                        _ => "http",
                    };
                    let mut seen = Seen {
                        scheme: scheme.into(),
                        path: head.target.path().into(),
                        authority: head.authority().unwrap_or_default().into(),
                        ended,
                        body,
                        ..Seen::default()
                    };
                    seen.fields.extend(head.fields).unwrap();
                    self.seen.insert(stream, seen);
                }
                http2::Event::Data { stream, data } => {
                    let seen = self.seen.get_mut(&stream).unwrap();
                    seen.body.extend_from_slice(data);
                    if self.reads {
                        self.machine.consume(stream, data.len(), &mut self.out);
                    }
                }
                http2::Event::End { stream, .. } => {
                    self.seen.get_mut(&stream).unwrap().ended = true
                }
                http2::Event::Reset { stream, code, .. } => {
                    self.seen.get_mut(&stream).unwrap().reset = Some(code);
                    self.waiting.remove(&stream);
                }
                http2::Event::GoAway { .. } => self.gone_away = true,
                _ => {}
            }
        }
        input.drain(..used);
        self.input = input;
        self.go_on();
    }

    /// Lets out what the windows allow.
    fn go_on(&mut self) {
        while let Some(stream) = self.machine.ready() {
            self.push(stream);
        }
    }

    fn push(&mut self, stream: u32) {
        let Some(waiting) = self.waiting.get_mut(&stream) else {
            return;
        };
        let sent = self
            .machine
            .send_data(stream, waiting, false, self.now, &mut self.out)
            .unwrap();
        waiting.drain(..sent);
    }

    pub fn waiting(&self, stream: u32) -> usize {
        self.waiting.get(&stream).map_or(0, Vec::len)
    }

    /// The head of an answer: status 200 and the content type.
    pub fn head(&mut self, stream: u32, more: &[(&str, &str)]) {
        let mut fields = vec![Field::new("content-type", "application/grpc")];
        fields.extend(more.iter().map(|(name, value)| Field::new(name, value)));
        self.respond(stream, 200, &fields, false);
    }

    pub fn respond(&mut self, stream: u32, status: u16, fields: &[Field<'_>], ends: bool) {
        let head = ResponseHead::new(Status::new(status).unwrap(), Fields::new(fields));
        let length = (!ends).then_some(BodyLength::Unknown);
        self.machine
            .send_response(stream, &head, length, None, &mut self.out)
            .unwrap();
    }

    /// Bytes of an answer's body.
    pub fn body(&mut self, stream: u32, bytes: &[u8]) {
        let waiting = self.waiting.entry(stream).or_default();
        let first = waiting.is_empty();
        waiting.extend_from_slice(bytes);
        if first {
            self.push(stream);
        }
    }

    pub fn message(&mut self, stream: u32, message: &[u8]) {
        self.body(stream, &framed(message));
    }

    pub fn status(&mut self, stream: u32, fields: &[(&str, &str)]) {
        assert_eq!(self.waiting(stream), 0, "the window is shut");
        let fields: Vec<_> = fields.iter().map(|(n, v)| Field::new(n, v)).collect();
        self.machine
            .send_end(stream, Fields::new(&fields), &mut self.out)
            .unwrap();
    }

    /// Head, one message and OK.
    pub fn answer(&mut self, stream: u32, message: &[u8]) {
        self.head(stream, &[]);
        self.message(stream, message);
        self.status(stream, &[("grpc-status", "0")]);
    }

    pub fn reset(&mut self, stream: u32, code: ErrorCode) {
        self.machine
            .send_reset(stream, code, self.now, &mut self.out)
            .unwrap();
    }
}

pub fn framed(message: &[u8]) -> Vec<u8> {
    let len = (message.len() as u32).to_be_bytes();
    [&[0], &len[..], message].concat()
}

/// A channel's calls, its connections, and a clock.
pub struct Scene {
    pub calls: Calls<()>,
    pub now: Instant,
    pub server_limits: http2::Limits,
    pub connections: Vec<(LinkId, Connection)>,
    pub servers: Vec<(LinkId, Server)>,
    /// Bytes carried at a time from servers to the client.
    pub cut: usize,
}

impl Scene {
    pub fn new() -> Self {
        Self::with(ChannelLimits::DEFAULT, http2::Limits::DEFAULT)
    }

    pub fn with(limits: ChannelLimits, server_limits: http2::Limits) -> Self {
        Self {
            calls: Calls::new("server.example:7", limits, 3),
            now: Instant::START,
            server_limits,
            connections: Vec::new(),
            servers: Vec::new(),
            cut: usize::MAX,
        }
    }

    pub fn start(&mut self) -> Key {
        self.start_with(&CallOptions::new())
    }

    pub fn start_with(&mut self, options: &CallOptions) -> Key {
        self.calls.start("/a.B/C", options, (), self.now).unwrap()
    }

    /// A call with one message, sent in whole, and its stream.
    pub fn unary(&mut self, message: &[u8]) -> Key {
        let call = self.start();
        self.calls.send(call, message).unwrap();
        self.calls.close_sending(call);
        call
    }

    pub fn server(&mut self) -> &mut Server {
        &mut self.servers.last_mut().expect("nobody has dialled").1
    }

    /// Begins to connect, if a connection is wanted.
    pub fn dial(&mut self) -> Option<LinkId> {
        let link = self.calls.dial(self.now)?;
        let connection = Connection::http2(self.calls.link_limits(), self.now);
        self.connections.push((link, connection));
        Some(link)
    }

    /// Connects, if a connection is wanted.
    pub fn open(&mut self) -> Option<LinkId> {
        let link = self.dial()?;
        let (_, connection) = self.connections.last_mut().unwrap();
        let (wire, now) = (connection.wire(), self.now);
        self.calls.event(link, 0, Event::Opened, wire, now);
        Some(link)
    }

    /// Uses a connection, and has the calls take what comes of it.
    fn on<R>(
        &mut self,
        link: LinkId,
        act: impl FnOnce(&mut Connection, &mut dyn FnMut(&mut Wire, u32, Event<'_>)) -> R,
    ) -> R {
        let (calls, now) = (&mut self.calls, self.now);
        let mut all = self.connections.iter_mut();
        let (_, connection) = all.find(|it| it.0 == link).expect("it was opened");
        act(connection, &mut |wire, stream, event| {
            calls.event(link, stream, event, wire, now);
        })
    }

    /// Bytes have come on a connection.
    pub fn receive(&mut self, link: LinkId, bytes: &mut [u8]) {
        let now = self.now;
        self.on(link, |connection, calls| {
            connection.receive(bytes, now, calls)
        });
    }

    /// A connection was lost.
    pub fn closed(&mut self, link: LinkId) {
        self.gone(link, EndReason::Reset);
    }

    pub fn gone(&mut self, link: LinkId, why: EndReason) {
        self.on(link, |connection, calls| connection.closed(why, calls));
    }

    /// The server has sent its last byte.
    pub fn receive_eof(&mut self, link: LinkId) {
        let now = self.now;
        self.on(link, |connection, calls| connection.receive_eof(now, calls));
    }

    pub fn is_over(&mut self, link: LinkId) -> bool {
        self.on(link, |connection, _| connection.is_over())
    }

    /// What is to be written to a connection.
    pub fn output(&mut self, link: LinkId) -> Vec<u8> {
        let now = self.now;
        let mut all = self.connections.iter_mut();
        let (_, connection) = all.find(|it| it.0 == link).expect("it was opened");
        self.calls.flush(link, connection.wire(), now);
        self.on(link, |connection, calls| {
            connection.flush(now, calls);
            std::mem::take(connection.output())
        })
    }

    /// What time has made due.
    pub fn elapse(&mut self) {
        self.calls.elapsed(self.now);
        let (now, links) = (self.now, self.connections.iter().map(|it| it.0));
        for link in links.collect::<Vec<_>>() {
            self.on(link, |connection, calls| connection.elapsed(now, calls));
        }
    }

    /// Dials as wanted, and carries bytes until nothing moves.
    pub fn settle(&mut self) {
        if let Some(link) = self.open() {
            let server = Server::new(self.server_limits, self.now);
            self.servers.push((link, server));
        }
        let mut servers = std::mem::take(&mut self.servers);
        loop {
            let mut moved = false;
            for (link, server) in &mut servers {
                server.now = self.now;
                let out = self.output(*link);
                if !out.is_empty() {
                    server.take(&out);
                    moved = true;
                }
                let mut out = std::mem::take(&mut server.out);
                for piece in out.chunks_mut(self.cut) {
                    self.receive(*link, piece);
                    moved = true;
                }
            }
            if !moved {
                self.servers = servers;
                return;
            }
        }
    }

    /// Time passes, second by second.
    pub fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.now += core::time::Duration::from_secs(1);
            self.elapse();
            self.settle();
        }
    }

    /// The next message of a call.
    pub fn message(&mut self, call: Key) -> Option<Vec<u8>> {
        match self.calls.next(call) {
            NextMessage::Message(message) => Some(message.bytes.to_vec()),
            NextMessage::Wait | NextMessage::Over => None,
        }
    }

    /// How a call has ended: code and message.
    #[track_caller]
    pub fn ending(&self, call: Key) -> String {
        match self.calls.ending(call) {
            Some(ending) => ending.to_string(),
            None => "it runs".into(),
        }
    }
}
