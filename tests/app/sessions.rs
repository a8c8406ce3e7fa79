//! The head of a session, its pings, and its end when the server stops:
//! over HTTP/1.1 and HTTP/2.
#![cfg(feature = "net")]

use core::time::Duration;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::{Sender, channel};

use crate::app_support::{Answer, PATIENCE, Running, read_until, wait_until};
use crate::http2_support::*;
use crate::peer::Peer;
use barewire::app::{
    Accept, App, EventStream, Events, EventsRoute, Message, OriginGuard, Refusal, Request, Socket,
    SocketEnd, WebSocket, WebSocketRoute,
};
use barewire::http::Status;
use barewire::http2::BodyLength;
use barewire::link::EndReason;
use barewire::net::Address;
use barewire::sse::Event;
use barewire::websocket::CloseCode;

const KEY: &str = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// A WebSocket as bytes, over either version.
enum Raw {
    Http1(TcpStream),
    Http2(Box<Peer>, u32, usize),
}

impl Raw {
    /// Opens one over HTTP/1.1 and one over HTTP/2.
    fn both(running: &Running, path: &str) -> [Self; 2] {
        let (stream, head) = upgrade(running, path, "");
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        let mut peer = Peer::connect(running);
        let id = connect(&mut peer, path, &[]);
        peer.until(|seen| !content(seen, id).is_empty() || has_head(seen, id));
        assert_eq!(status(&peer.seen, id), 200);
        [Self::Http1(stream), Self::Http2(Box::new(peer), id, 0)]
    }

    fn send(&mut self, bytes: &[u8]) {
        match self {
            Self::Http1(stream) => stream.write_all(bytes).unwrap(),
            Self::Http2(peer, id, _) => peer.send(*id, bytes, false),
        }
    }

    /// The next bytes, so many.
    fn take(&mut self, length: usize) -> Vec<u8> {
        match self {
            Self::Http1(stream) => {
                let mut bytes = vec![0; length];
                stream.read_exact(&mut bytes).unwrap();
                bytes
            }
            Self::Http2(peer, id, taken) => {
                let (from, to) = (*taken, *taken + length);
                peer.until(|seen| content(seen, *id).len() >= to);
                *taken = to;
                content(&peer.seen, *id)[from..to].to_vec()
            }
        }
    }

    /// The payload of the next frame, which begins with `first`.
    fn frame(&mut self, first: u8) -> Vec<u8> {
        let head = self.take(2);
        assert_eq!(head[0], first, "{head:?}");
        self.take(usize::from(head[1]))
    }
}

fn has_head(seen: &[Seen], id: u32) -> bool {
    let is_head = |it: &Seen| matches!(it, Seen::Response { stream, .. } if *stream == id);
    seen.iter().any(is_head)
}

fn upgrade(running: &Running, path: &str, more: &str) -> (TcpStream, String) {
    let mut stream = running.connect();
    let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\n{KEY}{more}\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let head = read_until(&mut stream, "\r\n\r\n");
    (stream, head)
}

fn connect(peer: &mut Peer, path: &str, more: &[(&str, &str)]) -> u32 {
    let fields = [&[("sec-websocket-version", "13")], more].concat();
    let length = Some(BodyLength::Unknown);
    let side = &mut peer.side;
    side.ask("CONNECT", path, Some("websocket"), &fields, length)
}

fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first, 0x80 | payload.len() as u8, 0, 0, 0, 0];
    bytes.extend(payload);
    bytes
}

/// What both versions answer to a request for a WebSocket: statuses and heads.
fn ask(running: &Running, path: &str, more: &[(&str, &str)]) -> [(u16, Vec<(String, String)>); 2] {
    let lines: String = more.iter().map(|(n, v)| format!("{n}: {v}\r\n")).collect();
    let (_, head) = upgrade(running, path, &lines);
    let answer = Answer::new(head.as_bytes());
    let fields = answer.head.lines().skip(1).filter_map(|line| {
        let (name, value) = line.split_once(": ")?;
        Some((name.to_ascii_lowercase(), value.to_owned()))
    });
    let mut peer = Peer::connect(running);
    let id = connect(&mut peer, path, more);
    peer.until(|seen| has_head(seen, id));
    let status = status(&peer.seen, id);
    let of_http2 = self::fields(&peer.seen, id).to_vec();
    // Over HTTP/2 a WebSocket begins with 200.
    let status = if status == 200 { 101 } else { status };
    [(answer.status, fields.collect()), (status, of_http2)]
}

