//! A loop over a scripted system, and what its handler saw.

use core::cell::RefCell;
use core::net::Ipv4Addr;
use core::time::Duration;
use std::rc::Rc;

use barewire::http::{Content, Field, Fields, RequestHead, ResponseHead, Status};
use barewire::link::{self, Body, Event};
use barewire::net::{
    Address, Context, Exchange, Fate, Handler, Limits, ListenOptions, Loop, Owner, Peer, Profile,
    Scripted, ScriptedClient, Speaks,
};
use barewire::websocket::{CloseCode, handshake};

/// What was seen, one line an event.
pub(crate) type Log = Rc<RefCell<Vec<String>>>;

/// A handler made of a closure.
struct Act<F>(F);

impl<F: FnMut(&mut Context<'_>, Event<'_>)> Handler for Act<F> {
    fn event(&mut self, context: &mut Context<'_>, event: Event<'_>) {
        (self.0)(context, event);
    }
}

/// A loop with one listener and one handler.
pub(crate) struct Scene {
    pub(crate) world: Scripted,
    pub(crate) events: Loop<Scripted>,
    pub(crate) owner: Owner,
    pub(crate) profile: Profile,
    pub(crate) log: Log,
    /// The exchange of each request, timer or opening seen, in their order.
    pub(crate) seen: Rc<RefCell<Vec<Exchange>>>,
}

/// How a scene is set.
pub(crate) struct Setting {
    pub(crate) limits: Limits,
    pub(crate) protocols: link::Limits,
    pub(crate) speaks: Speaks,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            limits: Limits::DEFAULT,
            protocols: link::Limits::DEFAULT,
            speaks: Speaks::Http,
        }
    }
}

impl Scene {
    /// The stock site over HTTP.
    pub(crate) fn site() -> Self {
        Self::site_with(Setting::default())
    }

    pub(crate) fn site_with(setting: Setting) -> Self {
        Self::with(setting, serve)
    }

    /// A raw echo.
    pub(crate) fn raw(
        limits: Limits,
        act: impl FnMut(&mut Context<'_>, Event<'_>) + 'static,
    ) -> Self {
        let setting = Setting {
            limits,
            speaks: Speaks::Raw,
            ..Setting::default()
        };
        Self::with(setting, act)
    }

    pub(crate) fn with(
        setting: Setting,
        mut act: impl FnMut(&mut Context<'_>, Event<'_>) + 'static,
    ) -> Self {
        let world = Scripted::new();
        // Whoever rests is packed at once, so that every test is one of packing.
        let mut events = open(&world, setting.limits.with_warm(0));
        let (log, seen) = (Log::default(), Rc::new(RefCell::new(Vec::new())));
        let (lines, exchanges) = (log.clone(), seen.clone());
        let owner = events.add(Act(move |context: &mut Context<'_>, event: Event<'_>| {
            lines.borrow_mut().push(line(&event));
            exchanges.borrow_mut().push(context.exchange());
            act(context, event);
        }));
        let profile = events.profile(setting.protocols);
        let address: Address = "127.0.0.1:0".parse().unwrap();
        let options = ListenOptions::DEFAULT;
        events
            .listen(&address, &options, setting.speaks, owner, profile)
            .unwrap();
        Self {
            world,
            events,
            owner,
            profile,
            log,
            seen,
        }
    }

    /// Turns until nothing more can happen without time or the peers.
    pub(crate) fn settle(&mut self) {
        for _ in 0..10_000 {
            self.turn();
            let waits = self.world.last_timeout() != Some(Duration::ZERO);
            if waits {
                self.turn(); // what the last turn has woken
                if self.world.last_timeout() != Some(Duration::ZERO) {
                    return;
                }
            }
        }
        panic!("the loop spins: {:?}", self.log.borrow());
    }

    pub(crate) fn turn(&mut self) {
        self.events.turn(None).unwrap();
    }

    pub(crate) fn connect(&mut self) -> ScriptedClient {
        let client = self.world.connect_client(0);
        self.settle();
        client
    }

    /// Connects from an IPv4 address.
    pub(crate) fn connect_from(&mut self, address: impl Into<Ipv4Addr>) -> ScriptedClient {
        let peer = Peer::V4(address.into(), 1000);
        let client = self.world.connect_client_from(0, peer);
        self.settle();
        client
    }

    pub(crate) fn send(&mut self, client: ScriptedClient, bytes: &[u8]) {
        self.world.send(client, bytes);
        self.settle();
    }

    /// Connects, sends and answers what came back.
    pub(crate) fn ask(&mut self, bytes: &[u8]) -> (ScriptedClient, String) {
        let client = self.connect();
        self.send(client, bytes);
        (client, self.take(client))
    }

