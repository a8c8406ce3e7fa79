//! WebSocket sessions and rooms over real sockets.

#![cfg(feature = "net")]

use core::any::Any;
use core::time::Duration;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, Sender, channel};

use crate::app_support::{PATIENCE, Running, read_until, wait_until};
use barewire::app::{
    App, Handle, Hub, Message, Metrics, Socket, SocketEnd, WebSocket, WebSocketRoute,
};
use barewire::net::Flow;
use barewire::websocket::{self, CloseCode, Kind};
use tungstenite::client::IntoClientRequest;
use tungstenite::{Error, Message as Frame, WebSocket as Client};

type Connected = (Client<TcpStream>, tungstenite::handshake::client::Response);

fn connect(running: &Running, path: &str) -> Client<TcpStream> {
    connect_with(running, path, &[]).0
}

fn connect_with(running: &Running, path: &str, fields: &[(&'static str, &str)]) -> Connected {
    let mut request = format!("ws://a{path}").into_client_request().unwrap();
    for (name, value) in fields {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    tungstenite::client(request, running.connect()).unwrap()
}

/// The head of the answer to a plain request.
fn head(running: &Running, request: &str) -> String {
    let mut stream = running.connect();
    stream.write_all(request.as_bytes()).unwrap();
    read_until(&mut stream, "\r\n\r\n")
}

fn text(client: &mut Client<TcpStream>) -> String {
    loop {
        match client.read().unwrap() {
            Frame::Text(text) => return text.to_string(),
            Frame::Ping(_) | Frame::Pong(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

fn say(client: &mut Client<TcpStream>, text: &str) {
    client.send(Frame::text(text)).unwrap();
}

struct Echo;

impl WebSocket for Echo {
    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        socket.send(message);
    }
}

#[test]
fn an_echo_sends_text_and_binary_of_every_size_back() {
    let running = Running::start(App::new().websocket("/ws", |_| Ok(Echo)));
    let mut client = connect(&running, "/ws");
    for size in [0, 1, 125, 126, 65_535, 65_536, 1_000_000] {
        let sent = "x".repeat(size);
        say(&mut client, &sent);
        assert_eq!(text(&mut client), sent);
        client.send(Frame::binary(vec![7; size])).unwrap();
        assert_eq!(client.read().unwrap(), Frame::binary(vec![7; size]));
    }
    client.close(None).unwrap();
    assert!(matches!(client.read(), Ok(Frame::Close(_))));
    assert!(matches!(client.read(), Err(Error::ConnectionClosed)));
}

#[test]
fn a_request_that_is_no_handshake_is_told_what_it_lacks() {
    let route = WebSocketRoute::new(|_| Ok(Echo)).origins(["https://example.com"]);
    let running = Running::start(App::new().websocket_route("/ws", route));
    let answer = head(&running, "GET /ws HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 426 "), "{answer}");
    let lower = answer.to_ascii_lowercase();
    assert!(lower.contains("upgrade: websocket"), "{answer}");
    assert!(lower.contains("sec-websocket-version: 13"), "{answer}");

    let upgrade = "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let version = "Sec-WebSocket-Version: 13\r\n";
    let answer = head(
        &running,
        &format!("{upgrade}{key}Sec-WebSocket-Version: 8\r\n\r\n"),
    );
    assert!(answer.starts_with("HTTP/1.1 426 "), "{answer}");
    let answer = head(
        &running,
        &format!("{upgrade}Sec-WebSocket-Key: x\r\n{version}\r\n"),
    );
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    let answer = head(
        &running,
        &format!("{upgrade}{key}{version}Origin: https://evil.example\r\n\r\n"),
    );
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    let answer = head(
        &running,
        &format!("{upgrade}{key}{version}Origin: https://example.com\r\n\r\n"),
    );
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    assert!(answer.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{answer}");
    let answer = head(
        &running,
        "POST /ws HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
    );
    assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
}

struct Polyglot;

impl WebSocket for Polyglot {
    fn open(&mut self, socket: &mut Socket<'_, '_>) {
        let protocol = socket.protocol().unwrap_or("none").to_string();
        socket.send(&protocol);
    }

    fn message(&mut self, _socket: &mut Socket<'_, '_>, _message: Message<'_>) {}
}

#[test]
fn a_route_may_have_limits_of_its_own() {
    let limits = websocket::Limits::DEFAULT.with_message(10);
    let pings = websocket::Limits::DEFAULT
        .with_ping_interval(Duration::from_secs(1))
        .with_pong_timeout(PATIENCE);
    let app = App::new()
        .websocket("/ws", |_| Ok(Echo))
        .websocket_route("/small", WebSocketRoute::new(|_| Ok(Echo)).limits(limits))
        .websocket_route("/pinged", WebSocketRoute::new(|_| Ok(Echo)).limits(pings));
    let running = Running::start(app);
    let (ten, eleven) = ("x".repeat(10), "x".repeat(11));
    for path in ["/ws", "/small", "/pinged"] {
        let mut client = connect(&running, path);
        say(&mut client, &ten);
        assert_eq!(text(&mut client), ten);
        say(&mut client, &eleven);
        if path != "/small" {
            assert_eq!(text(&mut client), eleven);
            continue;
        }
        let Ok(Frame::Close(Some(close))) = client.read() else {
            panic!("it was taken");
        };
        assert_eq!(u16::from(close.code), 1009);
    }
    let mut client = connect(&running, "/pinged");
    assert!(matches!(client.read(), Ok(Frame::Ping(_))));
}

#[test]
fn a_session_begins_behind_the_content_of_its_request() {
    let running = Running::start(App::new().websocket("/ws", |_| Ok(Echo)));
    let upgrade = "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
    let hello = [&[0x81, 0x85, 0, 0, 0, 0][..], b"hello"].concat();
    let long = "x".repeat(17 << 10);
    for (content, status) in [
        ("Content-Length: 0\r\n\r\n".to_owned(), 101),
        ("Content-Length: 3\r\n\r\nabc".to_owned(), 101),
        (
            "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n".to_owned(),
            101,
        ),
        (format!("Content-Length: {}\r\n\r\n{long}", long.len()), 413),
    ] {
        let mut stream = running.connect();
        let bytes = [upgrade.as_bytes(), content.as_bytes(), &hello].concat();
        stream.write_all(&bytes).unwrap();
        let head = read_until(&mut stream, "\r\n\r\n");
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
        if status == 101 {
            let mut echo = [0; 7];
            stream.read_exact(&mut echo).unwrap();
            assert_eq!(&echo, b"\x81\x05hello");
        }
    }
}

#[test]
fn the_favourite_among_the_offered_subprotocols_is_chosen() {
    let route = WebSocketRoute::new(|_| Ok(Polyglot)).protocols(["v2", "v1"]);
    let running = Running::start(App::new().websocket_route("/ws", route));
    let offer = [("sec-websocket-protocol", "v0, v1, v2")];
    let (mut client, response) = connect_with(&running, "/ws", &offer);
    assert_eq!(response.headers()["sec-websocket-protocol"], "v2");
    assert_eq!(text(&mut client), "v2");
    let mut client = connect(&running, "/ws");
    assert_eq!(text(&mut client), "none");
}

/// Does what it is told in words.
struct Obedient {
    told: Sender<String>,
    handles: Sender<Handle>,
}

impl WebSocket for Obedient {
    fn open(&mut self, socket: &mut Socket<'_, '_>) {
        let _ = self.handles.send(socket.handle());
    }

    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        let text = message.as_text().unwrap();
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        let answer = match word {
            "join" => format!("{:?}", socket.join(rest).map(|joined| joined.is_new())),
            "leave" => socket.leave(rest).to_string(),
            "all" => {
                let (room, what) = rest.split_once(' ').unwrap();
                format!("to {}", socket.publish(room, what).members())
            }
            "others" => {
                let (room, what) = rest.split_once(' ').unwrap();
                format!("to {}", socket.publish_to_others(room, what).members())
            }
            "sizes" => {
                let mut sizes = socket.channel_sizes(None, 100);
                sizes.sort();
                format!("{sizes:?} {}", socket.client_count())
            }
            "after" => return socket.after(Duration::from_millis(rest.parse().unwrap()), 7),
            "ping" => return socket.ping(b"are you there").unwrap(),
            "close" => return socket.close(CloseCode::new(4001), rest).unwrap(),
            "panic" => panic!("as told"),
            other => other.to_string(),
        };
        socket.send(&answer);
    }

    fn timer(&mut self, socket: &mut Socket<'_, '_>, token: u32) {
        socket.send(&format!("timer {token}"));
    }

    fn pong(&mut self, socket: &mut Socket<'_, '_>, payload: &[u8]) {
        socket.send(payload);
    }

    fn mail(&mut self, socket: &mut Socket<'_, '_>, mail: Box<dyn Any + Send>) {
        let mail = mail.downcast::<u64>().unwrap();
        socket.send(&format!("mail {mail}"));
    }

    fn closed(&mut self, socket: &mut Socket<'_, '_>, closed: SocketEnd<'_>) {
        for room in socket.channels() {
            socket.publish_to_others(&room, &format!("{} left", socket.id()));
        }
        let _ = self.told.send(format!(
            "{} {:?} {:?}",
            closed.code, closed.reason, closed.end_reason
        ));
    }
}

struct Scene {
    running: Running,
    hub: Hub,
    metrics: Metrics,
    told: Receiver<String>,
    handles: Receiver<Handle>,
}

fn scene(threads: usize) -> Scene {
    let (tell, told) = channel();
    let (give, handles) = channel();
    let app = App::new().threads(threads);
    let (hub, metrics) = (app.hub(), app.metrics());
    let app = app.websocket("/ws", move |_| {
        Ok(Obedient {
            told: tell.clone(),
            handles: give.clone(),
        })
    });
    Scene {
        running: Running::start(app),
        hub,
        metrics,
        told,
        handles,
    }
}

#[test]
fn a_timer_of_a_session_goes_off_once() {
    let scene = scene(1);
    let mut client = connect(&scene.running, "/ws");
    say(&mut client, "after 50");
    assert_eq!(text(&mut client), "timer 7");
    say(&mut client, "hello");
    assert_eq!(text(&mut client), "hello");
}

#[test]
fn a_pong_reaches_the_session() {
    let scene = scene(1);
    let mut client = connect(&scene.running, "/ws");
    say(&mut client, "ping");
    loop {
        match client.read().unwrap() {
            Frame::Ping(payload) => assert_eq!(payload, b"are you there"[..]),
            Frame::Binary(payload) => {
                assert_eq!(payload, b"are you there"[..]);
                break;
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_session_hears_how_it_was_closed() {
    let scene = scene(1);
    let told = || scene.told.recv_timeout(PATIENCE).unwrap();

    let mut client = connect(&scene.running, "/ws");
    let frame = tungstenite::protocol::CloseFrame {
        code: 4000.into(),
        reason: "enough".into(),
    };
    client.close(Some(frame)).unwrap();
    assert_eq!(told(), "4000 \"enough\" Finished");

    let mut client = connect(&scene.running, "/ws");
    client.close(None).unwrap();
    assert_eq!(told(), "1005 \"\" Finished");

    let mut client = connect(&scene.running, "/ws");
    say(&mut client, "close now");
    let Ok(Frame::Close(Some(frame))) = client.read() else {
        panic!()
    };
    assert_eq!(
        (u16::from(frame.code), frame.reason.as_str()),
        (4001, "now")
    );
    assert!(matches!(client.read(), Err(Error::ConnectionClosed)));
    assert_eq!(told(), "4001 \"now\" Finished");

    drop(connect(&scene.running, "/ws"));
    let told = told();
    assert!(told.starts_with("1006 \"\" "), "{told}");
    wait_until("all are gone", || scene.hub.session_count() == 0);
}

#[test]
fn a_panic_closes_its_session_with_1011_and_frees_its_place() {
    let scene = scene(1);
    let mut other = connect(&scene.running, "/ws");
    let mut client = connect(&scene.running, "/ws");
    for member in [&mut other, &mut client] {
        say(member, "join room");
        assert_eq!(text(member), "Ok(true)");
    }
    say(&mut client, "panic");
    let Ok(Frame::Close(Some(frame))) = client.read() else {
        panic!()
    };
    assert_eq!(u16::from(frame.code), 1011);
    wait_until("the place is free", || scene.hub.member_count("room") == 1);
    wait_until("it is forgotten", || scene.hub.session_count() == 1);
    say(&mut other, "others room hello");
    assert_eq!(text(&mut other), "to 0");
}

#[test]
fn a_handle_reaches_its_session_from_another_thread() {
    let scene = scene(1);
    let mut client = connect(&scene.running, "/ws");
    let handle = scene.handles.recv_timeout(PATIENCE).unwrap();
    handle.send("from afar").unwrap();
    handle.mail(5_u64).unwrap();
    assert_eq!(text(&mut client), "from afar");
    assert_eq!(text(&mut client), "mail 5");
    scene
        .hub
        .session(handle.id())
        .unwrap()
        .close(CloseCode::NORMAL, "bye")
        .unwrap();
    let Ok(Frame::Close(Some(frame))) = client.read() else {
        panic!()
    };
    assert_eq!(frame.reason.as_str(), "bye");
    drop(client);
    wait_until("the session is gone", || {
        scene.hub.session(handle.id()).is_none()
    });
    let _ = handle.send("too late");
}

#[test]
fn rooms_reach_their_members_on_every_loop_in_order() {
    let scene = scene(3);
    let mut clients: Vec<_> = (0..12).map(|_| connect(&scene.running, "/ws")).collect();
    for client in &mut clients {
        say(client, "join room");
        assert_eq!(text(client), "Ok(true)");
        say(client, "join room");
        assert_eq!(text(client), "Ok(false)");
    }
    assert_eq!(scene.hub.member_count("room"), 12);
    let (publisher, others) = clients.split_first_mut().unwrap();
    say(publisher, "sizes");
    assert_eq!(text(publisher), "[(\"room\", 12)] 12");

    for n in 0..200 {
        say(publisher, &format!("others room {n}"));
        assert_eq!(text(publisher), "to 11");
    }
    for client in &mut *others {
        for n in 0..200 {
            assert_eq!(text(client), n.to_string());
        }
    }
    say(publisher, "all room last");
    assert_eq!(text(publisher), "last");
    assert_eq!(text(publisher), "to 12");
    for client in &mut *others {
        assert_eq!(text(client), "last");
    }

    assert_eq!(scene.hub.publish("room", "from outside").members(), 12);
    for client in &mut clients {
        assert_eq!(text(client), "from outside");
    }
    assert_eq!(scene.hub.publish("nobody", "x").members(), 0);

    let (first, rest) = clients.split_first_mut().unwrap();
    say(first, "leave room");
    assert_eq!(text(first), "true");
    say(first, "all room without me");
    assert_eq!(text(first), "to 11");
    assert_eq!(text(&mut rest[0]), "without me");
    drop(clients);
    wait_until("an empty room is freed", || scene.hub.channel_count() == 0);
    wait_until("all are gone", || scene.hub.session_count() == 0);
}

#[test]
fn a_member_that_just_dies_is_missed_by_the_others() {
    let scene = scene(2);
    let mut staying = connect(&scene.running, "/ws");
    let mut dying = connect(&scene.running, "/ws");
    for client in [&mut staying, &mut dying] {
        say(client, "join room");
        assert_eq!(text(client), "Ok(true)");
    }
    drop(dying.get_ref().shutdown(std::net::Shutdown::Both));
    drop(dying);
    assert!(text(&mut staying).ends_with(" left"));
    wait_until("the room is smaller", || {
        scene.hub.member_count("room") == 1
    });
}

struct Parts(Vec<(usize, bool)>);

impl WebSocket for Parts {
    fn message(&mut self, _socket: &mut Socket<'_, '_>, _message: Message<'_>) {
        panic!("a streaming route gets chunks");
    }

    fn chunk(&mut self, socket: &mut Socket<'_, '_>, kind: Kind, part: &mut [u8], last: bool) {
        assert_eq!(kind, Kind::Binary);
        self.0.push((part.len(), last));
        if last {
            let total: usize = self.0.drain(..).map(|(len, _)| len).sum();
            socket.send(&total.to_string());
        }
    }
}

#[test]
fn a_streaming_route_gets_messages_in_parts() {
    let route = WebSocketRoute::new(|_| Ok(Parts(Vec::new()))).streaming();
    let app = App::new().websocket_route("/ws", route);
    let hub = app.hub();
    let running = Running::start(app);
    let mut client = connect(&running, "/ws");
    for size in [10, 500_000] {
        client.send(Frame::binary(vec![1; size])).unwrap();
        assert_eq!(text(&mut client), size.to_string());
    }
    let sessions = hub.sessions();
    assert_eq!(sessions.len(), 1);
    assert_eq!(sessions[0].messages_received, 2);
    assert_eq!(sessions[0].bytes_received, 500_010);
    assert_eq!(sessions[0].messages_sent, 2);
}

#[test]
fn a_drained_server_closes_its_sessions_with_1001() {
    let scene = scene(1);
    let mut client = connect(&scene.running, "/ws");
    say(&mut client, "hello");
    assert_eq!(text(&mut client), "hello");
    scene.running.server().handle().shutdown(PATIENCE);
    let Ok(Frame::Close(Some(frame))) = client.read() else {
        panic!()
    };
    assert_eq!(u16::from(frame.code), 1001);
    assert!(matches!(client.read(), Err(Error::ConnectionClosed)));
}

#[test]
fn a_member_that_does_not_read_is_closed_and_nobody_else_notices() {
    let scene = scene(2);
    let mut publisher = connect(&scene.running, "/ws");
    let mut reader = connect(&scene.running, "/ws");
    let mut deaf = connect(&scene.running, "/ws");
    for client in [&mut publisher, &mut reader, &mut deaf] {
        say(client, "join room");
        assert_eq!(text(client), "Ok(true)");
    }
    let news = "n".repeat(64 * 1024);
    let mut published = 0;
    // The kernel takes some megabytes for the deaf one, the backlog one more.
    while scene.metrics.snapshot().slow_members_closed == 0 {
        assert!(published < 1000, "the deaf one is still there");
        say(&mut publisher, &format!("others room {news}"));
        let said = text(&mut publisher);
        assert!(said.starts_with("to "), "{said}");
        assert_eq!(text(&mut reader).len(), news.len());
        published += 1;
    }
    assert!(published > 16, "no backlog at all");
    say(&mut reader, "still-here");
    assert_eq!(text(&mut reader), "still-here");
    // What it was given, and then why there is no more.
    let (mut heard, mut code) = (0, None);
    while code.is_none() {
        match deaf.read().unwrap() {
            Frame::Text(text) => {
                assert_eq!(text.len(), news.len());
                heard += 1;
            }
            Frame::Close(frame) => code = frame.map(|it| u16::from(it.code)),
            _ => {}
        }
    }
    assert_eq!(code, Some(1013));
    assert!(heard <= published, "{heard} {published}");
    while deaf.read().is_ok() {}
    let farewell = text(&mut reader);
    assert!(farewell.ends_with(" left"), "{farewell}");
    let told = scene.told.recv_timeout(PATIENCE).unwrap();
    assert_eq!(told, "1013 \"too slow\" Finished");
}

/// Sends numbers as fast as it may.
struct Counter {
    next: u64,
    last: u64,
}

impl Counter {
    fn go_on(&mut self, socket: &mut Socket<'_, '_>) {
        while self.next < self.last {
            let line = format!("{:01000}", self.next);
            self.next += 1;
            match socket.send(&line) {
                Flow::Go => {}
                Flow::Wait => return,
                Flow::Over(misuse) => panic!("{misuse}"),
            }
        }
    }
}

impl WebSocket for Counter {
    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        self.last += message.as_text().unwrap().parse::<u64>().unwrap();
        self.go_on(socket);
    }

    fn writable(&mut self, socket: &mut Socket<'_, '_>) {
        self.go_on(socket);
    }
}

#[test]
fn a_session_that_heeds_wait_sends_without_bounds_to_a_slow_peer() {
    let app = App::new().websocket("/ws", |_| Ok(Counter { next: 0, last: 0 }));
    let running = Running::start(app);
    let mut client = connect(&running, "/ws");
    say(&mut client, "20000"); // 20 MB, beyond every buffer
    std::thread::sleep(Duration::from_millis(100));
    for n in 0..20_000 {
        assert_eq!(text(&mut client).parse(), Ok(n));
    }
    say(&mut client, "1");
    assert_eq!(text(&mut client).parse(), Ok(20_000));
}

/// Messages of a client as they stand one behind the other in one write, under a key of
/// zeros.
fn frames(texts: &[&[u8]]) -> Vec<u8> {
    let frame = |text: &&[u8]| [&[0x81, 0x80 | text.len() as u8, 0, 0, 0, 0], *text].concat();
    texts.iter().flat_map(frame).collect()
}

/// Echoes, and does what some messages say.
struct Steered {
    seen: Sender<String>,
}

impl WebSocket for Steered {
    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        let text = message.as_text().unwrap();
        self.seen.send(text.to_owned()).unwrap();
        match text {
            "rest" => {
                socket.set_reading(false);
                socket.after(Duration::from_millis(50), 0);
            }
            "close" => socket.close(CloseCode::NORMAL, "asked to").unwrap(),
            "abort" => socket.abort(),
            "panic" => panic!("asked to"),
            _ => drop(socket.send(message)),
        }
    }

    fn timer(&mut self, socket: &mut Socket<'_, '_>, _token: u32) {
        self.seen.send("rested".to_owned()).unwrap();
        socket.set_reading(true);
    }
}

/// What such a session has seen of messages that were received together, and what it
/// has answered.
fn obeyed(texts: &[&[u8]], behind: &[u8]) -> (Vec<String>, Vec<Frame>) {
    let (seen, all) = channel();
    let running = Running::start(App::new().websocket("/ws", move |_| {
        let seen = seen.clone();
        Ok(Steered { seen })
    }));
    let mut client = connect(&running, "/ws");
    let input = [&frames(texts)[..], behind].concat();
    client.get_mut().write_all(&input).unwrap();
    let mut answers = Vec::new();
    while let Ok(frame) = client.read() {
        answers.push(frame);
    }
    drop(running);
    (all.try_iter().collect(), answers)
}

fn close_frame(code: u16, reason: &str) -> Frame {
    Frame::Close(Some(tungstenite::protocol::CloseFrame {
        code: code.into(),
        reason: reason.to_owned().into(),
    }))
}

#[test]
fn messages_received_together_come_one_by_one_up_to_a_fault() {
    let texts: Vec<String> = (0..40).map(|n| n.to_string()).collect();
    let mut sent: Vec<&[u8]> = texts.iter().map(|text| text.as_bytes()).collect();
    let ping = [0x89, 0x80, 0, 0, 0, 0];
    let last = [&ping[..], &frames(&[b"41", b"\xff", b"43"])].concat();
    let (seen, answers) = obeyed(&sent, &last);
    sent.push(b"41");
    assert!(seen.iter().map(String::as_bytes).eq(sent));
    let echoed = texts.iter().map(Frame::text);
    assert!(echoed.clone().eq(answers[..40].iter().cloned()));
    assert_eq!(
        answers[40..42],
        [Frame::Pong(vec![].into()), Frame::text("41")]
    );
    assert!(matches!(&answers[42..], [Frame::Close(Some(it))] if u16::from(it.code) == 1007));
}

#[test]
fn what_a_session_does_at_one_message_holds_for_those_received_with_it() {
    let (seen, answers) = obeyed(&[b"1", b"rest", b"2", b"close", b"3"], &[]);
    // What arrives behind our own Close is still shown.
    assert_eq!(seen, ["1", "rest", "rested", "2", "close", "3"]);
    assert_eq!(answers[..2], [Frame::text("1"), Frame::text("2")]);
    assert_eq!(answers[2..], [close_frame(1000, "asked to")]);

    let (seen, answers) = obeyed(&[b"1", b"abort", b"2"], &[]);
    assert_eq!(seen, ["1", "abort"]);
    assert_eq!(answers, [Frame::text("1")]);

    let (seen, answers) = obeyed(&[b"1", b"panic", b"2"], &[]);
    assert_eq!(seen, ["1", "panic"]);
    assert_eq!(answers[0], Frame::text("1"));
    assert!(matches!(&answers[1..], [Frame::Close(Some(it))] if u16::from(it.code) == 1011));
}

#[test]
fn fragments_received_together_are_one_message_without_their_heads() {
    // "in ", "three ", a Ping, "parts", and a message behind them, masked with zeros.
    let mut sent = Vec::new();
    for (first, payload) in [
        (0x01, "in "),
        (0x00, "three "),
        (0x89, ""),
        (0x80, "parts"),
        (0x81, "next"),
    ] {
        sent.extend([first, 0x80 | payload.len() as u8, 0, 0, 0, 0]);
        sent.extend(payload.as_bytes());
    }
    let (seen, answers) = obeyed(&[b"1"], &[&sent[..], &frames(&[b"close"])].concat());
    assert_eq!(seen, ["1", "in three parts", "next", "close"]);
    assert_eq!(answers[2], Frame::text("in three parts"));
}
