//! One address cannot take what a loop has for all of them.

#![cfg(feature = "net")]

use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use core::time::Duration;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex, mpsc};

use crate::app_support::grpc::{Talk, framed};
use crate::app_support::{self, PATIENCE, Running, read_until, wait_until};
use barewire::app::{
    App, ChannelError, EventStream, Events, EventsRoute, Message, Response, Service, Socket,
    WebSocket,
};
use barewire::grpc::Status;
use barewire::net::{Address, FilePart, Limits, ListenOptions, Share};
use barewire::sse::Event;
use socket2::{Domain, Socket as RawSocket, Type};

const SHARE: Share = Share {
    all: 40,
    address: 10,
    connection: 4,
};

/// A connection from another address of this machine.
fn connect_from(running: &Running, host: u8) -> TcpStream {
    let [Address::Tcp(address)] = running.server().local_addresses() else {
        panic!()
    };
    let socket = RawSocket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let local = SocketAddr::from((Ipv4Addr::new(127, 0, 0, host), 0));
    socket.bind(&local.into()).unwrap();
    socket.connect(&(*address).into()).unwrap();
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

struct Ticks;

impl Events for Ticks {
    fn open(&mut self, stream: &mut EventStream<'_, '_>) {
        stream.send(&Event::new("open"));
        stream.after(Duration::from_millis(20), 0);
    }

    fn timer(&mut self, stream: &mut EventStream<'_, '_>, _token: u32) {
        stream.send(&Event::new("tick"));
        stream.after(Duration::from_millis(20), 0);
    }
}

struct Greedy;

impl WebSocket for Greedy {
    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        let text = message.as_text().unwrap();
        let answer = match text.split_once(' ') {
            Some(("join", room)) => match socket.join(room) {
                Ok(joined) => format!("joined {}", joined.is_new()),
                Err(ChannelError::Exhausted(why)) => format!("refused: {why}"),
                Err(other) => panic!("{other}"),
            },
            Some(("timers", count)) => {
                for _ in 0..count.parse().unwrap() {
                    socket.after(Duration::from_secs(3600), 0);
                }
                "set".to_owned()
            }
            _ => panic!("{text}"),
        };
        socket.send(&answer);
    }
}

fn app(limits: Limits) -> App {
    App::new()
        .limits(limits)
        .events_route("/ticks", EventsRoute::new(|_request| Ok(Ticks)))
        .websocket("/ws", |_request| Ok(Greedy))
        .get("/wait", |_request, reply| reply.defer(core::mem::forget))
}

fn ticks(mut stream: TcpStream) -> TcpStream {
    stream.write_all(b"GET /ticks HTTP/1.0\r\n\r\n").unwrap();
    stream
}

/// What comes until the end.
fn rest(mut stream: TcpStream) -> String {
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    String::from_utf8(all).unwrap()
}