    pub(crate) fn eof(&mut self, client: ScriptedClient) {
        self.world.eof(client);
        self.settle();
    }

    pub(crate) fn reset(&mut self, client: ScriptedClient) {
        self.world.reset(client);
        self.settle();
    }

    pub(crate) fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.world.advance(Duration::from_secs(1));
            self.settle();
        }
    }

    pub(crate) fn take(&mut self, client: ScriptedClient) -> String {
        String::from_utf8_lossy(&self.world.take_output(client)).into_owned()
    }

    pub(crate) fn fate(&self, client: ScriptedClient) -> Fate {
        self.world.fate(client)
    }

    pub(crate) fn is_over(&self, client: ScriptedClient) -> bool {
        matches!(self.fate(client), Fate::Closed | Fate::Reset)
    }

    pub(crate) fn active(&self) -> u64 {
        self.events.counters().active
    }

    /// How many events of this kind were seen.
    pub(crate) fn count(&self, line: &str) -> usize {
        let lines = self.log.borrow();
        lines.iter().filter(|it| it.starts_with(line)).count()
    }

    pub(crate) fn has(&self, line: &str) -> bool {
        self.count(line) > 0
    }

    /// The exchange in which an event of this kind was last seen.
    pub(crate) fn exchange_of(&self, line: &str) -> Exchange {
        let lines = self.log.borrow();
        let at = lines.iter().rposition(|it| it.starts_with(line)).unwrap();
        self.seen.borrow()[at]
    }

    /// Acts as the owner, outside of any event.
    pub(crate) fn act<R>(&mut self, act: impl FnOnce(&mut Context<'_>) -> R) -> R {
        let result = self.events.enter(self.owner, act);
        self.settle();
        result
    }
}

pub(crate) fn open(world: &Scripted, limits: Limits) -> Loop<Scripted> {
    Loop::with_poller(world.clone(), limits).unwrap()
}

/// One line about an event.
pub(crate) fn line(event: &Event<'_>) -> String {
    match event {
        Event::Request { head, content } => {
            let content = match content {
                Content::None => String::new(),
                Content::Whole(body) => format!(" whole {}", body.len()),
                Content::Follows { length } => format!(" follows {length:?}"),
            };
            format!("Request {} {}{content}", head.method.as_str(), path(head))
        }
        Event::Response { head, content } => {
            let content = match content {
                Content::Whole(body) => format!(" whole {}", body.len()),
                Content::None | Content::Follows { .. } => String::new(),
            };
            format!("Response {}{content}", head.status.code())
        }
        Event::Body(piece) => format!("Body {}", piece.len()),
        Event::Data(data) => format!("Data {}", data.len()),
        Event::Message { payload, .. } => format!("Message {}", payload.len()),
        Event::Chunk { payload, last, .. } => format!("Chunk {} {last}", payload.len()),
        Event::Close { code, .. } => format!("Close {code:?}"),
        Event::Ended(gone) => format!("Gone {gone:?}"),
        Event::Timer { token } => format!("Timer {token}"),
        Event::Opened => "Opened".into(),
        Event::TooLarge => "TooLarge".into(),
        Event::Overdue => "Overdue".into(),
        Event::End { .. } => "End".into(),
        Event::Ping(_) => "Ping".into(),
        Event::Pong(_) => "Pong".into(),
        Event::HalfClosed => "HalfClosed".into(),
        Event::Writable => "Writable".into(),
        Event::Mail(_) => "Mail".into(),
        Event::Woken => "Woken".into(),
        Event::Draining => "Draining".into(),
        Event::GoingAway {
            last_stream,
            code,
            debug,
        } => {
            let debug = String::from_utf8_lossy(debug);
            format!("GoingAway {last_stream} {code} {debug}")
        }
        Event::Informational(head) => format!("Informational {}", head.status.code()),
        Event::Poll { token } => format!("Poll {token}"),
    }
}

pub(crate) fn path<'b>(head: &RequestHead<'b>) -> &'b str {
    head.target.path()
}

pub(crate) fn ok(context: &mut Context<'_>, body: &[u8]) {
    let head = ResponseHead::new(Status::OK, Fields::EMPTY);
    context.respond(&head, Body::Whole(body)).unwrap();
}

pub(crate) fn begin(context: &mut Context<'_>, endless: bool) {
    let head = ResponseHead::new(Status::OK, Fields::EMPTY);
    let body = Body::Streamed {
        length: None,
        endless,
    };
    context.respond(&head, body).unwrap();
}

