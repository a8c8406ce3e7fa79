//! WebSockets on a loop, over real sockets.

use core::time::Duration;
use std::cell::RefCell;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::rc::Rc;
use std::sync::mpsc::channel;
use std::time::Instant;

use barewire::app::{App, Deferred, Response};
use barewire::client::{
    Canceller, CloseFrame, LoopWebSocket, LoopWebSockets, Message, WebSocketError,
    WebSocketListener, WebSocketOptions,
};
use barewire::net::{Address, Flow, Limits, Loop};
use barewire::websocket::CloseCode;

use super::server::{
    EchoServer, PATIENCE, Script, read_frame, read_head, shake_hands, write_frame,
};

/// What is done when something is told.
type Act = Rc<dyn Fn(&LoopWebSocket, &str)>;

/// What a listener was told, and what it does at a message.
#[derive(Clone)]
struct Notes {
    lines: Rc<RefCell<Vec<String>>>,
    act: Act,
}

impl Notes {
    fn new(act: impl Fn(&LoopWebSocket, &str) + 'static) -> Self {
        Self {
            lines: Rc::default(),
            act: Rc::new(act),
        }
    }

    fn note(&self, socket: Option<&LoopWebSocket>, line: String) {
        self.lines.borrow_mut().push(line.clone());
        if let Some(socket) = socket {
            (self.act)(socket, &line);
        }
    }

    fn lines(&self) -> Vec<String> {
        self.lines.borrow().clone()
    }

    fn is_over(&self) -> bool {
        let lines = self.lines.borrow();
        let last = lines.last().map_or("", String::as_str);
        last.starts_with("closed") || last.starts_with("failed")
    }
}

impl WebSocketListener for Notes {
    fn opened(&mut self, socket: &LoopWebSocket, protocol: Option<&str>) {
        assert!(socket.is_open());
        assert_eq!(socket.protocol().as_deref(), protocol);
        self.note(Some(socket), format!("opened {protocol:?}"));
    }

    fn message(&mut self, socket: &LoopWebSocket, message: Message) {
        let line = match message {
            Message::Text(text) => text,
            Message::Binary(bytes) => format!("{} bytes", bytes.len()),
        };
        self.note(Some(socket), line);
    }

    fn pong(&mut self, socket: &LoopWebSocket, payload: &[u8]) {
        self.note(Some(socket), format!("pong {payload:?}"));
    }

    fn writable(&mut self, socket: &LoopWebSocket) {
        self.note(Some(socket), "writable".into());
    }

    fn closed(&mut self, frame: &CloseFrame) {
        self.note(None, format!("closed {} {}", frame.code, frame.reason));
    }

    fn failed(&mut self, error: &WebSocketError) {
        self.note(None, format!("failed {error:?}"));
    }
}

fn options() -> WebSocketOptions {
    WebSocketOptions::new().no_proxy()
}

fn turn_until(events: &mut Loop, what: impl Fn() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !what() {
        assert!(Instant::now() < until, "it takes too long");
        events.turn(Some(Duration::from_millis(50))).unwrap();
    }
}

/// What is told until it is over.
fn told(
    url: &str,
    options: WebSocketOptions,
    act: impl Fn(&LoopWebSocket, &str) + 'static,
) -> Vec<String> {
    let mut events = Loop::new(Limits::DEFAULT).unwrap();
    let sockets = LoopWebSockets::on(&mut events, options);
    let notes = Notes::new(act);
    let socket = sockets.connect(url, notes.clone()).unwrap();
    turn_until(&mut events, || notes.is_over());
    assert!(matches!(socket.send("late"), Err(WebSocketError::Closed)));
    assert!(!socket.is_open());
    notes.lines()
}

#[test]
fn what_is_sent_comes_back_in_order() {
    let server = EchoServer::start();
    let mut events = Loop::new(Limits::DEFAULT).unwrap();
    let sockets = LoopWebSockets::on(&mut events, options());
    let notes = Notes::new(|socket, line| match line {
        "one" => {
            socket.ping(b"p").unwrap();
            socket.send(vec![1, 2, 3]).unwrap();
        }
        "3 bytes" => socket.close().unwrap(),
        _ => {}
    });
    let socket = sockets.connect(&server.url(), notes.clone()).unwrap();
    socket.send("one").unwrap(); // though it is not open yet
    turn_until(&mut events, || notes.is_over());
    let expected = [
        "opened None",
        "one",
        "pong [112]",
        "3 bytes",
        "closed 1000 ",
    ];
    assert_eq!(notes.lines(), expected);
    assert!(matches!(socket.close(), Err(WebSocketError::Closed)));
}

