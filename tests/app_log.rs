//! A fault on a server is a line on the log, which names the route and
//! the reason.
#![cfg(all(feature = "net", feature = "log"))]

mod app_support;

use std::sync::Mutex;

use app_support::{Running, wait_until};
use barewire::app::{
    Accept, App, Call, Message, Middleware, OriginGuard, Record, ReplyHead, Response, Service,
    Socket, WebSocket, WebSocketRoute,
};
use barewire::link;
use barewire::net::{Limits, Share};

/// Keeps all lines.
struct Lines(Mutex<Vec<String>>);

static LINES: Lines = Lines(Mutex::new(Vec::new()));

impl log::Log for Lines {
    fn enabled(&self, _metadata: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let (level, target) = (record.level(), record.target());
        let line = format!("{level} {target} {}", record.args());
        self.0.lock().unwrap().push(line);
    }

    fn flush(&self) {}
}

/// Keeps lines from here on.
fn listen() {
    let _ = log::set_logger(&LINES); // another test may have been first
    log::set_max_level(log::LevelFilter::Trace);
}

/// The lines that name this.
fn lines_with(part: &str) -> Vec<String> {
    let lines = LINES.0.lock().unwrap();
    lines
        .iter()
        .filter(|it| it.contains(part))
        .cloned()
        .collect()
}

#[test]
fn a_field_that_cannot_be_sent_is_named_with_its_route_and_the_reason() {
    listen();
    let app = App::new()
        .get("/bad/{id}", |_request, reply| {
            reply.header("X-Bad", "a\r\nb").text("never seen")
        })
        .get("/secret", |_request, reply| {
            reply.set_header("Set-Cookie", "id=hidden\r\n.").text("")
        })
        .get("/type", |_request, reply| reply.body("a\nb", ""))
        .get("/later", |_request, reply| {
            reply.defer(|deferred| {
                deferred.send(Response::text("").header("two words", "x"));
            })
        })
        .get("/dropped", |_request, reply| reply.defer(drop));
    let running = Running::start(app);
    for path in ["/bad/7", "/secret", "/type", "/later", "/dropped"] {
        assert_eq!(running.get(path).status, 500, "{path}");
    }
    let start = "ERROR barewire GET";
    let rule = "field value holds what no value may hold (RFC 9110 §5.5)";
    let given = "500 in place of the reply, as it was given";
    let expected = [
        format!("{start} /bad/{{id}}: {given} \"X-Bad\": \"a\\r\\nb\": {rule}"),
        format!("{start} /secret: {given} \"Set-Cookie\": (secret): {rule}"),
        format!("{start} /type: {given} \"Content-Type\": \"a\\nb\": {rule}"),
        format!(
            "{start} /later: {given} \"two words\": \"x\": \
             field name is not a token (RFC 9110 §5.1)"
        ),
        format!("{start} /dropped: 500, as its `Deferred` was dropped without a reply"),
    ];
    for line in expected {
        assert_eq!(lines_with(&line).len(), 1, "{line}");
    }
}

/// Does nothing.
struct Silent;