pub(crate) fn upgrade(context: &mut Context<'_>, head: &RequestHead<'_>) {
    let opening = handshake::check(head).unwrap();
    let accepted = handshake::accept(&opening, None).ok().unwrap();
    context
        .upgrade_websocket(accepted.fields().as_fields(), false)
        .unwrap();
}

/// The stock site: paths that do what their names say.
pub(crate) fn serve(context: &mut Context<'_>, event: Event<'_>) {
    match event {
        Event::Request { head, content } => request(context, &head, content),
        Event::Body(piece) => drop(context.write(piece)),
        Event::End { .. } => drop(context.finish(Fields::EMPTY)),
        Event::TooLarge => {
            let head = ResponseHead::new(Status::CONTENT_TOO_LARGE, Fields::EMPTY);
            context.respond(&head, Body::Whole(b"")).unwrap();
        }
        Event::Message { kind, payload } => {
            assert_ne!(payload, b"panic", "as asked");
            if payload == b"bye" {
                context.close(CloseCode::NORMAL, "").unwrap();
            } else {
                context.send(kind, payload);
            }
        }
        Event::Timer { token: 666 } => panic!("as asked"),
        Event::Mail(mail) => {
            if let Ok(text) = mail.downcast::<String>() {
                ok(context, text.as_bytes());
            }
        }
        _ => {}
    }
}

fn request(context: &mut Context<'_>, head: &RequestHead<'_>, content: Content<'_>) {
    let number = || path(head).rsplit('/').next().unwrap().parse().unwrap();
    match path(head) {
        "/hello" => ok(context, b"hello"),
        "/ws" => upgrade(context, head),
        "/later" => {}
        "/feed" => begin(context, true),
        "/open" => begin(context, false),
        "/panic" => panic!("as asked"),
        "/answer-panic" => {
            ok(context, b"never");
            panic!("as asked");
        }
        "/large-panic" => {
            ok(context, &[b'x'; 100_000]);
            panic!("as asked");
        }
        "/upgrade-panic" => {
            upgrade(context, head);
            panic!("as asked");
        }
        "/cut" => {
            begin(context, false);
            context.write(b"half");
            context.after(Duration::from_millis(1), 666);
        }
        "/hold" => {
            context.accept_body().unwrap();
            begin(context, false);
            context.set_reading(false);
        }
        "/take" => context.accept_body().unwrap(),
        "/messages" => {
            context.accept_messages().unwrap();
            begin(context, false);
        }
        "/stream" => {
            begin_stream(context, content);
        }
        "/refuse" => {
            let fields = [Field::new("X-Why", "because")];
            let head = ResponseHead::new(Status::FORBIDDEN, Fields::new(&fields));
            context.respond(&head, Body::Whole(b"no")).unwrap();
        }
        path if path.starts_with("/big/") => ok(context, &vec![b'x'; number()]),
        "/echo" => match content {
            Content::None => ok(context, b""),
            Content::Whole(body) => ok(context, body),
            Content::Follows { .. } => match context.collect(head, 64 << 10) {
                Err(link::UsageError::BodyTooLarge) => {
                    let head = ResponseHead::new(Status::CONTENT_TOO_LARGE, Fields::EMPTY);
                    context.respond(&head, Body::Whole(b"")).unwrap();
                }
                other => other.unwrap(),
            },
        },
        path => panic!("no such path: {path}"),
    }
}

/// Echoes the body piece by piece.
fn begin_stream(context: &mut Context<'_>, content: Content<'_>) {
    match content {
        Content::None => {
            begin(context, false);
            context.finish(Fields::EMPTY).unwrap();
        }
        Content::Whole(body) => {
            begin(context, false);
            context.write(body);
            context.finish(Fields::EMPTY).unwrap();
        }
        Content::Follows { .. } => {
            context.accept_body().unwrap();
            begin(context, false);
        }
    }
}

pub(crate) fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").into_bytes()
}

pub(crate) fn post(path: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

pub(crate) const UPGRADE: &[u8] = b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// A client's frame, masked.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        n @ 0..=125 => bytes.push(0x80 | n as u8),
        n @ 126..=0xffff => {
            bytes.push(0x80 | 126);
            bytes.extend((n as u16).to_be_bytes());
        }
        n => {
            bytes.push(0x80 | 127);
            bytes.extend((n as u64).to_be_bytes());
        }
    }
    let mask = [1, 2, 3, 4];
    bytes.extend(mask);
    bytes.extend(payload.iter().zip(mask.iter().cycle()).map(|(b, m)| b ^ m));
    bytes
}

pub(crate) fn text(payload: &str) -> Vec<u8> {
    frame(0x81, payload.as_bytes())
}