#[test]
fn close_codes_of_both_sides_are_told() {
    let server = EchoServer::start();
    let lines = told(&server.url(), options(), |socket, line| {
        if line.starts_with("opened") {
            socket.send("close me").unwrap();
        }
    });
    assert_eq!(lines, ["opened None", "closed 4001 as you wish"]);
    let lines = told(&server.url(), options(), |socket, line| {
        if line.starts_with("opened") {
            let reserved = socket.close_with(CloseCode::NO_STATUS, "");
            assert!(matches!(reserved, Err(WebSocketError::Usage(_))));
            let long = socket.close_with(CloseCode::NORMAL, &"a".repeat(124));
            assert!(matches!(long, Err(WebSocketError::Usage(_))));
            let long = socket.ping(&[0; 126]);
            assert!(matches!(long, Err(WebSocketError::Usage(_))));
            socket.close_with(CloseCode::new(4002), "mine").unwrap();
        }
    });
    assert_eq!(lines, ["opened None", "closed 4002 "]);
}

#[test]
fn a_refused_handshake_and_a_wrong_one_fail() {
    let script = Script::start(3, |nth, mut stream| {
        let head = read_head(&mut stream);
        match nth {
            0 => stream
                .write_all(b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\nno")
                .unwrap(),
            1 => {
                let wrong = super::server::answer(&head).replace("Accept: ", "Accept: A");
                stream.write_all(wrong.as_bytes()).unwrap();
            }
            _ => {
                let early = b"HTTP/1.1 103 Early Hints\r\n\r\n".repeat(17);
                stream.write_all(&early).unwrap();
            }
        }
        let _ = stream.read(&mut [0; 100]); // until the client has gone
    });
    let lines = told(&script.url(), options(), |_, _| {});
    assert!(
        lines[0].contains("Status(Status(503))") && lines[0].contains("7s"),
        "{lines:?}"
    );
    let lines = told(&script.url(), options(), |_, _| {});
    assert!(lines[0].starts_with("failed Refused"), "{lines:?}");
    let lines = told(&script.url(), options(), |_, _| {});
    assert_eq!(lines, ["failed Informational"]);
    script.join();
}

#[test]
fn a_server_that_is_gone_or_silent_is_told_apart() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", free.local_addr().unwrap());
    let silent = options().connect_time(Duration::from_millis(50));
    assert_eq!(told(&url, silent, |_, _| {}), ["failed TimedOut"]);
    drop(free);
    let lines = told(&url, options(), |_, _| {});
    assert!(lines[0].starts_with("failed Dial"), "{lines:?}");

    let script = Script::start(1, |_, mut stream| {
        shake_hands(&mut stream);
        write_frame(&mut stream, 0x81, b"bye");
    });
    let lines = told(&script.url(), options(), |_, _| {});
    assert_eq!(lines, ["opened None", "bye", "failed Lost(Disconnected)"]);
    script.join();

    let script = Script::start(1, |_, mut stream| {
        shake_hands(&mut stream);
        write_frame(&mut stream, 0x83, b"no such opcode");
        let (first, payload) = read_frame(&mut stream).unwrap();
        assert_eq!((first, &payload[..2]), (0x88, &[0x03, 0xea][..]));
    });
    let lines = told(&script.url(), options(), |_, _| {});
    assert!(lines[1].starts_with("failed Protocol"), "{lines:?}");
    script.join();
}

#[test]
fn what_a_server_does_not_read_is_bounded_and_told() {
    const MOST: usize = 256 << 10;
    let (go, goes) = channel::<()>();
    let script = Script::start(1, move |_, mut stream| {
        shake_hands(&mut stream);
        goes.recv_timeout(PATIENCE).unwrap();
        for _ in 0.. {
            let Some((first, payload)) = read_frame(&mut stream) else {
                break;
            };
            if first == 0x88 {
                assert_eq!(payload, b"\x03\xe8");
                write_frame(&mut stream, 0x88, b"\x03\xe8");
                break;
            }
        }
    });
    let mut events = Loop::new(Limits::DEFAULT).unwrap();
    let sockets = LoopWebSockets::on(&mut events, options().queue(MOST));
    let notes = Notes::new(|_, _| {});
    let socket = sockets.connect(&script.url(), notes.clone()).unwrap();
    turn_until(&mut events, || !notes.lines().is_empty());
    let until = Instant::now() + PATIENCE;
    let (mut sent, mut full, mut waits) = (0, 0, 0);
    while full < 20 {
        assert!(Instant::now() < until);
        match socket.send(vec![0; 16 << 10]) {
            Ok(flow) => {
                sent += 1;
                waits += usize::from(flow == Flow::Wait);
            }
            Err(WebSocketError::Full) => full += 1,
            Err(error) => panic!("{error}"),
        }
        assert!(socket.queued() <= MOST);
        events.turn(Some(Duration::from_millis(1))).unwrap();
    }
    assert!(waits > 0 && sent > 16, "{sent}, {waits}");
    go.send(()).unwrap();
    turn_until(&mut events, || socket.queued() == 0);
    assert_eq!(notes.lines().last().unwrap(), "writable");
    socket.close().unwrap();
    turn_until(&mut events, || notes.is_over());
    assert_eq!(notes.lines().last().unwrap(), "closed 1000 ");
    script.join();
}

