//! The same app over HTTP/2: every kind of handler, unchanged.
#![cfg(feature = "net")]

use core::time::Duration;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};

use crate::app_support::{PATIENCE, Running, wait_until};
use crate::http2_support::*;
use crate::peer::Peer;
use barewire::app::{
    AccessLog, App, Call, Cors, EventStream, Events, Flow, Kind, Message, Response, Route, Service,
    Socket, Stream, Streaming, WebSocket, WebSocketRoute,
};
use barewire::http::{Fields, Status};
use barewire::http2::{BodyLength, Limits};
use barewire::link::{self, EndReason};
use barewire::sse::Event;
use barewire::websocket::Limits as SocketLimits;

fn hello() -> App {
    App::new()
        .get("/hello", |_request, reply| reply.text("hello"))
        .post("/echo", |request, reply| {
            reply.body(request.content_type(), request.body())
        })
        .get("/status/{code}", |request, reply| {
            let code = request.param("code").parse().unwrap_or_default();
            let reply = reply.status(Status::new(code).unwrap_or(Status::BAD_REQUEST));
            reply.text(request.query().unwrap_or_default())
        })
        .get("/panic", |request, reply| {
            assert!(request.query().is_some(), "as asked");
            reply.text("")
        })
}

#[test]
fn whole_replies_are_those_of_http1() {
    let running = Running::start(hello());
    let mut peer = Peer::connect(&running);
    for (method, path, body) in [
        ("GET", "/hello", ""),
        ("HEAD", "/hello", ""),
        ("GET", "/nowhere", ""),
        ("DELETE", "/hello", ""),
        ("OPTIONS", "/hello", ""),
        ("POST", "/echo", "some text"),
        // RFC 9110 §15.3.5, §15.3.6, §15.4.5: no content, asked for or not.
        ("GET", "/status/204", ""),
        ("GET", "/status/204?text", ""),
        ("GET", "/status/205", ""),
        ("GET", "/status/205?text", ""),
        ("GET", "/status/304?text", ""),
        ("HEAD", "/status/205?text", ""),
    ] {
        let old = running.exchange(&format!(
            "{method} {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ));
        let id = peer.side.ask(
            method,
            path,
            None,
            &[],
            Some(BodyLength::Known(body.len() as u64)),
        );
        peer.send(id, body.as_bytes(), true);
        peer.until(|seen| ended(seen, id));
        let name = format!("{method} {path}");
        assert_eq!(status(&peer.seen, id), old.status, "{name}");
        assert_eq!(content(&peer.seen, id), old.body.as_bytes(), "{name}");
        for (field, value) in fields(&peer.seen, id) {
            if field != "date" {
                assert_eq!(*value, old.header(field), "{name}: {field}");
            }
        }
        let expected = old.head.lines().skip(1).count();
        assert_eq!(fields(&peer.seen, id).len(), expected, "{name}: {old:?}");
    }
}

#[test]
fn a_collected_body_over_its_limit_is_413_whether_announced_or_not() {
    let route = Route::post("/short").collect(1000, |request, reply| {
        reply.body(request.content_type(), request.body())
    });
    let running = Running::start(hello().route(route));
    let mut peer = Peer::connect(&running);
    for length in [BodyLength::Known(5000), BodyLength::Unknown] {
        let id = peer.side.ask("POST", "/short", None, &[], Some(length));
        if length == BodyLength::Unknown {
            peer.send(id, &[0; 5000], false);
        }
        peer.until(|seen| ended(seen, id) && reset_of(seen, id) == Some(0));
        assert_eq!(status(&peer.seen, id), 413);
    }
    assert_eq!(peer.fetch("GET", "/hello", b"").0, 200);
}

/// RFC 9113 §8.1: RST_STREAM behind an early answer, immediately, later or never.
#[test]
fn what_follows_an_early_answer_is_dropped_for_a_while() {
    let limits = |wait: Duration| {
        let http2 = Limits::DEFAULT.with_early_reset(wait);
        link::Limits::DEFAULT.with_http2(http2)
    };
    // What ends in time ends without a word, and the window is given back.
    for wait in [Duration::from_secs(600), Duration::MAX] {
        let running = Running::start(hello().protocol_limits(limits(wait)));
        let mut peer = Peer::connect(&running);
        for round in 0..20 {
            let length = Some(BodyLength::Known(40_000));
            let id = peer.side.ask("POST", "/nowhere", None, &[], length);
            peer.until(|seen| ended(seen, id));
            assert_eq!(status(&peer.seen, id), 404);
            peer.send(id, &[7; 40_000], true);
            assert_eq!(peer.fetch("GET", "/hello", b"").0, 200, "{round}");
            assert_eq!(reset_of(&peer.seen, id), None, "{round}");
        }
    }
    // What does not is reset.
    for wait in [Duration::ZERO, Duration::from_millis(1)] {
        let running = Running::start(hello().protocol_limits(limits(wait)));
        let mut peer = Peer::connect(&running);
        let length = Some(BodyLength::Known(40_000));
        let id = peer.side.ask("POST", "/nowhere", None, &[], length);
        peer.until(|seen| ended(seen, id) && reset_of(seen, id) == Some(0));
        assert_eq!(peer.fetch("GET", "/hello", b"").0, 200);
    }
}

#[test]
fn a_panic_is_a_500_of_its_stream() {
    let app = hello();
    let metrics = app.metrics();
    let running = Running::start(app);
    let mut peer = Peer::connect(&running);
    assert_eq!(peer.fetch("GET", "/panic", b"").0, 500);
    assert_eq!(peer.fetch("GET", "/hello", b""), (200, b"hello".to_vec()));
    assert_eq!(metrics.snapshot().failed(), 1);
}

/// Counts up as fast as the client takes it.
struct Numbers(u64, u64);

impl Streaming for Numbers {
    fn chunk(&mut self, stream: &mut Stream<'_, '_>, data: &mut [u8]) {
        let _ = stream.write(data);
    }

    fn end(&mut self, stream: &mut Stream<'_, '_>, trailers: Fields<'_>) {
        if self.1 == 0 {
            stream.finish_with(trailers);
        }
    }

    fn writable(&mut self, stream: &mut Stream<'_, '_>) {
        while self.0 < self.1 {
            let piece: Vec<u8> = (self.0..self.1.min(self.0 + 10_000))
                .map(|n| n as u8)
                .collect();
            self.0 += piece.len() as u64;
            if stream.write(&piece) != Flow::Go {
                return;
            }
        }
        stream.finish();
    }
}

#[test]
fn bodies_are_streamed_within_their_windows_both_ways() {
    let app = App::new()
        .get("/numbers", |_request, reply| {
            reply.length(1 << 20).stream(Numbers(0, 1 << 20))
        })
        .route(Route::any("/echo").stream(|_request, reply| reply.stream(Numbers(0, 0))));
    let metrics = app.metrics();
    let running = Running::start(app);
    let mut peer = Peer::connect(&running);
    let (one, two) = (peer.get("/numbers"), peer.get("/numbers"));
    peer.until(|seen| ended(seen, one) && ended(seen, two));
    let expected: Vec<u8> = (0..1_u64 << 20).map(|n| n as u8).collect();
    assert!(content(&peer.seen, one) == expected && content(&peer.seen, two) == expected);

    let echo = peer
        .side
        .ask("POST", "/echo", None, &[], Some(BodyLength::Unknown));
    peer.send(echo, b"first", false);
    peer.until(|seen| content(seen, echo) == b"first");
    peer.side.write(echo, b" last", true);
    peer.until(|seen| ended(seen, echo));
    assert_eq!(content(&peer.seen, echo), b"first last");
    wait_until("the sessions have ended", || {
        metrics.snapshot().sessions_active(Kind::Exchange) == 0
    });
}

#[test]
fn a_streamed_reply_without_content_ends_with_its_head() {
    let running = Running::start(App::new().get("/{code}", |request, reply| {
        let code = request.param("code").parse().unwrap();
        let reply = reply.status(Status::new(code).unwrap());
        match request.query() {
            Some(length) => reply.length(length.parse().unwrap()),
            None => reply,
        }
        .stream(Numbers(0, 3))
    }));
    let mut peer = Peer::connect(&running);
    for (method, path) in [
        ("HEAD", "/200"),
        ("HEAD", "/200?3"),
        ("HEAD", "/200?0"),
        ("GET", "/304"),
        ("GET", "/304?3"),
        ("GET", "/204"),
        ("GET", "/205"),
        ("HEAD", "/204"),
    ] {
        let id = peer.side.ask(method, path, None, &[], None);
        peer.until(|seen| ended(seen, id));
        // What was to come behind it has come before the next answer.
        assert_eq!(peer.fetch("GET", "/200", b"").0, 200);
        let of_stream = peer.seen.iter().filter(|event| match event {
            Seen::Response { stream, end, .. } => *stream == id && *end,
            Seen::Data(stream, _) | Seen::End(stream, _) | Seen::Reset(stream, ..) => *stream == id,
            _ => false,
        });
        assert_eq!(of_stream.count(), 1, "{method} {path}: {:?}", peer.seen);
    }
}

#[test]
fn deferred_replies_come_in_any_order() {
    let (give, deferred) = channel();
    let give: Sender<(String, barewire::app::Deferred)> = give;
    let running = Running::start(App::new().get("/later/{n}", move |request, reply| {
        let name = request.param("n").to_owned();
        reply.defer(|deferred| give.send((name, deferred)).unwrap())
    }));
    let mut peer = Peer::connect(&running);
    let ids: Vec<u32> = (0..4).map(|n| peer.get(&format!("/later/{n}"))).collect();
    peer.flush();
    let mut waiting: Vec<_> = deferred.iter().take(4).collect();
    // One is not wanted any more, one is dropped.
    peer.side.out.extend(number(RST_STREAM, ids[1], 8));
    peer.flush();
    let (_, dropped) = waiting.remove(2);
    drop(dropped);
    wait_until("nobody wants it", || !waiting[1].1.is_wanted());
    for (name, deferred) in waiting.into_iter().rev() {
        assert_eq!(deferred.send(Response::text(name.clone())), name != "1");
    }
    peer.until(|seen| [0, 2, 3].iter().all(|&n: &usize| ended(seen, ids[n])));
    assert_eq!(content(&peer.seen, ids[0]), b"0");
    assert_eq!(status(&peer.seen, ids[2]), 500);
    assert_eq!(content(&peer.seen, ids[3]), b"3");
}

/// An event stream that says hello and listens to a room.
struct Listener(Sender<EndReason>);

impl Events for Listener {
    fn open(&mut self, stream: &mut EventStream<'_, '_>) {
        stream.send(&Event::new("hello"));
        stream.join("room").unwrap();
    }

    fn closed(&mut self, _stream: &mut EventStream<'_, '_>, why: EndReason) {
        self.0.send(why).unwrap();
    }
}

/// Echoes, and says in the room what begins with `all`.
struct Talker;

impl WebSocket for Talker {
    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        match message.as_text() {
            Some(text) if text.starts_with("all") => {
                socket.publish("room", text);
            }
            _ => drop(socket.send(message)),
        }
    }
}

fn websocket(peer: &mut Peer, path: &str, fields: &[(&str, &str)]) -> u32 {
    let length = Some(BodyLength::Unknown);
    peer.side
        .ask("CONNECT", path, Some("websocket"), fields, length)
}

fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first, 0x80 | payload.len() as u8, 0, 0, 0, 0];
    bytes.extend(payload);
    bytes
}