impl WebSocket for Silent {
    fn message(&mut self, _socket: &mut Socket<'_, '_>, _message: Message<'_>) {}
}

#[test]
fn a_foreign_page_is_named_with_what_was_compared() {
    listen();
    let wrong = WebSocketRoute::accepting(|_| Ok(Accept::new(Silent).protocol("v9")));
    let app = App::new()
        .with(OriginGuard::new())
        .websocket("/ws/{room}", |_| Ok(Silent))
        .websocket_route("/wrong", wrong)
        .post("/orders", |_request, reply| reply.text(""));
    let running = Running::start(app);
    let upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let ask = |line: &str, more: &str| {
        running.exchange(&format!("{line} HTTP/1.1\r\nHost: shop:8080\r\n{more}\r\n"))
    };
    let foreign = format!("{upgrade}Origin: https://evil.example\r\n");
    assert_eq!(ask("GET /ws/tea", &foreign).status, 403);
    let site = "Sec-Fetch-Site: cross-site\r\nContent-Length: 0\r\n";
    assert_eq!(ask("POST /orders", site).status, 403);
    assert_eq!(ask("GET /wrong", upgrade).status, 500);
    for line in [
        "WARN barewire GET /ws/{room}: 403, as a foreign page asks: \
         Origin \"https://evil.example\": not a page of \"shop:8080\", and no allowed one",
        "403, as a foreign page asks: Origin is missing, Sec-Fetch-Site \"cross-site\": \
         not a page of \"shop:8080\", and no allowed one",
        "ERROR barewire GET /wrong: 500, as the route chose the subprotocol \"v9\"",
    ] {
        assert_eq!(lines_with(line).len(), 1, "{line}");
    }
}

/// Puts a field into each head that none may have.
struct Breaks;

impl Middleware for Breaks {
    fn after(&self, _record: &Record, head: &mut ReplyHead<'_>) {
        assert!(head.add_header("X", "a\r\nb").is_err());
    }
}

#[test]
fn a_panic_names_its_route_and_a_flood_does_not_fill_the_log() {
    listen();
    let app = App::new().with(Breaks).get("/flood", |request, reply| {
        assert!(request.query().is_none(), "on purpose");
        reply.header("X-Flood", "a\r\nb").text("")
    });
    let running = Running::start(app);
    assert_eq!(running.get("/flood?panic").status, 500);
    assert_eq!(lines_with("GET /flood: its handler has panicked").len(), 1);
    for _ in 0..200 {
        assert_eq!(running.get("/flood").status, 500);
    }
    // At most twenty in ten seconds, some of which the other test has used.
    let seen = lines_with("X-Flood").len();
    assert!((10..=100).contains(&seen), "{seen} lines");
}

#[test]
fn a_panic_of_a_method_names_it() {
    listen();
    let service =
        Service::new("log.Service").unary("Falls", |request: Vec<u8>, _call: &mut Call<'_>| {
            assert!(request.is_empty(), "on purpose");
            Ok(request)
        });
    let running = Running::start(App::new().grpc(service));
    let answer = running.exchange(
        "POST /log.Service/Falls HTTP/1.1\r\nHost: a\r\n\
         Content-Type: application/grpc-web\r\nContent-Length: 6\r\n\r\n\0\0\0\0\x01x",
    );
    assert_eq!(answer.status, 200);
    let line = "ERROR barewire POST /log.Service/Falls: its handler has panicked: INTERNAL";
    assert_eq!(lines_with(line).len(), 1);
}