#[test]
fn much_goes_both_ways_without_a_standstill() {
    let server = EchoServer::start();
    let mut events = Loop::new(Limits::DEFAULT).unwrap();
    let sockets = LoopWebSockets::on(&mut events, options().queue(64 << 20));
    let notes = Notes::new(|_, _| {});
    let socket = sockets.connect(&server.url(), notes.clone()).unwrap();
    for _ in 0..200 {
        socket.send(vec![7; 100 << 10]).unwrap();
    }
    let echoed = || {
        notes
            .lines()
            .iter()
            .filter(|it| *it == "102400 bytes")
            .count()
    };
    turn_until(&mut events, || echoed() == 200);
    socket.abort();
    turn_until(&mut events, || notes.is_over());
    assert_eq!(notes.lines().last().unwrap(), "failed Closed");
}

#[test]
fn it_speaks_http2_where_the_server_does() {
    let server = EchoServer::start();
    let mut events = Loop::new(Limits::DEFAULT).unwrap();
    let over_http2 = options().http2_prior_knowledge(true);
    let sockets = LoopWebSockets::on(&mut events, over_http2.queue(64 << 20));
    let notes = Notes::new(|_, _| {});
    let socket = sockets.connect(&server.url(), notes.clone()).unwrap();
    for _ in 0..40 {
        socket.send(vec![7; 100 << 10]).unwrap();
    }
    let echoed = |it: &&String| *it == "102400 bytes";
    turn_until(&mut events, || {
        notes.lines().iter().filter(echoed).count() == 40
    });
    socket.send("close me").unwrap();
    turn_until(&mut events, || notes.is_over());
    assert_eq!(notes.lines().last().unwrap(), "closed 4001 as you wish");
    // A server that speaks HTTP/2 and does not know the route.
    let nowhere = server.url().replace("echo", "nowhere");
    let notes = Notes::new(|_, _| {});
    sockets.connect(&nowhere, notes.clone()).unwrap();
    turn_until(&mut events, || notes.is_over());
    assert!(notes.lines()[0].contains("Status(Status(404))"));
}

#[test]
fn a_server_that_knows_no_websockets_over_http2_is_asked_over_http1() {
    let script = Script::start(2, |nth, mut stream| {
        if nth == 0 {
            // SETTINGS that say nothing of extended CONNECT.
            stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).unwrap();
            let _ = stream.read_to_end(&mut Vec::new()); // until the client has gone
            return;
        }
        shake_hands(&mut stream);
        write_frame(&mut stream, 0x88, b"\x03\xe8");
        read_frame(&mut stream).unwrap();
    });
    let over_http2 = options().http2_prior_knowledge(true);
    let lines = told(&script.url(), over_http2, |_, _| {});
    assert_eq!(lines, ["opened None", "closed 1000 "]);
    script.join();
}

#[test]
fn a_pause_holds_messages_back() {
    let server = EchoServer::start();
    let mut events = Loop::new(Limits::DEFAULT).unwrap();
    let sockets = LoopWebSockets::on(&mut events, options());
    let notes = Notes::new(|socket, line| {
        if line.starts_with("opened") {
            socket.pause();
            socket.send("later").unwrap();
        }
    });
    let socket = sockets.connect(&server.url(), notes.clone()).unwrap();
    turn_until(&mut events, || notes.lines().len() == 1);
    for _ in 0..20 {
        events.turn(Some(Duration::from_millis(5))).unwrap();
    }
    assert_eq!(notes.lines().len(), 1);
    socket.resume();
    turn_until(&mut events, || notes.lines().len() == 2);
    assert_eq!(notes.lines()[1], "later");
}