fn values<'f>(fields: &'f [(String, String)], name: &str) -> Vec<&'f str> {
    let is_it = |field: &&(String, String)| field.0 == name;
    let values = fields.iter().filter(is_it);
    values.map(|field| &*field.1).collect()
}

struct Silent;

impl WebSocket for Silent {
    fn message(&mut self, _socket: &mut Socket<'_, '_>, _message: Message<'_>) {}
}

#[test]
fn a_page_of_another_origin_opens_no_websocket() {
    let listed =
        WebSocketRoute::new(|_| Ok(Silent)).origins(["https://b.example", "http://[::1]:3"]);
    let app = App::new()
        .websocket("/own", |_| Ok(Silent))
        .websocket_route("/listed", listed)
        .websocket_route("/any", WebSocketRoute::new(|_| Ok(Silent)).any_origin())
        // Handshakes are the routes' own.
        .with(OriginGuard::new());
    let running = Running::start(app);
    let origin = |value| ("origin", value);
    type Sent<'f> = &'f [(&'f str, &'f str)];
    let cases: &[(Sent<'_>, [u16; 3])] = &[
        // Own, listed, any.
        (&[], [101, 101, 101]),
        (&[origin("http://a")], [101, 101, 101]),
        (&[origin("https://A:443")], [101, 101, 101]),
        (&[origin("http://a:8080")], [403, 403, 101]),
        (&[origin("https://b.example")], [403, 101, 101]),
        (&[origin("http://b.example")], [403, 403, 101]),
        (&[origin("http://[0:0::1]:3")], [403, 101, 101]),
        (&[origin("null")], [403, 403, 101]),
        (&[origin("")], [403, 403, 101]),
        (&[origin("http://a/")], [403, 403, 101]),
        (&[origin("a")], [403, 403, 101]),
        (&[origin("http://a"), origin("http://a")], [403, 403, 403]),
    ];
    for (fields, expected) in cases {
        for (path, expected) in ["/own", "/listed", "/any"].into_iter().zip(expected) {
            for (status, _) in ask(&running, path, fields) {
                assert_eq!(status, *expected, "{path} {fields:?}");
            }
        }
    }
}

#[test]
fn an_origin_that_is_none_keeps_the_app_from_starting() {
    let route = WebSocketRoute::new(|_| Ok(Silent)).origins(["example.com"]);
    let apps = [
        App::new().websocket_route("/ws", route),
        App::new().with(OriginGuard::new().allow("https://example.com/")),
    ];
    for app in apps {
        assert!(app.listen("127.0.0.1:0").unwrap().spawn().is_err());
    }
}

#[test]
fn unsafe_methods_are_for_pages_of_the_server() {
    let app = App::new()
        .with(OriginGuard::new().allow("https://b.example"))
        .get("/x", |_, reply| reply.text("read"))
        .post("/x", |_, reply| reply.text("written"));
    let running = Running::start(app);
    let mut peer = Peer::connect(&running);
    for (origin, site, expected) in [
        ("http://a", "same-origin", 200),
        ("http://a", "", 200),
        ("https://b.example", "cross-site", 200),
        ("https://c.example", "cross-site", 403),
        ("https://c.example", "", 403),
        ("null", "", 403),
    ] {
        let mut fields = vec![("origin", origin)];
        if !site.is_empty() {
            fields.push(("sec-fetch-site", site));
        }
        let lines: String = fields
            .iter()
            .map(|(n, v)| format!("{n}: {v}\r\n"))
            .collect();
        for (method, expected) in [("POST", expected), ("GET", 200)] {
            let answer = running.exchange(&format!(
                "{method} /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n{lines}\r\n"
            ));
            assert_eq!(answer.status, expected, "{method} {fields:?}");
            let id = peer.side.ask(method, "/x", None, &fields, None);
            peer.until(|seen| ended(seen, id));
            assert_eq!(status(&peer.seen, id), expected, "{method} {fields:?}");
        }
    }
}

/// Accepts as the request asks for.
fn accept(request: &Request<'_>) -> Result<Accept<Silent>, Refusal> {
    let accept = Accept::new(Silent)
        .header("X-Seen", "one")
        .header("x-seen", "two")
        .header("Set-Cookie", "a=b");
    Ok(match request.query_value("protocol").as_deref() {
        Some("none") => accept.without_protocol(),
        Some("last") => match request.subprotocols().last() {
            Some(name) => accept.protocol(name),
            None => accept,
        },
        Some(name) => accept.protocol(name),
        None => accept,
    })
}

#[test]
fn a_route_chooses_the_subprotocol_and_the_fields_for_each_request() {
    let route = WebSocketRoute::accepting(accept).protocols(["v2", "v1"]);
    let running = Running::start(App::new().websocket_route("/ws", route));
    let offer = [("sec-websocket-protocol", "v1, v2, v3")];
    for (path, chosen) in [
        ("/ws", Some("v2")),
        ("/ws?protocol=none", None),
        ("/ws?protocol=last", Some("v3")),
        ("/ws?protocol=v1", Some("v1")),
    ] {
        for (status, fields) in ask(&running, path, &offer) {
            assert_eq!(status, 101);
            let given = values(&fields, "sec-websocket-protocol");
            assert_eq!(given, Vec::from_iter(chosen), "{path}");
            assert_eq!(values(&fields, "x-seen"), ["one", "two"]);
            assert_eq!(values(&fields, "set-cookie"), ["a=b"]);
        }
    }
    for (status, fields) in ask(&running, "/ws?protocol=v4", &offer) {
        assert_eq!(status, 500, "it was not offered");
        assert_eq!(values(&fields, "sec-websocket-protocol"), [""; 0]);
    }
}

#[test]
fn the_heads_own_fields_are_not_a_routes_to_give() {
    let socket = WebSocketRoute::accepting(|request: &Request<'_>| {
        let name = request.query_value("name").unwrap_or_default();
        Ok(Accept::new(Silent).header(&name, "x"))
    });
    let events = EventsRoute::accepting(|request: &Request<'_>| {
        let name = request.query_value("name").unwrap_or_default();
        Ok(Accept::new(Answering).header(&name, "x"))
    });
    let app = App::new()
        .websocket_route("/ws", socket)
        .events_route("/events", events);
    let running = Running::start(app);
    for name in [
        "Connection",
        "upgrade",
        "Content-Length",
        "Transfer-Encoding",
        "Content-Type",
        "Sec-WebSocket-Accept",
        "SEC-WEBSOCKET-X",
        "Keep-Alive",
        "not a name",
        "",
    ] {
        let query = name.replace(' ', "+");
        for (status, _) in ask(&running, &format!("/ws?name={query}"), &[]) {
            assert_eq!(status, 500, "{name}");
        }
        let answer = running.get(&format!("/events?name={query}"));
        assert_eq!(answer.status, 500, "{name}");
    }
}

