//! The whole loop over a scripted system: the input says what peers send, how
//! the kernel takes it, and how time passes.

use super::http2_support::{
    DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PADDED, PING, RST_STREAM, SETTINGS,
    WINDOW_UPDATE, block, frame, number, opening,
};
use super::input::Input;
use barewire::http::{Content, Fields, ResponseHead, Status};
use barewire::link::{self, Body, Event};
use barewire::net::{
    Context, Fate, Handler, KernelQueue, Limits, ListenOptions, Loop, Owner, Scripted,
    ScriptedClient, Speaks,
};
use barewire::websocket::{CloseCode, handshake};
use core::time::Duration;

/// Everything an application may do: answers at once, later and never, streams
/// both ways, WebSockets, timers, closing of its own accord.
struct App;

impl Handler for App {
    fn event(&mut self, context: &mut Context<'_>, event: Event<'_>) {
        match event {
            Event::Request { head, content } => request(context, &head, content),
            Event::TooLarge => respond(context, Status::CONTENT_TOO_LARGE, b""),
            Event::Body(piece) => {
                context.write(piece);
            }
            Event::End { .. } => {
                let _ = context.finish(Fields::EMPTY);
            }
            Event::Message { kind, payload } => {
                if payload == b"bye" {
                    let _ = context.close(CloseCode::NORMAL, "bye");
                } else if payload == b"flood" {
                    for _ in 0..40 {
                        context.send(kind, &[b'x'; 1000]);
                    }
                } else if payload == b"abort" {
                    context.abort();
                } else {
                    context.send(kind, payload);
                }
            }
            Event::Data(bytes) => {
                context.write(bytes);
            }
            Event::Timer { token } => respond(context, Status::OK, &token.to_be_bytes()),
            Event::Draining => {
                context.after(Duration::from_millis(1), 0);
            }
            _ => {}
        }
    }
}

fn respond(context: &mut Context<'_>, status: Status, body: &[u8]) {
    let head = ResponseHead::new(status, Fields::EMPTY);
    // Refused where the exchange is over or answered.
    let _ = context.respond(&head, Body::Whole(body));
}

fn request(
    context: &mut Context<'_>,
    head: &barewire::http::RequestHead<'_>,
    content: Content<'_>,
) {
    let ok = ResponseHead::new(Status::OK, Fields::EMPTY);
    if handshake::is_upgrade(head) {
        match handshake::check(head) {
            Ok(opening) => {
                let accepted = handshake::accept(&opening, None).expect("no protocol is chosen");
                let fields = accepted.fields();
                if context
                    .upgrade_websocket(fields.as_fields(), false)
                    .is_err()
                {
                    respond(context, Status::BAD_REQUEST, b"");
                }
            }
            Err(refusal) => respond(context, refusal.status(), b""),
        }
        return;
    }
    match (head.target.path(), content) {
        ("/later", _) => {
            context.after(Duration::from_millis(50), 7);
        }
        ("/never", _) => {}
        ("/abort", _) => context.abort(),
        ("/large", Content::None) => {
            let _ = context.respond(&ok, Body::Shared(&vec![b'y'; 30_000].into()));
        }
        ("/events", Content::None) => {
            let body = Body::Streamed {
                length: None,
                endless: true,
            };
            if context.respond(&ok, body).is_ok() {
                context.write(b"data: 1\n\n");
            }
        }
        ("/collect", Content::Follows { .. }) => {
            let _ = context.collect(head, 100);
        }
        (_, Content::Follows { length }) => {
            let body = Body::Streamed {
                length,
                endless: false,
            };
            if context.accept_body().is_ok() {
                let _ = context.respond(&ok, body);
            }
        }
        (_, Content::Whole(body)) => respond(context, Status::OK, body),
        (path, Content::None) => respond(context, Status::OK, path.as_bytes()),
    }
}

/// What peers send of their own accord; anything else is in the input.
const SENT: [&[u8]; 16] = [
    b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /collect HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n",
    b"POST /stream HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"5\r\nhello\r\n",
    b"0\r\n\r\n",
    b"GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    b"\x81\x85\0\0\0\0hello",
    b"\x81\x85\0\0\0\0flood",
    b"\x81\x83\0\0\0\0bye",
    b"\x89\x80\0\0\0\0",
    b"\x88\x82\0\0\0\0\x03\xe8",
    b"GET /later HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /events HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /never HTTP/1.0\r\n\r\n",
    b"\x01\x81\0\0\0\0a",
];