#[test]
fn event_streams_and_websockets_share_a_connection() {
    let (give, gone) = channel();
    let app = App::new()
        .events("/events", move |_request| Ok(Listener(give.clone())))
        .websocket("/ws", |_request| Ok(Talker));
    let (metrics, hub) = (app.metrics(), app.hub());
    let running = Running::start(app);
    let mut peer = Peer::connect(&running);
    let events = peer.get("/events");
    let version = ("sec-websocket-version", "13");
    let socket = websocket(&mut peer, "/ws", &[version]);
    peer.until(|seen| content(seen, events) == b"data: hello\n\n");
    peer.send(socket, &masked(0x81, b"me"), false);
    peer.until(|seen| content(seen, socket) == b"\x81\x02me");
    assert_eq!(status(&peer.seen, socket), 200);
    peer.send(socket, &masked(0x81, b"all of you"), false);
    peer.until(|seen| content(seen, events).ends_with(b"data: all of you\n\n"));
    assert_eq!(hub.session_count(), 2);

    peer.side.out.extend(number(RST_STREAM, events, 8));
    peer.send(socket, &masked(0x88, &[3, 232]), false);
    peer.until(|seen| ended(seen, socket));
    let why = gone.recv_timeout(Duration::from_secs(5)).unwrap();
    assert_eq!(why, EndReason::StreamReset { code: 8 });
    wait_until("both have left", || hub.session_count() == 0);
    let active =
        [Kind::WebSocket, Kind::Exchange].map(|kind| metrics.snapshot().sessions_active(kind));
    assert_eq!(active, [0, 0]);
}

