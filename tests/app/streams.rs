//! Bodies in pieces, both ways, and replies that come later.
#![cfg(feature = "net")]

use core::any::Any;
use core::time::Duration;
use std::io::{Read, Write};
use std::sync::{Arc, Mutex, mpsc};

use crate::app_support::{Answer, PATIENCE, Running, read_until, wait_until, wait_until_drained};
use barewire::app::{
    App, Charge, Deferred, Flow, Kind, Response, Route, Stream, StreamHandle, Streaming,
};
use barewire::http::{FieldBuffer, Fields, Status};
use barewire::link::{self, EndReason};
use barewire::net::Limits;

/// So many bytes, counted up.
struct Numbers {
    at: u64,
    end: u64,
    waits: Arc<Mutex<u32>>,
}

impl Streaming for Numbers {
    fn writable(&mut self, stream: &mut Stream<'_, '_>) {
        while self.at < self.end {
            let piece: Vec<u8> = (self.at..self.end.min(self.at + 10_000))
                .map(|n| n as u8)
                .collect();
            self.at += piece.len() as u64;
            if stream.write(&piece) != Flow::Go {
                *self.waits.lock().unwrap() += 1;
                return;
            }
        }
        stream.finish();
    }
}

/// Writes back what comes.
#[derive(Default)]
struct Echo {
    gone: Option<mpsc::Sender<EndReason>>,
}

impl Streaming for Echo {
    fn chunk(&mut self, stream: &mut Stream<'_, '_>, data: &mut [u8]) {
        let _ = stream.write(data);
    }

    fn end(&mut self, stream: &mut Stream<'_, '_>, trailers: Fields<'_>) {
        stream.finish_with(trailers);
    }

    fn closed(&mut self, why: EndReason) {
        if let Some(gone) = &self.gone {
            gone.send(why).unwrap();
        }
    }
}

/// Counts what comes, and answers when it has all of it.
struct Count(u64);

impl Streaming for Count {
    fn chunk(&mut self, stream: &mut Stream<'_, '_>, data: &mut [u8]) {
        self.0 += data.len() as u64;
        if data.contains(&b'!') {
            stream.respond(Response::new(Status::CONFLICT));
        }
    }

    fn end(&mut self, stream: &mut Stream<'_, '_>, trailers: Fields<'_>) {
        let sum = trailers.get_str("x-sum").unwrap_or("-");
        stream.respond(Response::text(format!("{} {sum}", self.0)));
    }
}

fn echo_route() -> Route {
    Route::any("/echo")
        .collect(100, |request, reply| {
            reply
                .header("X-How", "whole")
                .body(request.content_type(), request.body())
        })
        .stream(|request, reply| {
            let reply = reply
                .header("X-How", "pieces")
                .header("Content-Type", "text/x");
            let reply = match request.content_length() {
                Some(length) => reply.length(length),
                None => reply,
            };
            reply.stream(Echo::default())
        })
}

#[test]
fn a_streamed_reply_without_content_is_complete_with_its_head() {
    let app = App::new()
        .get("/{code}", |request, reply| {
            let code = request.param("code").parse().unwrap();
            let numbers = Numbers {
                at: 0,
                end: 3,
                waits: Arc::default(),
            };
            reply.status(Status::new(code).unwrap()).stream(numbers)
        })
        .route(Route::post("/{code}").stream(|request, reply| {
            let code = request.param("code").parse().unwrap();
            reply.receive(Started(Status::new(code).unwrap()))
        }));
    let running = Running::start(app);
    for code in [200, 204, 205, 304] {
        for method in ["GET", "HEAD", "POST"] {
            let mut peer = running.connect();
            let last = "GET /200 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
            let one = format!("{method} /{code} HTTP/1.1\r\nHost: a\r\n");
            let one = match method {
                "POST" => format!("{one}Content-Length: 2\r\n\r\nhi{last}"),
                _ => format!("{one}\r\n{last}"),
            };
            write!(peer, "{one}").unwrap();
            let mut answers = String::new();
            peer.read_to_string(&mut answers).unwrap();
            let count = answers.matches("HTTP/1.1 ").count();
            assert_eq!(count, 2, "{method} {code}: {answers}");
            let first = answers.split("HTTP/1.1 ").nth(1).unwrap();
            let content = first.split_once("\r\n\r\n").unwrap().1;
            let has_content = code == 200 && method != "HEAD";
            assert_eq!(
                content.is_empty(),
                !has_content,
                "{method} {code}: {answers}"
            );
        }
    }
}