/// What peers send over HTTP/2, on a stream of the input's choice.
fn sent_on_stream(input: &mut Input<'_>) -> Vec<u8> {
    let [what, which] = input.array();
    let stream = u32::from(which) * 2 + 1;
    let head = |method: &str, path: &str, flags, more: &[(&str, &str)]| {
        let mut list = vec![
            (":method", method),
            (":scheme", "http"),
            (":authority", "a"),
            (":path", path),
        ];
        list.splice(1..1, more.iter().copied());
        frame(HEADERS, END_HEADERS | flags, stream, &block(&list))
    };
    let get = |path| head("GET", path, END_STREAM, &[]);
    match what & 31 {
        0 => opening(),
        1 => get("/hello"),
        2 => get("/later"),
        3 => get("/large"),
        4 => get("/events"),
        5 => get("/never"),
        6 => get("/abort"),
        7 => head("POST", "/collect", 0, &[]),
        8 => head("POST", "/stream", 0, &[]),
        9 => head("CONNECT", "/chat", 0, &[(":protocol", "websocket")]),
        10 => frame(DATA, 0, stream, b"hello"),
        11 => frame(DATA, END_STREAM, stream, b"hello"),
        12 => frame(DATA, PADDED, stream, b"\x02hello\0\0"),
        13 => frame(DATA, 0, stream, &[b'z'; 5000]),
        14 => frame(DATA, 0, stream, SENT[usize::from(input.byte() & 15)]),
        15 => frame(DATA, END_STREAM, stream, b""),
        16 => frame(
            HEADERS,
            END_HEADERS | END_STREAM,
            stream,
            &block(&[("x", "y")]),
        ),
        17 => number(RST_STREAM, stream, 8),
        18 => number(WINDOW_UPDATE, stream, input.byte().into()),
        19 => number(WINDOW_UPDATE, 0, 60_000),
        20 => number(WINDOW_UPDATE, stream, 60_000),
        21 => frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, input.byte()]),
        22 => frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0xff, 0xff]),
        23 => frame(SETTINGS, 1, 0, b""),
        24 => frame(PING, 0, 0, b"12345678"),
        25 => frame(PING, 1, 0, &input.array::<8>()),
        26 => frame(GOAWAY, 0, 0, &[0; 8]),
        27 => frame(HEADERS, 0, stream, &block(&[(":method", "GET")])),
        28 => get("/hello").repeat(2),
        _ => frame(input.byte(), input.byte(), stream, input.run()),
    }
}

/// The loop, its world, and the peers in it.
pub(super) struct Play {
    pub(super) events: Loop<Scripted>,
    pub(super) world: Scripted,
    pub(super) clients: Vec<ScriptedClient>,
    pub(super) draining: bool,
}

/// Turns that may pass without waiting before a loop counts as busy.
const BUSY: usize = 2000;

impl Play {
    fn new(flags: u8) -> Self {
        let world = Scripted::new();
        let mut limits = Limits::DEFAULT
            .with_backlog_high(2048)
            .with_backlog_low(512)
            .with_backlog_cap(64 << 10)
            .with_read_size(1024);
        if flags & 1 != 0 {
            limits = limits
                .with_connections(3)
                .with_rounds(1)
                .with_accepts(1)
                .with_memory(8 << 10);
        }
        let mut events = Loop::with_poller(world.clone(), limits).expect("sound limits");
        let owner: Owner = events.add(App);
        let profile = events.profile(link::Limits::DEFAULT);
        let address = "0.0.0.0:0".parse().expect("an address");
        for speaks in [Speaks::Http, Speaks::Raw] {
            events
                .listen(&address, &ListenOptions::DEFAULT, speaks, owner, profile)
                .expect("a listener");
        }
        Self {
            events,
            world,
            clients: Vec::new(),
            draining: false,
        }
    }