#[test]
fn a_websocket_on_a_stream_has_the_limits_of_its_route() {
    let limits = SocketLimits::DEFAULT.with_message(3);
    let small = WebSocketRoute::new(|_request| Ok(Talker)).limits(limits);
    let pings = limits
        .with_ping_interval(Duration::from_secs(1))
        .with_pong_timeout(PATIENCE);
    let pinged = WebSocketRoute::new(|_request| Ok(Talker)).limits(pings);
    let app = App::new()
        .websocket("/ws", |_request| Ok(Talker))
        .websocket_route("/small", small)
        .websocket_route("/pinged", pinged);
    let running = Running::start(app);
    let mut peer = Peer::connect(&running);
    let version = ("sec-websocket-version", "13");
    let ids = ["/small", "/ws", "/pinged"].map(|path| websocket(&mut peer, path, &[version]));
    let [small, other, pinged] = ids;
    peer.until(|seen| content(seen, pinged).starts_with(b"\x89\x00"));
    for id in ids {
        peer.send(id, &masked(0x81, b"you"), false);
        peer.until(|seen| content(seen, id).ends_with(b"\x81\x03you"));
        peer.send(id, &masked(0x81, b"more"), false);
    }
    peer.until(|seen| content(seen, other).ends_with(b"\x81\x04more"));
    for id in [small, pinged] {
        peer.until(|seen| ended(seen, id));
        let said = content(&peer.seen, id);
        assert!(
            said.windows(4)
                .any(|it| it[0] == 0x88 && it[2..] == [3, 241]),
            "1009"
        );
    }
}