#[test]
fn a_limit_that_ends_or_refuses_somebody_is_named() {
    use std::io::{Read, Write};
    listen();
    let limits = Limits::DEFAULT
        .with_per_address(1)
        .with_sessions(Share::unshared(0));
    let app = App::new()
        .threads(1)
        .limits(limits)
        .get("/later", |_request, reply| reply.defer(drop));
    let running = Running::start(app);
    let mut first = running.connect();
    first
        .write_all(b"GET /later HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    let head = app_support::read_until(&mut first, "\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 503"), "{head}");
    let mut second = running.connect();
    let _ = second.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let _ = second.read(&mut [0]);
    let line = |limit: &str| {
        let named = format!("refused at `Limits::{limit}`");
        let lines = lines_with(&named);
        lines
            .iter()
            .any(|it| it.starts_with("WARN barewire 127.0.0.1:"))
    };
    assert!(line("sessions"), "{:?}", lines_with("refused"));
    assert!(line("per_address"), "{:?}", lines_with("refused"));
}

/// Frames of HTTP/2 with what opens a connection before them.
fn http2(frames: &[(u8, u8, u32, &[u8])]) -> Vec<u8> {
    let mut all = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    for (kind, flags, stream, payload) in frames {
        all.extend(&(payload.len() as u32).to_be_bytes()[1..]);
        all.extend([*kind, *flags]);
        all.extend(stream.to_be_bytes());
        all.extend(*payload);
    }
    all
}

#[test]
fn what_a_peer_has_done_for_its_connection_or_stream_to_end_is_named() {
    use std::io::Write;
    listen();
    let http2_limits =
        barewire::http2::Limits::DEFAULT.with_stall_timeout(core::time::Duration::from_millis(100));
    let app = App::new()
        .protocol_limits(link::Limits::DEFAULT.with_http2(http2_limits))
        .post("/echo", |request, reply| reply.body("", request.body()))
        .get("/text", |_request, reply| reply.text("for a window"));
    let running = Running::start(app);
    let line = |level: &str, end: &str| {
        let is = |it: &String| it.starts_with(&format!("{level} barewire 127.0.0.1:"));
        lines_with(end).iter().filter(|it| is(it)).count()
    };
    assert_eq!(running.exchange("nonsense\r\n\r\n").status, 400);
    let end = "connection ended: malformed request line";
    assert_eq!(line("INFO", end), 1, "{:?}", lines_with("connection ended"));

    // A body of five bytes, of which one comes.
    let post = b"\x83\x86\x04\x05/echo\x01\x01a\x0f\x0d\x015";
    let mut stream = running.connect();
    let frames: [(u8, u8, u32, &[u8]); 3] = [(4, 0, 0, b""), (1, 4, 1, post), (0, 1, 1, b"x")];
    stream.write_all(&http2(&frames)).unwrap();
    let end = "stream 1 reset for an error of its peer: malformed message";
    wait_until(end, || line("INFO", end) == 1);
    // A response for which there is no window.
    let get = b"\x82\x86\x04\x05/text\x01\x01a";
    let mut other = running.connect();
    let frames: [(u8, u8, u32, &[u8]); 2] = [(4, 0, 0, b"\0\x04\0\0\0\0"), (1, 5, 1, get)];
    other.write_all(&http2(&frames)).unwrap();
    let end = "stream 1 ended, as its peer has stalled it";
    wait_until(end, || line("WARN", end) == 1);
    // A frame that is longer than we take.
    stream.write_all(b"\x00\x50\0\0\0\0\0\0\x03").unwrap();
    let end = "connection ended: frame longer than allowed";
    wait_until(end, || line("INFO", end) == 1);
}

/// Sleeps for each message.
struct Sleeps;

impl barewire::app::WebSocket for Sleeps {
    fn message(
        &mut self,
        socket: &mut barewire::app::Socket<'_, '_>,
        message: barewire::app::Message<'_>,
    ) {
        std::thread::sleep(core::time::Duration::from_millis(150));
        socket.send(message);
    }
}

#[test]
fn a_handler_that_holds_its_loop_up_is_named_and_counted() {
    use std::io::{Read, Write};
    listen();
    let sleep = || std::thread::sleep(core::time::Duration::from_millis(150));
    let app = App::new()
        .get("/sleeps/{n}", move |_request, reply| {
            sleep();
            reply.text("at last")
        })
        .get("/sleeps-then-defers", move |_request, reply| {
            sleep();
            reply.defer(|deferred| assert!(deferred.send(Response::text(""))))
        })
        .get("/awake", |_request, reply| reply.text("at once"))
        .websocket("/ws", |_request| Ok(Sleeps));
    let metrics = app.metrics();
    let running = Running::start(app);
    for path in ["/awake", "/sleeps/1", "/awake", "/sleeps-then-defers"] {
        assert_eq!(running.get(path).status, 200, "{path}");
    }
    let mut socket = running.connect();
    let ask = "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
               Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    socket.write_all(ask.as_bytes()).unwrap();
    app_support::read_until(&mut socket, "\r\n\r\n");
    socket.write_all(b"\x81\x81\0\0\0\0x").unwrap();
    socket.read_exact(&mut [0; 3]).unwrap();
    app_support::wait_until("all are counted", || metrics.snapshot().held >= 3);
    let held =
        |name: &str| lines_with(&format!("WARN barewire {name} held its loop up for 0.")).len();
    assert_eq!(held("GET /sleeps/{n}:"), 1);
    assert_eq!(held("a session (websocket)"), 1);
}