/// Says one word.
struct Answering;

impl Events for Answering {
    fn open(&mut self, stream: &mut EventStream<'_, '_>) {
        stream.send(&Event::new("yes"));
        stream.finish();
    }
}

#[test]
fn the_head_of_an_event_stream_has_the_fields_of_its_route() {
    let plain = EventsRoute::new(|_| Ok(Answering));
    let given = EventsRoute::accepting(|_| {
        let accept = Accept::new(Answering).header("Cache-Control", "no-store");
        Ok(accept.header("X-Total", "7"))
    });
    let app = App::new()
        .events_route("/plain", plain)
        .events_route("/given", given);
    let running = Running::start(app);
    let mut peer = Peer::connect(&running);
    for (path, cache, total) in [("/plain", "no-cache", ""), ("/given", "no-store", "7")] {
        for method in ["GET", "HEAD"] {
            let answer = running.exchange(&format!("{method} {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
            assert_eq!(answer.status, 200);
            assert_eq!(answer.header("content-type"), "text/event-stream");
            assert_eq!(answer.header("cache-control"), cache);
            assert_eq!(answer.header("x-total"), total);
            let id = peer.side.ask(method, path, None, &[], None);
            peer.until(|seen| ended(seen, id));
            assert_eq!(values(fields(&peer.seen, id), "cache-control"), [cache]);
        }
    }
}

/// Pings as often as it is told.
struct Pinger;

impl WebSocket for Pinger {
    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        let count: u32 = message.as_text().unwrap().parse().unwrap();
        for n in 0..count {
            socket.ping(&n.to_be_bytes()).unwrap();
        }
        socket.send("done");
    }
}

#[test]
fn pongs_that_a_handler_asked_for_are_no_flood() {
    let running = Running::start(App::new().websocket("/ws", |_| Ok(Pinger)));
    for mut raw in Raw::both(&running, "/ws") {
        raw.send(&masked(0x81, b"1000"));
        for n in 0..1000_u32 {
            assert_eq!(raw.frame(0x89), n.to_be_bytes());
        }
        assert_eq!(raw.frame(0x81), b"done");
        for n in 0..1000_u32 {
            raw.send(&masked(0x8a, &n.to_be_bytes()));
        }
        raw.send(&masked(0x81, b"0"));
        assert_eq!(raw.frame(0x81), b"done");
        // Those that nobody asked for still are one.
        let flood: Vec<u8> = (0..300).flat_map(|_| masked(0x8a, b"")).collect();
        raw.send(&flood);
        assert_eq!(raw.frame(0x88)[..2], 1008_u16.to_be_bytes());
    }
}

#[test]
fn a_ping_behind_our_own_close_is_answered_until_the_peers_comes() {
    struct Closer;
    impl WebSocket for Closer {
        fn message(&mut self, socket: &mut Socket<'_, '_>, _message: Message<'_>) {
            socket.close(CloseCode::NORMAL, "bye").unwrap();
        }
    }
    let running = Running::start(App::new().websocket("/ws", |_| Ok(Closer)));
    for mut raw in Raw::both(&running, "/ws") {
        raw.send(&masked(0x81, b"x"));
        assert_eq!(raw.frame(0x88), b"\x03\xe8bye");
        raw.send(&masked(0x89, b"q"));
        assert_eq!(raw.frame(0x8a), b"q");
        raw.send(&masked(0x88, b"\x03\xe8"));
        match &mut raw {
            Raw::Http1(stream) => assert_eq!(stream.read(&mut [0]).unwrap(), 0),
            Raw::Http2(peer, id, _) => {
                let id = *id;
                peer.until(|seen| ended(seen, id));
            }
        }
    }
}

/// Says goodbye in its own words, if it has any.
struct Leaving {
    words: Option<&'static str>,
    ended: Sender<String>,
}

impl WebSocket for Leaving {
    fn message(&mut self, _socket: &mut Socket<'_, '_>, _message: Message<'_>) {}

    fn draining(&mut self, socket: &mut Socket<'_, '_>) {
        socket.send("the server stops");
        if let Some(words) = self.words {
            socket.close(CloseCode::SERVICE_RESTART, words).unwrap();
        }
    }

    fn closed(&mut self, _socket: &mut Socket<'_, '_>, closed: SocketEnd<'_>) {
        let SocketEnd {
            code,
            end_reason: gone,
            ..
        } = closed;
        self.ended.send(format!("{code} {gone:?}")).unwrap();
    }
}

#[test]
fn a_session_hears_of_the_drain_before_its_close_and_chooses_the_code() {
    let (ended, ends) = channel();
    let other = ended.clone();
    let app = App::new()
        .websocket("/own", move |_| {
            let (words, ended) = (Some("back in a minute"), ended.clone());
            Ok(Leaving { words, ended })
        })
        .websocket("/none", move |_| {
            let (words, ended) = (None, other.clone());
            Ok(Leaving { words, ended })
        })
        // A connection that rests is made whole for it.
        .limits(barewire::net::Limits::DEFAULT.with_warm(0));
    let running = Running::start(app);
    let own = Raw::both(&running, "/own");
    let none = Raw::both(&running, "/none");
    std::thread::sleep(Duration::from_millis(20)); // so that they may come to rest
    running.server().handle().shutdown(PATIENCE);
    let restart = [&b"\x03\xf4"[..], b"back in a minute"].concat();
    for (raws, close) in [(own, restart), (none, b"\x03\xe9".to_vec())] {
        for mut raw in raws {
            assert_eq!(raw.frame(0x81), b"the server stops");
            assert_eq!(raw.frame(0x88), close);
            raw.send(&masked(0x88, &close));
            let told = ends.recv_timeout(PATIENCE).unwrap();
            let code = u16::from_be_bytes([close[0], close[1]]);
            assert_eq!(told, format!("{code} Finished"));
        }
    }
}

#[test]
fn a_session_that_opens_during_the_drain_is_closed_as_well() {
    let (ended, ends) = channel();
    let app = App::new().websocket("/ws", move |_| {
        let (words, ended) = (None, ended.clone());
        Ok(Leaving { words, ended })
    });
    let metrics = app.metrics();
    let running = Running::start(app);
    let mut stream = running.connect();
    stream
        .write_all(b"GET /ws HTTP/1.1\r\nHost: a\r\n")
        .unwrap();
    wait_until("it is accepted", || {
        metrics.snapshot().connections_active == 1
    });
    running.server().handle().shutdown(PATIENCE);
    wait_until("nobody listens", || {
        let Address::Tcp(address) = &running.server().local_addresses()[0] else {
            panic!()
        };
        TcpStream::connect(address).is_err()
    });
    stream.write_all(KEY.as_bytes()).unwrap();
    stream.write_all(b"\r\n").unwrap();
    let head = read_until(&mut stream, "\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    let mut raw = Raw::Http1(stream);
    assert_eq!(raw.frame(0x81), b"the server stops");
    assert_eq!(raw.frame(0x88), b"\x03\xe9");
    raw.send(&masked(0x88, b"\x03\xe9"));
    assert_eq!(ends.recv_timeout(PATIENCE).unwrap(), "1001 Finished");
}

/// An event stream with a last word, or two.
struct Farewell {
    finishes: bool,
    ended: Sender<EndReason>,
}

impl Events for Farewell {
    fn open(&mut self, stream: &mut EventStream<'_, '_>) {
        stream.send(&Event::new("hello"));
    }

    fn draining(&mut self, stream: &mut EventStream<'_, '_>) {
        stream.send(&Event::new("the server stops"));
        if self.finishes {
            stream.send(&Event::EMPTY.retry(Duration::from_secs(60)));
            stream.finish();
        }
    }

    fn closed(&mut self, _stream: &mut EventStream<'_, '_>, why: EndReason) {
        self.ended.send(why).unwrap();
    }
}

#[test]
fn an_event_stream_hears_of_the_drain_before_its_end() {
    let (tell, ends) = channel();
    let app = App::new().events("/{finishes}", move |request| {
        let finishes = request.param("finishes") == "own";
        let ended = tell.clone();
        Ok(Farewell { finishes, ended })
    });
    let running = Running::start(app);
    let open = |path: &str| {
        let mut stream = running.connect();
        write!(stream, "GET {path} HTTP/1.0\r\n\r\n").unwrap();
        read_until(&mut stream, "data: hello\n\n");
        stream
    };
    let (own, other) = (open("/own"), open("/other"));
    let mut peer = Peer::connect(&running);
    let ids = ["/own", "/other"].map(|path| peer.get(path));
    peer.until(|seen| ids.iter().all(|&id| !content(seen, id).is_empty()));
    running.server().handle().shutdown(PATIENCE);
    let stops = "data: the server stops\n\n";
    let rests = [
        format!("{stops}retry: 60000\n\n"),
        format!("{stops}retry: 3000\n\n"),
    ];
    for (mut stream, expected) in [own, other].into_iter().zip(&rests) {
        let mut rest = String::new();
        stream.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, *expected);
    }
    peer.until(|seen| ids.iter().all(|&id| ended(seen, id)));
    for (id, expected) in ids.into_iter().zip(&rests) {
        let all = content(&peer.seen, id);
        assert_eq!(all, [b"data: hello\n\n", expected.as_bytes()].concat());
    }
    // Only those are told that did not end themselves.
    for _ in 0..2 {
        assert_eq!(ends.recv_timeout(PATIENCE), Ok(EndReason::Drained));
    }
    drop(running);
    assert!(ends.try_recv().is_err());
}

#[test]
fn a_refusal_goes_before_what_would_have_been_accepted() {
    let route = WebSocketRoute::accepting(|_: &Request<'_>| -> Result<Accept<Silent>, Refusal> {
        Err(Status::UNAUTHORIZED.into())
    });
    let running = Running::start(App::new().websocket_route("/ws", route));
    for (status, _) in ask(&running, "/ws", &[]) {
        assert_eq!(status, 401);
    }
}