#[test]
fn it_can_be_ended_in_every_state() {
    // While it connects.
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", free.local_addr().unwrap());
    let mut events = Loop::new(Limits::DEFAULT).unwrap();
    let sockets = LoopWebSockets::on(&mut events, options());
    let notes = Notes::new(|_, _| {});
    sockets
        .connect(&url, notes.clone())
        .unwrap()
        .close()
        .unwrap();
    turn_until(&mut events, || notes.is_over());
    assert_eq!(notes.lines(), ["failed Closed"]);
    // By a canceller of another thread.
    let canceller = Canceller::new();
    let given = options().canceller(&canceller);
    let notes = Notes::new(|_, _| {});
    sockets.connect_with(&url, given, notes.clone()).unwrap();
    events.turn(Some(Duration::ZERO)).unwrap();
    std::thread::spawn(move || canceller.cancel())
        .join()
        .unwrap();
    turn_until(&mut events, || notes.is_over());
    assert_eq!(notes.lines(), ["failed Cancelled"]);
    // By limits that are not those of its loop.
    let limits = barewire::websocket::Limits::DEFAULT.with_message(9);
    let notes = Notes::new(|_, _| {});
    let others = options().limits(limits);
    sockets.connect_with(&url, others, notes.clone()).unwrap();
    turn_until(&mut events, || notes.is_over());
    assert!(notes.lines()[0].starts_with("failed Options"));
    // By the end of the loop.
    let notes = Notes::new(|_, _| {});
    let socket = sockets.connect(&url, notes.clone()).unwrap();
    drop(events);
    assert_eq!(notes.lines(), ["failed Closed"]);
    assert!(matches!(socket.send("a"), Err(WebSocketError::Closed)));
    let late = sockets.connect(&url, notes);
    assert!(matches!(late, Err(WebSocketError::Closed)));
}

#[test]
fn a_loop_that_drains_closes_them() {
    let server = EchoServer::start();
    let mut events = Loop::new(Limits::DEFAULT).unwrap();
    let sockets = LoopWebSockets::on(&mut events, options());
    let notes = Notes::new(|_, _| {});
    let socket = sockets.connect(&server.url(), notes.clone()).unwrap();
    turn_until(&mut events, || socket.is_open());
    socket.send("last").unwrap();
    events.remote().drain(None);
    events.run().unwrap(); // until all is over
    let lines = notes.lines();
    assert_eq!(lines.first().unwrap(), "opened None");
    assert_eq!(lines.last().unwrap(), "closed 1001 ", "{lines:?}");
}

#[test]
fn a_listener_that_panics_loses_its_socket_alone() {
    let server = EchoServer::start();
    let mut events = Loop::new(Limits::DEFAULT).unwrap();
    let sockets = LoopWebSockets::on(&mut events, options());
    let panics = Notes::new(|_, line| assert!(!line.starts_with("opened"), "a test's"));
    let bad = sockets.connect(&server.url(), panics).unwrap();
    let notes = Notes::new(|_, _| {});
    let good = sockets.connect(&server.url(), notes.clone()).unwrap();
    good.send("still here").unwrap();
    turn_until(&mut events, || notes.lines().len() == 2);
    turn_until(&mut events, || {
        matches!(bad.send("a"), Err(WebSocketError::Closed))
    });
}

/// Answers a request with the first message.
struct Relay(Option<Deferred>);

impl WebSocketListener for Relay {
    fn message(&mut self, socket: &LoopWebSocket, message: Message) {
        if let Some(deferred) = self.0.take() {
            deferred.send(Response::text(message.text().unwrap()));
        }
        socket.close().unwrap();
    }
}

#[test]
fn a_route_of_an_app_uses_one_on_its_own_loop() {
    let echo = EchoServer::start();
    let url = echo.url();
    let app = App::new()
        .threads(2)
        .on_each_loop(|events| Ok(LoopWebSockets::on(events, options())))
        .get("/relay", move |request, reply| {
            let sockets = request.local::<LoopWebSockets>().unwrap();
            reply.defer(|deferred| {
                let socket = sockets.connect(&url, Relay(Some(deferred))).unwrap();
                socket.send("by way of the loop").unwrap();
            })
        });
    let server = app.listen("127.0.0.1:0").unwrap().spawn().unwrap();
    let [Address::Tcp(address)] = server.local_addresses() else {
        panic!()
    };
    for _ in 0..4 {
        let mut stream = TcpStream::connect(address).unwrap();
        let request = b"GET /relay HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        stream.write_all(request).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.ends_with("by way of the loop"), "{answer}");
    }
    server.handle().shutdown(Duration::from_millis(100));
    server.join().unwrap();
}