fn socket(mut stream: TcpStream) -> TcpStream {
    stream
        .write_all(
            b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
              Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
        )
        .unwrap();
    let head = read_until(&mut stream, "\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    stream
}

/// Says a short text, and hears a short answer; or the code of a Close.
fn say(stream: &mut TcpStream, text: &str) -> Result<String, u16> {
    let mut frame = vec![0x81, 0x80 | text.len() as u8, 0, 0, 0, 0];
    frame.extend(text.as_bytes());
    stream.write_all(&frame).unwrap();
    let mut head = [0; 2];
    stream.read_exact(&mut head).unwrap();
    let mut payload = vec![0; usize::from(head[1])];
    stream.read_exact(&mut payload).unwrap();
    match head[0] {
        0x81 => Ok(String::from_utf8(payload).unwrap()),
        0x88 => Err(u16::from_be_bytes([payload[0], payload[1]])),
        other => panic!("{other:#x}"),
    }
}

/// The streams of one address that took all timers: every other stream stood
/// still.
#[test]
fn event_streams_of_others_go_on_while_one_address_takes_its_timers() {
    // Each stream has two: its own and that of the heartbeat.
    let running = Running::start(app(Limits::DEFAULT.with_timers(SHARE)));
    let attackers: Vec<TcpStream> = (0..30).map(|_| ticks(connect_from(&running, 2))).collect();
    let mut honest = ticks(connect_from(&running, 3));
    let heard = read_until(&mut honest, "data: tick\n\ndata: tick\n\n");
    assert!(heard.contains("data: open"), "{heard}");
    // Those beyond the share have ended, so that their clients know.
    let mut ended = 0;
    for stream in attackers.into_iter().rev().take(25) {
        let all = rest(stream);
        assert!(all.starts_with("HTTP/1.1 200 "), "{all}");
        ended += 1;
    }
    assert_eq!(ended, 25);
}

/// A thousand connections of one address that each cost a millisecond kept everybody
/// waiting for a second.
#[test]
fn an_address_with_many_connections_takes_turns_with_others() {
    const CROWD: usize = 200;
    let (begun, begins) = mpsc::channel();
    let (go, gone) = mpsc::channel::<()>();
    let (begun, gone) = (Mutex::new(begun), Mutex::new(gone));
    let served = Arc::new(AtomicUsize::new(0));
    let (count, seen) = (served.clone(), served.clone());
    let app = App::new()
        .get("/hello", |_request, reply| reply.text("hello"))
        // The loop stands still until all have asked.
        .get("/stop", move |_request, reply| {
            begun.lock().unwrap().send(()).unwrap();
            gone.lock().unwrap().recv_timeout(PATIENCE).unwrap();
            reply.text("stop")
        })
        .get("/work", move |_request, reply| {
            std::thread::sleep(Duration::from_millis(2));
            count.fetch_add(1, Relaxed);
            reply.text("work")
        })
        .get("/count", move |_request, reply| {
            reply.text(seen.load(Relaxed).to_string())
        });
    let running = Running::start(app);
    let ask = |stream: &mut TcpStream, path: &str| {
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
    };
    let mut crowd: Vec<TcpStream> = (0..CROWD).map(|_| connect_from(&running, 2)).collect();
    let [mut stopper, mut honest] = [3, 4].map(|host| connect_from(&running, host));
    for stream in crowd.iter_mut().chain([&mut honest]) {
        ask(stream, "/hello");
        read_until(stream, "hello");
    }
    ask(&mut stopper, "/stop");
    begins.recv_timeout(PATIENCE).unwrap();
    for stream in &mut crowd {
        ask(stream, "/work");
    }
    ask(&mut honest, "/count");
    go.send(()).unwrap();
    let answer = read_until(&mut honest, "\r\n\r\n");
    let length = answer.split("Content-Length: ").nth(1).unwrap();
    let length = length.lines().next().unwrap().parse().unwrap();
    let mut count = vec![0; length];
    honest.read_exact(&mut count).unwrap();
    let count: usize = String::from_utf8(count).unwrap().parse().unwrap();
    assert!(count < CROWD / 4, "{count} came first");
    for stream in &mut crowd {
        read_until(stream, "work");
    }
    assert_eq!(served.load(Relaxed), CROWD);
}

#[test]
fn calls_with_a_deadline_go_on_while_one_address_takes_its_timers() {
    let service = Service::new("s").client_streaming("Wait", |_call| Ok(Wait));
    let running = Running::start(app(Limits::DEFAULT.with_timers(SHARE)).grpc(service));
    let mut greedy: Vec<TcpStream> = (0..4).map(|_| socket(connect_from(&running, 2))).collect();
    let code = |stream: &mut TcpStream| say(stream, "timers 4");
    assert_eq!(code(&mut greedy[0]), Ok("set".into()));
    assert_eq!(code(&mut greedy[1]), Ok("set".into()));
    assert_eq!(code(&mut greedy[2]), Err(1013), "the address has two left");
    assert_eq!(
        say(&mut greedy[0], "timers 1"),
        Err(1013),
        "so has the connection none"
    );
    let mut call = Talk::open(&running, "/s/Wait", "grpc-timeout: 100S\r\n");
    call.send(&framed(b"x"));
    call.half_close();
    assert_eq!(call.next(), app_support::grpc::message("done"));
    assert_eq!(call.next(), app_support::grpc::status("0"));
}

struct Wait;

impl barewire::app::Conversation for Wait {
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    fn message(&mut self, _: Vec<u8>, _: &mut barewire::app::ResponseStream<'_, '_, Vec<u8>>) {}

    fn half_closed(&mut self, stream: &mut barewire::app::ResponseStream<'_, '_, Vec<u8>>) {
        stream.send(&b"done".to_vec());
        stream.finish(Status::OK);
    }
}

#[test]
fn an_address_opens_no_more_sessions_than_its_share() {
    let share = Share {
        connection: 10,
        ..SHARE
    };
    let running = Running::start(app(Limits::DEFAULT.with_sessions(share)));
    let mut held: Vec<TcpStream> = (0..5).map(|_| socket(connect_from(&running, 2))).collect();
    held.extend((0..5).map(|_| {
        let mut stream = ticks(connect_from(&running, 2));
        read_until(&mut stream, "data: open");
        stream
    }));
    for path in ["/ticks", "/wait", "/ws"] {
        let mut stream = connect_from(&running, 2);
        let ask = format!(
            "GET {path} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        );
        stream.write_all(ask.as_bytes()).unwrap();
        let head = read_until(&mut stream, "\r\n\r\n");
        assert!(head.starts_with("HTTP/1.1 503 "), "{path}: {head}");
        assert!(head.contains("Retry-After: 1\r\n"), "{path}: {head}");
    }
    drop(socket(connect_from(&running, 3)));
    held.truncate(8);
    wait_until("what was left is given back", || {
        let mut stream = ticks(connect_from(&running, 2));
        read_until(&mut stream, "\r\n\r\n").starts_with("HTTP/1.1 200 ")
    });
}

#[test]
fn an_address_takes_no_more_places_in_rooms_than_its_share() {
    let running = Running::start(app(Limits::DEFAULT.with_memberships(SHARE)));
    let mut greedy: Vec<TcpStream> = (0..4).map(|_| socket(connect_from(&running, 2))).collect();
    let mut answers = Vec::new();
    for n in 0..20 {
        answers.push(say(&mut greedy[n % 4], &format!("join {n}")).unwrap());
    }
    let joined = |answers: &[String]| answers.iter().filter(|it| *it == "joined true").count();
    assert_eq!(joined(&answers), 10);
    assert!(
        answers[10].starts_with("refused: the address"),
        "{answers:?}"
    );
    let mut honest = socket(connect_from(&running, 3));
    for n in 0..4 {
        assert_eq!(
            say(&mut honest, &format!("join {n}")),
            Ok("joined true".into())
        );
    }
    let fifth = say(&mut honest, "join 5").unwrap();
    assert!(fifth.starts_with("refused: the connection"), "{fifth}");
}

#[test]
fn the_queue_of_blocking_work_is_not_that_of_one_address() {
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let wait = std::sync::Arc::new(std::sync::Mutex::new(wait));
    let app = app(Limits::DEFAULT.with_jobs(SHARE)).get("/work", move |_request, reply| {
        let wait = wait.clone();
        reply.blocking(move || {
            let _ = wait.lock().unwrap().recv();
            Response::text("done")
        })
    });
    let running = Running::start(app);
    let ask = |host| {
        let mut stream = connect_from(&running, host);
        stream
            .write_all(b"GET /work HTTP/1.1\r\nHost: a\r\n\r\n")
            .unwrap();
        stream
    };
    let mut greedy: Vec<TcpStream> = (0..10).map(|_| ask(2)).collect();
    let refused = read_until(&mut ask(2), "\r\n\r\n");
    assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
    greedy.push(ask(3));
    drop(go);
    for stream in &mut greedy {
        let answer = read_until(stream, "done");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
}

/// Work that has begun, and that the test lets go on.
#[derive(Clone)]
struct Work {
    says: std::sync::mpsc::Sender<&'static str>,
    go: std::sync::Arc<std::sync::Mutex<std::sync::mpsc::Receiver<()>>>,
}

impl Work {
    /// Waits until its client has gone, and then until it may end.
    fn outlive(&self, job: &barewire::app::Job) {
        self.says.send("begun").unwrap();
        while job.is_wanted() {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.says.send("alone").unwrap();
        let _ = self.go.lock().unwrap().recv();
    }
}

/// A client that asks, and goes, and asks again: its jobs run all the same.
#[test]
fn a_job_counts_for_its_address_until_it_is_done_even_if_its_client_has_gone() {
    let (says, said) = std::sync::mpsc::channel();
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let go_on = std::sync::Arc::new(std::sync::Mutex::new(wait));
    let work = Work { says, go: go_on };
    let app = app(Limits::DEFAULT.with_jobs(SHARE));
    let threads = app.blocking_threads();
    let (http, grpc) = (work.clone(), work);
    let service = Service::new("s").unary_later("Work", move |_: Vec<u8>, _call, later| {
        let work = grpc.clone();
        threads.call(later, move |job| {
            work.outlive(job);
            Ok(Vec::new())
        });
    });
    let app = app.grpc(service).get("/work", move |request, reply| {
        let (work, waits) = (http.clone(), request.query() == Some("wait"));
        reply.blocking_job(move |job| {
            if waits {
                work.outlive(job);
            }
            Response::text("done")
        })
    });
    let running = Running::start(app);
    let ask = |host, path: &str| {
        let mut stream = connect_from(&running, host);
        write!(stream, "GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        stream
    };
    let call = |host| Talk::over(connect_from(&running, host), "/s/Work", "");
    for n in 0..10 {
        let mut stream = match n % 2 {
            0 => ask(2, "/work?wait"),
            _ => {
                let mut talk = call(2);
                talk.send(&framed(b"x"));
                talk.half_close();
                talk.into_stream()
            }
        };
        assert_eq!(said.recv_timeout(PATIENCE), Ok("begun"));
        stream.flush().unwrap();
        let linger = Some(Duration::ZERO); // it goes with a reset
        socket2::SockRef::from(&stream).set_linger(linger).unwrap();
        drop(stream);
        assert_eq!(said.recv_timeout(PATIENCE), Ok("alone"));
    }
    let refused = read_until(&mut ask(2, "/work"), "\r\n\r\n");
    assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
    let mut refused = call(2);
    refused.send(&framed(b"x"));
    refused.half_close();
    let busy = app_support::grpc::failed("8", "the server is busy");
    assert_eq!(refused.next(), busy);
    let answer = read_until(&mut ask(3, "/work"), "done");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    drop(go);
    wait_until("the jobs are done", || {
        read_until(&mut ask(2, "/work"), "\r\n\r\n").starts_with("HTTP/1.1 200 ")
    });
}

#[test]
fn a_proxy_has_no_share() {
    let limits = Limits::DEFAULT.with_memberships(SHARE).with_per_address(3);
    let options = ListenOptions::DEFAULT.with_proxies(["127.0.0.2/31".parse().unwrap()]);
    let running = Running::start(app(limits).listen_options(options));
    let mut clients: Vec<TcpStream> = (0..9).map(|_| socket(connect_from(&running, 2))).collect();
    for (n, client) in clients.iter_mut().enumerate() {
        for room in 0..3 {
            let answer = say(client, &format!("join {n}-{room}"));
            assert_eq!(answer, Ok("joined true".into()));
        }
    }
}

/// Asks for `/film` on `n` streams whose windows stay shut; returns how many
/// were answered 200.
fn films(stream: &mut TcpStream, n: u32) -> usize {
    let frame = |kind: u8, flags: u8, id: u32, payload: &[u8]| {
        let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
        frame.extend([kind, flags]);
        frame.extend(id.to_be_bytes());
        frame.extend(payload);
        frame
    };
    let mut asked = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    asked.extend(frame(4, 0, 0, &[0, 4, 0, 0, 0, 0]));
    for n in 0..n {
        let block = b"\x82\x86\x04\x05/film\x01\x01a";
        asked.extend(frame(1, 5, 1 + 2 * n, block));
    }
    stream.write_all(&asked).unwrap();
    let (mut heads, mut taken) = (0, 0);
    while heads < n {
        let mut head = [0; 9];
        stream.read_exact(&mut head).unwrap();
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        stream.read_exact(&mut payload).unwrap();
        if head[3] == 1 {
            heads += 1;
            taken += usize::from(payload[0] == 0x88); // :status 200
        }
    }
    taken
}

#[test]
fn one_address_does_not_hold_all_files_open() {
    let path = std::env::temp_dir().join(format!("barewire-film-{}", std::process::id()));
    std::fs::write(&path, vec![b'f'; 100_000]).unwrap();
    let share = Share {
        all: 6,
        address: 3,
        connection: 2,
    };
    let from = path.clone();
    let app = app(Limits::DEFAULT.with_files(share)).get("/film", move |_request, reply| {
        let film = std::fs::File::open(&from)
            .and_then(FilePart::whole)
            .unwrap();
        reply.file("video/mp4", film)
    });
    let running = Running::start(app);
    let mut peers: Vec<TcpStream> = [2, 2, 2, 3]
        .into_iter()
        .map(|host| connect_from(&running, host))
        .collect();
    let taken: Vec<usize> = peers.iter_mut().map(|peer| films(peer, 5)).collect();
    assert_eq!(taken, [2, 1, 0, 2]);
    // They are given back with their streams: RST_STREAM with CANCEL.
    for id in [1, 3] {
        let reset = [0, 0, 4, 3, 0, 0, 0, 0, id, 0, 0, 0, 8];
        peers[0].write_all(&reset).unwrap();
    }
    // The same connection says when it has read them: PING.
    peers[0]
        .write_all(b"\0\0\x08\x06\0\0\0\0\0answered")
        .unwrap();
    let mut said = Vec::new();
    while !said.ends_with(b"answered") {
        let mut byte = [0];
        peers[0].read_exact(&mut byte).unwrap();
        said.push(byte[0]);
    }
    assert_eq!(films(&mut connect_from(&running, 2), 5), 2);
    std::fs::remove_file(path).unwrap();
}

/// Asks for a file, and reads the head of the answer alone.
fn ask_file(stream: &mut TcpStream, path: &str) -> String {
    write!(stream, "GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

#[test]
fn one_address_does_not_hold_all_files_open_by_http1() {
    let path = std::env::temp_dir().join(format!("barewire-films-{}", std::process::id()));
    // More than the kernels take for a peer that reads nothing; all of it a hole.
    let film = std::fs::File::create(&path).unwrap();
    film.set_len(256 << 20).unwrap();
    let share = Share {
        all: 6,
        address: 3,
        connection: 2,
    };
    let from = path.clone();
    let app = app(Limits::DEFAULT.with_files(share)).get("/{what}", move |request, reply| {
        let film = std::fs::File::open(&from)
            .and_then(FilePart::whole)
            .unwrap();
        let film = match request.param("what") {
            "film" => film,
            _ => film.slice(0, 20_000),
        };
        reply.file("video/mp4", film)
    });
    let running = Running::start(app);
    let mut stalled: Vec<TcpStream> = (0..3).map(|_| connect_from(&running, 2)).collect();
    for stream in &mut stalled {
        assert!(ask_file(stream, "/film").starts_with("HTTP/1.1 200 "));
    }
    let mut more = connect_from(&running, 2);
    for path in ["/film", "/short"] {
        let refused = ask_file(&mut more, path);
        assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
        assert!(refused.contains("Retry-After: 1\r\n"), "{refused}");
        let length = refused.split("Content-Length: ").nth(1).unwrap();
        let length = length.split("\r\n").next().unwrap().parse().unwrap();
        more.read_exact(&mut vec![0; length]).unwrap();
    }
    let mut other = connect_from(&running, 3);
    // What has been sent is given back.
    for _ in 0..10 {
        let head = ask_file(&mut other, "/short");
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        other.read_exact(&mut [0; 20_000]).unwrap();
    }
    assert!(ask_file(&mut other, "/film").starts_with("HTTP/1.1 200 "));
    // So is what can be sent no more.
    stalled.pop();
    wait_until("the file is given back", || {
        let mut stream = connect_from(&running, 2);
        ask_file(&mut stream, "/film").starts_with("HTTP/1.1 200 ")
    });
    std::fs::remove_file(path).unwrap();
}