    /// One act; the low bits choose a peer.
    fn act(&mut self, input: &mut Input<'_>) {
        let [act, which] = input.array();
        let client = match self.clients.len() {
            0 => None,
            n => Some(self.clients[usize::from(which) % n]),
        };
        match (act & 15, client) {
            (0, _) if self.clients.len() < 12 => {
                self.clients
                    .push(self.world.connect_client(usize::from(which & 1)));
            }
            (1, _) => self.turn(),
            (2, _) => {
                self.world
                    .advance(Duration::from_millis(u64::from(which) * 37));
                self.turn();
            }
            (3, Some(client)) => self.world.send(client, input.run()),
            (4 | 5, Some(client)) => {
                self.world
                    .send(client, SENT[usize::from(input.byte() & 15)]);
            }
            (6, Some(client)) => {
                // Several at once, and possibly cut.
                let mut bytes = Vec::new();
                for _ in 0..=act >> 6 {
                    bytes.extend(sent_on_stream(input));
                }
                let cut = match act >> 4 & 3 {
                    0 => bytes.len(),
                    n => usize::from(n) * 7,
                };
                let pieces = bytes.chunks(cut.max(1));
                pieces.for_each(|piece| self.world.send(client, piece));
            }
            (7, Some(client)) => SENT[usize::from(input.byte() & 15)]
                .chunks(1 + usize::from(act >> 4))
                .for_each(|piece| self.world.send(client, piece)),
            (8, Some(client)) => self.world.eof(client),
            (9, Some(client)) => self.world.reset(client),
            (10, Some(client)) => self.world.stop_reading(client),
            (11, Some(client)) => self.world.allow_write(client, input.byte().into()),
            (12, Some(client)) => self.world.allow_all(client),
            (13, Some(client)) if act < 0x40 => self.world.spurious(client),
            (13, Some(client)) => {
                let [size, rate, step] = input.array().map(usize::from);
                let queue = KernelQueue {
                    size: 1 + size * 128,
                    rate: rate * 32,
                    step: 1 + step * 8,
                };
                self.world.set_kernel_queue(client, queue);
            }
            (14, _) => {
                let error = if act & 0x10 == 0 { 24 } else { 103 }; // EMFILE, ECONNABORTED
                self.world
                    .fail_accept(usize::from(which & 1), error, 1 + usize::from(act >> 6));
            }
            (15, _) if act == 0xff => {
                self.draining = true;
                self.events.remote().drain(Duration::from_secs(3));
            }
            _ => self.turn(),
        }
    }

    pub(super) fn turn(&mut self) {
        self.events
            .turn(Some(Duration::from_millis(1)))
            .expect("a scripted system does not fail");
    }

    /// Turns until the loop would sleep.
    pub(super) fn rest(&mut self) {
        let (mut left, mut before) = (BUSY, usize::MAX);
        while left > 0 {
            self.turn();
            if self.world.last_timeout() != Some(Duration::ZERO) {
                return;
            }
            let unread = self.clients.iter().map(|c| self.world.unread(*c)).sum();
            // Thousands of pieces may be read one a turn.
            left = if unread < before { BUSY } else { left - 1 };
            before = unread;
        }
        let seen: Vec<_> = self
            .clients
            .iter()
            .map(|c| {
                (
                    self.world.output(*c).escape_ascii().to_string(),
                    self.world.fate(*c),
                    self.world.unread(*c),
                )
            })
            .collect();
        panic!(
            "the loop does not come to rest: {seen:?} {:?}",
            self.events.counters()
        );
    }

    /// All that was seen, once everyone is gone.
    pub(super) fn end(mut self) -> Vec<(Vec<u8>, Fate)> {
        self.rest();
        const WIDE: KernelQueue = KernelQueue {
            size: 1 << 24,
            rate: 1 << 24,
            step: 1,
        };
        for client in &self.clients {
            self.world.allow_all(*client);
            self.world.set_kernel_queue(*client, WIDE);
        }
        self.world.advance(Duration::ZERO); // there is room now
        self.rest();
        if !self.draining {
            self.events.remote().drain(Duration::from_secs(3));
        }
        // Draining takes at most as long as it was given, lingering included.
        for _ in 0..40 {
            self.rest();
            self.world.advance(Duration::from_millis(250));
        }
        self.rest();
        let counters = *self.events.counters();
        assert_eq!(counters.panics, 0);
        assert_eq!(counters.active, 0, "{counters:?}");
        // All that was charged has been given back, but for the buffers of the loop.
        let held = self.events.memory().held();
        assert!(held < 8 << 20, "{held} bytes");
        assert!(self.events.is_drained());
        // What was closed in peace arrives; what was reset is nowhere.
        assert!(self.clients.iter().all(|c| self.world.queued(*c) == 0));
        let seen =
            |client: &ScriptedClient| (self.world.take_output(*client), self.world.fate(*client));
        let all: Vec<_> = self.clients.iter().map(seen).collect();
        for (_, fate) in &all {
            assert!(matches!(fate, Fate::Closed | Fate::Reset), "{fate:?}");
        }
        all
    }
}

fn play(data: &[u8]) -> Vec<(Vec<u8>, Fate)> {
    let mut input = Input::new(data);
    let mut play = Play::new(input.byte());
    for _ in 0..400 {
        if input.is_empty() {
            break;
        }
        play.act(&mut input);
    }
    play.end()
}

/// Nothing panics, the loop comes to rest whatever happens, every connection
/// ends once it drains, and the same input gives the same output.
pub fn event_loop(data: &[u8]) {
    assert_eq!(play(data), play(data));
}