#[test]
fn a_request_that_cannot_be_a_websocket_is_refused() {
    let app = hello().websocket("/ws", |_request| Ok(Talker));
    let running = Running::start(app);
    let mut peer = Peer::connect(&running);
    let plain = peer.get("/ws");
    let old = websocket(&mut peer, "/ws", &[("sec-websocket-version", "8")]);
    let version = ("sec-websocket-version", "13");
    let elsewhere = websocket(&mut peer, "/hello", &[version]);
    let nowhere = websocket(&mut peer, "/nowhere", &[version]);
    let length = Some(BodyLength::Unknown);
    let other = peer.side.ask("CONNECT", "/ws", Some("chat"), &[], length);
    let ids = [plain, old, elsewhere, nowhere, other];
    peer.until(|seen| ids.iter().all(|&id| ended(seen, id)));
    assert_eq!(
        ids.map(|id| status(&peer.seen, id)),
        [405, 400, 405, 404, 501]
    );
    assert!(fields(&peer.seen, plain).contains(&("allow".into(), "CONNECT".into())));
    let version = ("sec-websocket-version".into(), "13".into());
    assert!(fields(&peer.seen, old).contains(&version));
}

#[test]
fn middleware_sees_every_stream() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let log = lines.clone();
    let log = AccessLog::to(move |line| log.lock().unwrap().push(line.to_string()));
    let app = hello().with(log).with(Cors::permissive());
    let metrics = app.metrics();
    let running = Running::start(app);
    let mut peer = Peer::connect(&running);
    let origin = [("origin", "https://there.example")];
    let ids = ["/hello", "/nowhere"].map(|path| peer.side.ask("GET", path, None, &origin, None));
    peer.until(|seen| ids.iter().all(|&id| ended(seen, id)));
    for id in ids {
        let allowed = |(name, _): &(String, String)| name == "access-control-allow-origin";
        assert!(fields(&peer.seen, id).iter().any(allowed));
    }
    wait_until("both have their lines", || lines.lock().unwrap().len() == 2);
    let snapshot = metrics.snapshot();
    assert_eq!((snapshot.successful(), snapshot.total()), (1, 2));
}

#[test]
fn a_service_is_called_on_a_stream() {
    let reverse =
        |request: Vec<u8>, _call: &mut Call<'_>| Ok(request.into_iter().rev().collect::<Vec<u8>>());
    let service = Service::new("a.Service").unary("Reverse", reverse);
    let running = Running::start(App::new().grpc(service));
    let mut peer = Peer::connect(&running);
    let fields = [("content-type", "application/grpc"), ("te", "trailers")];
    let length = Some(BodyLength::Unknown);
    let id = peer
        .side
        .ask("POST", "/a.Service/Reverse", None, &fields, length);
    peer.send(id, b"\0\0\0\0\x03abc", true);
    peer.until(|seen| ended(seen, id));
    assert_eq!(content(&peer.seen, id), b"\0\0\0\0\x03cba");
    let trailers = peer.seen.iter().find_map(|event| match event {
        Seen::End(stream, trailers) if *stream == id => Some(trailers),
        _ => None,
    });
    let ok = ("grpc-status".to_owned(), "0".to_owned());
    assert!(trailers.unwrap().contains(&ok), "{:?}", peer.seen);
}

#[test]
fn a_server_that_is_shut_down_finishes_its_streams() {
    let (give, deferred) = channel();
    let running = Running::start(App::new().get("/later", move |_request, reply| {
        reply.defer(|deferred| give.send(deferred).unwrap())
    }));
    let mut peer = Peer::connect(&running);
    let id = peer.get("/later");
    peer.flush();
    let deferred: barewire::app::Deferred = deferred.recv().unwrap();
    running.server().handle().shutdown(Duration::from_secs(5));
    let goaways = |seen: &[Seen]| {
        seen.iter()
            .filter(|it| matches!(it, Seen::GoAway(..)))
            .count()
    };
    peer.until(|seen| goaways(seen) == 2);
    assert!(deferred.send(Response::new(Status::NO_CONTENT)));
    peer.until(|seen| ended(seen, id));
    assert_eq!(status(&peer.seen, id), 204);
}