/// Starts its reply when the request is complete, and writes it then.
struct Started(Status);

impl Streaming for Started {
    fn end(&mut self, stream: &mut Stream<'_, '_>, _trailers: Fields<'_>) {
        stream.start(self.0, &FieldBuffer::new(), None);
    }

    fn writable(&mut self, stream: &mut Stream<'_, '_>) {
        if stream.write(b"1") == Flow::Go {
            stream.finish();
        }
    }
}

#[test]
fn a_long_reply_waits_for_its_reader() {
    const LENGTH: u64 = 30 << 20;
    let waits = Arc::new(Mutex::new(0));
    let seen = waits.clone();
    let app = App::new().get("/numbers", move |_request, reply| {
        reply.length(LENGTH).stream(Numbers {
            at: 0,
            end: LENGTH,
            waits: seen.clone(),
        })
    });
    let metrics = app.metrics();
    let running = Running::start(app);
    let mut stream = running.connect();
    stream
        .write_all(b"GET /numbers HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    let head = read_until(&mut stream, "\r\n\r\n");
    assert!(
        head.to_lowercase()
            .contains(&format!("content-length: {LENGTH}\r\n")),
        "{head}"
    );
    std::thread::sleep(Duration::from_millis(100));
    let written = metrics.snapshot().bytes_out;
    assert!(written < LENGTH / 2, "{written} bytes written to nobody");
    let mut at = 0_u64;
    let mut buffer = vec![0; 1 << 20];
    while at < LENGTH {
        let n = stream.read(&mut buffer).unwrap();
        assert!(n > 0);
        for &byte in &buffer[..n] {
            assert_eq!(byte, at as u8);
            at += 1;
        }
    }
    assert!(*waits.lock().unwrap() > 10);
    wait_until("the session is over", || {
        metrics.snapshot().sessions_active(Kind::Exchange) == 0
    });
    // The connection serves on.
    stream
        .write_all(b"GET /none HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    read_until(&mut stream, "Found\"}");
}

#[test]
fn a_reply_of_unknown_length_is_chunked() {
    let app = App::new().get("/numbers", |_request, reply| {
        reply.stream(Numbers {
            at: 65,
            end: 70,
            waits: Arc::default(),
        })
    });
    let running = Running::start(app);
    let answer = running.get("/numbers");
    assert_eq!(answer.header("transfer-encoding"), "chunked");
    assert_eq!(answer.body, "5\r\nABCDE\r\n0\r\n\r\n");
    let old = running.exchange("GET /numbers HTTP/1.0\r\n\r\n");
    assert_eq!(
        (&*old.header("transfer-encoding"), &*old.body),
        ("", "ABCDE")
    );
    let head = running.exchange("HEAD /numbers HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!((head.status, &*head.body), (200, ""));
}

/// Writes without end whenever it is called, as long as it is told to go on.
struct Endless;

impl Endless {
    fn go_on(stream: &mut Stream<'_, '_>) {
        while stream.write(b"and on ") == Flow::Go {}
    }
}

impl Streaming for Endless {
    fn chunk(&mut self, stream: &mut Stream<'_, '_>, _data: &mut [u8]) {
        stream.start(Status::NOT_MODIFIED, &FieldBuffer::new(), None);
        Self::go_on(stream);
    }

    fn writable(&mut self, stream: &mut Stream<'_, '_>) {
        Self::go_on(stream);
    }

    fn end(&mut self, stream: &mut Stream<'_, '_>, _trailers: Fields<'_>) {
        Self::go_on(stream);
    }
}

#[test]
fn a_writer_whose_body_nobody_sees_is_told_to_stop() {
    let endless = |_request: &barewire::app::Request<'_>, reply: barewire::app::Reply<'_, '_>| {
        reply.stream(Endless)
    };
    let app = App::new()
        .route(Route::get("/on").stream(endless))
        .route(Route::post("/later").stream(|_request, reply| reply.receive(Endless)));
    let running = Running::start(app);
    let mut stream = running.connect();
    for _ in 0..2 {
        stream
            .write_all(b"HEAD /on HTTP/1.1\r\nHost: a\r\n\r\n")
            .unwrap();
        let head = read_until(&mut stream, "\r\n\r\n");
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    }
    for _ in 0..2 {
        stream
            .write_all(b"POST /later HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx")
            .unwrap();
        let head = read_until(&mut stream, "\r\n\r\n");
        assert!(head.starts_with("HTTP/1.1 304"), "{head}");
    }
}

#[test]
fn a_body_comes_whole_below_the_limit_and_in_pieces_beyond() {
    let running = Running::start(App::new().route(echo_route()));
    let whole = running.post("/echo", &"a".repeat(100));
    assert_eq!((&*whole.header("x-how"), whole.body.len()), ("whole", 100));
    let pieces = running.post("/echo", &"a".repeat(101));
    assert_eq!(
        (&*pieces.header("x-how"), &*pieces.header("content-length")),
        ("pieces", "101")
    );
    assert_eq!(pieces.body, "a".repeat(101));
    let none = running.get("/echo");
    assert_eq!(
        (&*none.header("x-how"), none.status, &*none.body),
        ("whole", 200, "")
    );
    let chunked = running.exchange(
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
         3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n",
    );
    assert_eq!(chunked.header("x-how"), "pieces");
    assert_eq!(chunked.body, "3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n");
}

#[test]
fn an_echo_of_much_holds_its_client_back() {
    const LENGTH: usize = 40 << 20;
    let app = App::new().route(echo_route());
    let metrics = app.metrics();
    let running = Running::start(app);
    let mut stream = running.connect();
    write!(
        stream,
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {LENGTH}\r\n\r\n"
    )
    .unwrap();
    let mut sender = stream.try_clone().unwrap();
    let writer = std::thread::spawn(move || {
        let piece: Vec<u8> = (0..1 << 20).map(|n| (n % 251) as u8).collect();
        (0..LENGTH >> 20).for_each(|_| sender.write_all(&piece).unwrap());
    });
    read_until(&mut stream, "\r\n\r\n");
    std::thread::sleep(Duration::from_millis(200));
    let taken = metrics.snapshot().bytes_in as usize;
    assert!(
        taken < LENGTH * 3 / 4,
        "{taken} bytes taken while nobody read"
    );
    let (mut at, mut buffer) = (0, vec![0; 1 << 20]);
    while at < LENGTH {
        let n = stream.read(&mut buffer).unwrap();
        assert!(n > 0);
        for &byte in &buffer[..n] {
            assert_eq!(byte, (at % (1 << 20) % 251) as u8);
            at += 1;
        }
    }
    writer.join().unwrap();
}

#[test]
fn a_client_that_goes_away_ends_its_stream() {
    let (sender, receiver) = mpsc::channel();
    let sender = Mutex::new(sender);
    let app = App::new().route(Route::post("/up").stream(move |_request, reply| {
        reply.stream(Echo {
            gone: Some(sender.lock().unwrap().clone()),
        })
    }));
    let running = Running::start(app);
    let mut stream = running.connect();
    stream
        .write_all(b"POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc")
        .unwrap();
    read_until(&mut stream, "abc\r\n");
    drop(stream);
    let why = receiver.recv_timeout(PATIENCE).unwrap();
    assert!(
        matches!(
            why,
            EndReason::ProtocolError(_) | EndReason::Disconnected | EndReason::Reset
        ),
        "{why:?}"
    );
}

#[test]
fn an_upload_is_answered_when_it_is_complete() {
    let app =
        App::new().route(Route::post("/count").stream(|_request, reply| reply.receive(Count(0))));
    let running = Running::start(app);
    assert_eq!(running.post("/count", "abc").body, "3 -");
    assert_eq!(running.post("/count", "").body, "0 -");
    let chunked = running.exchange(
        "POST /count HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
         3\r\nabc\r\n4\r\ndefg\r\n0\r\nX-Sum: 7\r\n\r\n",
    );
    assert_eq!(chunked.body, "7 7");
    let early = running.post("/count", "abc!defg");
    assert_eq!(early.status, 409);
}

/// Starts its reply itself, in the middle of the upload.
struct Late;

impl Streaming for Late {
    fn chunk(&mut self, stream: &mut Stream<'_, '_>, data: &mut [u8]) {
        let mut fields = FieldBuffer::new();
        fields.push("X-First", &data[..1]).unwrap();
        stream.start(Status::CREATED, &fields, None);
        stream.after(Duration::from_millis(20), 9);
    }

    fn timer(&mut self, stream: &mut Stream<'_, '_>, token: u32) {
        let _ = stream.write(token.to_string().as_bytes());
        stream.finish();
    }
}

#[test]
fn a_stream_can_wait_for_a_timer() {
    let app = App::new().route(Route::post("/late").stream(|_request, reply| reply.receive(Late)));
    let running = Running::start(app);
    let answer = running.post("/late", "xyz");
    assert_eq!((answer.status, &*answer.header("x-first")), (201, "x"));
    assert_eq!(answer.body, "1\r\n9\r\n0\r\n\r\n");
}

/// Writes what its thread makes.
struct Made(mpsc::Sender<StreamHandle>);

impl Streaming for Made {
    fn writable(&mut self, stream: &mut Stream<'_, '_>) {
        self.0.send(stream.handle()).unwrap();
    }

    fn mail(&mut self, stream: &mut Stream<'_, '_>, mail: Box<dyn Any + Send>) {
        match *mail.downcast::<Option<String>>().unwrap() {
            Some(piece) => drop(stream.write(piece.as_bytes()).is_taken()),
            None => stream.finish(),
        }
    }
}

#[test]
fn a_thread_makes_the_pieces_of_a_stream() {
    let app = App::new().get("/made", |_request, reply| {
        let (sender, receiver) = mpsc::channel::<StreamHandle>();
        std::thread::spawn(move || {
            let stream = receiver.recv().unwrap();
            for n in 0..3 {
                std::thread::sleep(Duration::from_millis(5));
                assert!(stream.mail(Some(n.to_string())));
            }
            assert!(stream.mail(None::<String>));
        });
        reply.stream(Made(sender))
    });
    let running = Running::start(app);
    let pieces = "1\r\n0\r\n1\r\n1\r\n1\r\n2\r\n0\r\n\r\n";
    assert_eq!(running.get("/made").body, pieces);
}

#[test]
fn a_reply_comes_from_another_thread() {
    let app = App::new()
        .get("/slow", |request, reply| {
            let name = request.query_value("n").unwrap_or_default().into_owned();
            reply.header("X-Kept", "yes").defer(|deferred| {
                std::thread::spawn(move || {
                    std::thread::sleep(Duration::from_millis(20));
                    let response = Response::text(name)
                        .status(Status::CREATED)
                        .header("X-Own", "1");
                    assert!(deferred.is_wanted());
                    assert!(deferred.send(response));
                });
            })
        })
        .get("/at-once", |_request, reply| {
            reply.defer(|deferred| assert!(deferred.send(Response::text("now"))))
        })
        .get("/lost", |_request, reply| reply.defer(drop));
    let running = Running::start(app);
    let answer = running.get("/slow?n=7");
    assert_eq!((answer.status, &*answer.body), (201, "7"));
    assert_eq!(
        (&*answer.header("x-kept"), &*answer.header("x-own")),
        ("yes", "1")
    );
    assert_eq!(running.get("/at-once").body, "now");
    let lost = running.get("/lost");
    assert_eq!(
        (lost.status, &*lost.body),
        (500, r#"{"error":"Internal Server Error"}"#)
    );

    // What was pipelined behind waits its turn.
    let mut stream = running.connect();
    let requests: String = (0..5)
        .map(|n| format!("GET /slow?n={n} HTTP/1.1\r\nHost: a\r\n\r\n"))
        .collect();
    stream.write_all(requests.as_bytes()).unwrap();
    (0..5).for_each(|n| drop(read_until(&mut stream, &format!("\r\n\r\n{n}"))));
}

/// Writes a word long after it began.
struct Lasting;

impl Streaming for Lasting {
    fn writable(&mut self, stream: &mut Stream<'_, '_>) {
        stream.after(Duration::from_millis(400), 0);
    }

    fn timer(&mut self, stream: &mut Stream<'_, '_>, _token: u32) {
        let _ = stream.write(b"at last");
        stream.finish();
    }
}

#[test]
fn a_reply_that_takes_too_long_is_504() {
    let kept: Arc<Mutex<Vec<Deferred>>> = Arc::default();
    let keeper = kept.clone();
    let keeper_too = kept.clone();
    let app =
        App::new()
            .get("/never", move |_request, reply| {
                reply.defer(|it| keeper.lock().unwrap().push(it))
            })
            .route(Route::post("/offered").stream(move |_request, reply| {
                reply.defer(|it| keeper_too.lock().unwrap().push(it))
            }))
            .get("/lasting", |_request, reply| reply.stream(Lasting))
            .route(Route::post("/lasting").stream(|_request, reply| reply.stream(Lasting)))
            .get("/hello", |_request, reply| reply.text("hello"))
            .protocol_limits(link::Limits::DEFAULT.with_reply(Duration::from_millis(100)));
    let running = Running::start(app);
    let mut stream = running.connect();
    stream
        .write_all(b"GET /never HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    let answer = read_until(&mut stream, "Timeout\"}");
    assert!(answer.starts_with("HTTP/1.1 504"), "{answer}");
    let late = kept.lock().unwrap().pop().unwrap();
    assert!(!late.is_wanted());
    assert!(!late.send(Response::text("too late")));
    stream
        .write_all(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    assert!(read_until(&mut stream, "hello").starts_with("HTTP/1.1 200"));
    // Also where a body is on offer that nobody asked for.
    let offered = "POST /offered HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";
    stream.write_all(offered.as_bytes()).unwrap();
    read_until(&mut stream, "Timeout\"}");
    // What has begun may last.
    assert!(running.get("/lasting").body.contains("at last"));
    let upload = "POST /lasting HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
                  1\r\nx\r\n0\r\n\r\n";
    assert!(running.exchange(upload).body.contains("at last"));
}

#[test]
fn nobody_wants_a_reply_whose_client_is_gone() {
    let (sender, receiver) = mpsc::channel();
    let sender = Mutex::new(sender);
    let app = App::new().get("/slow", move |_request, reply| {
        reply.defer(|deferred| sender.lock().unwrap().send(deferred).unwrap())
    });
    let running = Running::start(app);
    let mut stream = running.connect();
    stream
        .write_all(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    let deferred = receiver.recv_timeout(PATIENCE).unwrap();
    assert!(deferred.is_wanted());
    // A reset, not just an end: a half-closed client still reads.
    socket2::SockRef::from(&stream)
        .set_linger(Some(Duration::ZERO))
        .unwrap();
    drop(stream);
    wait_until("the reply is not wanted", || !deferred.is_wanted());
    assert!(!deferred.send(Response::text("to nobody")));
}

#[test]
fn a_shutdown_lets_deferred_replies_finish() {
    let (sender, receiver) = mpsc::channel();
    let sender = Mutex::new(sender);
    let app = App::new().get("/slow", move |_request, reply| {
        reply.defer(|deferred| sender.lock().unwrap().send(deferred).unwrap())
    });
    let server = app.listen("127.0.0.1:0").unwrap().spawn().unwrap();
    let barewire::net::Address::Tcp(address) = server.local_addresses()[0] else {
        panic!()
    };
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream
        .write_all(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    let deferred = receiver.recv_timeout(PATIENCE).unwrap();
    server.handle().shutdown(PATIENCE);
    wait_until_drained(address);
    assert!(deferred.send(Response::text("last")));
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = Answer::new(&answer);
    assert_eq!(
        (&*answer.body, &*answer.header("connection")),
        ("last", "close")
    );
    assert_eq!(server.join().unwrap(), 0);
}

/// Keeps what comes, as far as there is memory.
#[derive(Default)]
struct Keep {
    bytes: Vec<u8>,
    charge: Charge,
}

impl Streaming for Keep {
    fn chunk(&mut self, stream: &mut Stream<'_, '_>, data: &mut [u8]) {
        if self.charge.account().is_none() {
            self.charge = stream.charge();
        }
        match self.charge.try_grow(data.len()) {
            Ok(()) => self.bytes.extend_from_slice(data),
            Err(_full) => stream.respond(Response::new(Status::SERVICE_UNAVAILABLE)),
        }
    }
}

#[test]
fn what_a_handler_keeps_is_charged_to_its_client() {
    const MIB: usize = 1 << 20;
    let app = App::new();
    let metrics = app.metrics();
    let app = app
        .limits(Limits::DEFAULT.with_memory(4 * MIB))
        .threads(1)
        .get("/metrics", metrics.route())
        .route(Route::post("/keep").stream(|_request, reply| reply.receive(Keep::default())));
    let running = Running::start(app);
    let held = || {
        let shown = running.get("/metrics").body;
        let line = shown
            .lines()
            .find(|line| line.starts_with("barewire_memory_held_bytes{"));
        let (_, bytes) = line.unwrap().rsplit_once(' ').unwrap();
        bytes.parse::<usize>().unwrap()
    };
    let mut peer = running.connect();
    let head = "POST /keep HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = [b"100000\r\n", &vec![b'x'; MIB][..], b"\r\n"].concat();
    peer.write_all(head.as_bytes()).unwrap();
    peer.write_all(&chunk).unwrap();
    wait_until("one MiB is charged", || held() > MIB);
    // Who would take more than there is, is told so, or pays for it.
    for _ in 0..4 {
        let _ = peer.write_all(&chunk);
    }
    let mut answer = Vec::new();
    let _ = peer.read_to_end(&mut answer);
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 503"));
    wait_until("all is given back", || held() < MIB);
}

#[test]
fn one_peer_whose_requests_take_long_holds_up_no_other() {
    const ALL: u32 = 2_000;
    let served = Arc::new(Mutex::new(0_u32));
    let (counted, shown) = (served.clone(), served.clone());
    let app = App::new()
        .threads(1)
        .get("/slow", move |_request, reply| {
            std::thread::sleep(Duration::from_millis(2));
            *counted.lock().unwrap() += 1;
            reply.empty()
        })
        .get("/served", move |_request, reply| {
            let served = *shown.lock().unwrap();
            reply.text(served.to_string())
        });
    let running = Running::start(app);
    let mut hostile = running.connect();
    let burst = "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n".repeat(ALL as usize);
    hostile.write_all(burst.as_bytes()).unwrap();
    wait_until("the first is served", || *served.lock().unwrap() > 0);
    let served: u32 = running.get("/served").body.parse().unwrap();
    assert!(served < ALL, "all {served} came first");
}
