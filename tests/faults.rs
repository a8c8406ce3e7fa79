//! Hostile peers, lost peers, and a system that runs out: over real sockets,
//! with figures. Run with `--nocapture` to see them.
#![cfg(all(feature = "net", target_os = "linux"))]

mod app_support;
#[path = "counting/heap.rs"]
mod heap;

use core::sync::atomic::{
    AtomicBool, AtomicUsize,
    Ordering::{Relaxed, SeqCst},
};
use core::time::Duration;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use app_support::{PATIENCE, Running, wait_until};
use barewire::app::{App, Message, Socket, WebSocket};
use barewire::net::{Address, Limits};
use barewire::{http1, link, websocket};
use socket2::{Domain, Socket as RawSocket, Type};

/// The tests measure, so they take turns.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> std::sync::MutexGuard<'static, ()> {
    ALONE
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

struct Echo;

impl WebSocket for Echo {
    fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
        socket.send(message);
    }
}

/// Bytes of the large answer.
const BIG: usize = 256 << 10;

fn app() -> App {
    App::new()
        .get("/hello", |_request, reply| reply.text("Hello, World!"))
        .get("/big", |_request, reply| reply.body("x/y", vec![b'x'; BIG]))
        .post("/echo", |request, reply| {
            reply.body(request.content_type(), request.body())
        })
        .websocket("/ws", |_request| Ok(Echo))
}

/// What a loop may hold on the heap, whatever its peers do (docs/limits.md):
/// what its peers hold, one reply that is being made, and what is its own.
fn bound(limits: &Limits, reply: usize) -> usize {
    let own = 65 * limits.read_size // the read buffer and 64 spare ones
        + 2 * (256 << 10) // corks
        + limits.spare_memory
        + 1024 * 512 // spare queues
        + 16 * (64 << 10) // the shelf
        + (2 << 20); // tables of the loop, the app and the poller
    let records = limits.connections as usize * 2 * 512; // tables grow by doubling
    // Made by the handler, corked, waiting; and each may have grown by doubling.
    limits.memory + records + own + 6 * reply
}

const UPGRADE: &[u8] = b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
const HELLO: &[u8] = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";

fn address(running: &Running) -> SocketAddr {
    let [Address::Tcp(address)] = running.server().local_addresses() else {
        panic!()
    };
    *address
}

/// What a hostile peer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Malice {
    TricklesHead,
    TricklesBody,
    NeverReads,
    IsSilent,
    PingsInAFragment,
    AnnouncesTooMuch,
}

const MALICE: [Malice; 6] = [
    Malice::TricklesHead,
    Malice::TricklesBody,
    Malice::NeverReads,
    Malice::IsSilent,
    Malice::PingsInAFragment,
    Malice::AnnouncesTooMuch,
];

impl Malice {
    /// What it says first.
    fn opening(self) -> Vec<u8> {
        let frame = |bytes: &[u8]| [UPGRADE, bytes].concat();
        match self {
            Self::TricklesHead => b"GET /hello HTTP/1.1\r\nHost: a\r\nX-A: ".to_vec(),
            Self::TricklesBody => {
                b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n".to_vec()
            }
            Self::NeverReads => b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(),
            Self::IsSilent => Vec::new(),
            Self::PingsInAFragment => frame(b"\x01\x83\0\0\0\0abc"),
            Self::AnnouncesTooMuch => frame(b"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0"),
        }
    }

    /// What it says again and again.
    const fn again(self) -> &'static [u8] {
        match self {
            Self::TricklesHead | Self::TricklesBody => b"x",
            Self::NeverReads => b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n",
            Self::IsSilent => b"",
            Self::PingsInAFragment => b"\x89\x80\0\0\0\0",
            Self::AnnouncesTooMuch => b"y",
        }
    }
}

/// Attacks from `peers` connections until told to stop; answers how often one
/// was thrown out and came back.
fn attack(address: SocketAddr, peers: usize, stop: &AtomicBool, ready: &AtomicBool) -> usize {
    let open = |malice: Malice| {
        let mut stream = TcpStream::connect(address).ok()?;
        stream.set_nonblocking(true).ok()?;
        let _ = stream.write(&malice.opening());
        Some(stream)
    };
    let mut streams: Vec<_> = MALICE
        .iter()
        .copied()
        .cycle()
        .take(peers)
        .map(|malice| (malice, open(malice)))
        .collect();
    ready.store(true, Relaxed);
    let mut returns = 0;
    for round in 0_usize.. {
        if stop.load(Relaxed) {
            break;
        }
        for (number, (malice, place)) in streams.iter_mut().enumerate() {
            let lost = match place {
                None => true,
                Some(stream) => match stream.write(malice.again()) {
                    Ok(_) => false,
                    Err(error) => error.kind() != ErrorKind::WouldBlock,
                },
            };
            // Who was thrown out is back within a second.
            if lost {
                *place = None;
            }
            if place.is_none() && number % 10 == round % 10 {
                returns += 1;
                *place = open(*malice);
            }
        }
        thread::sleep(Duration::from_millis(100));
    }
    returns
}

/// Asks for `time` on a few connections, one question after another, and at
/// least a hundred on each; answers how long each took.
fn honest(address: SocketAddr, time: Duration) -> Vec<Duration> {
    let ask = move |websocket: bool| {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut buffer = [0; 1024];
        if websocket {
            stream.write_all(UPGRADE).unwrap();
            let n = stream.read(&mut buffer).unwrap();
            assert!(buffer[..n].starts_with(b"HTTP/1.1 101 "));
        }
        let (mut took, began) = (Vec::new(), Instant::now());
        while began.elapsed() < time || took.len() < 100 {
            let start = Instant::now();
            let question: &[u8] = if websocket {
                b"\x81\x82\0\0\0\0hi"
            } else {
                HELLO
            };
            stream.write_all(question).unwrap();
            let n = stream.read(&mut buffer).unwrap();
            let answer = &buffer[..n];
            assert!(answer == b"\x81\x02hi" || answer.ends_with(b"Hello, World!"));
            took.push(start.elapsed());
        }
        took
    };
    let threads: Vec<_> = [true, false, true, false]
        .map(|websocket| thread::spawn(move || ask(websocket)))
        .into_iter()
        .collect();
    let mut all: Vec<_> = threads
        .into_iter()
        .flat_map(|it| it.join().unwrap())
        .collect();
    all.sort();
    all
}

fn shown(what: &str, took: &[Duration]) {
    let at = |part: usize| took[took.len() * part / 1000];
    println!(
        "{what}: {} answers, p50 {:?}, p99 {:?}, p99.9 {:?}",
        took.len(),
        at(500),
        at(990),
        at(999)
    );
}

#[test]
fn honest_clients_are_served_among_two_thousand_hostile_peers_in_bounded_memory() {
    let _alone = alone();
    let limits = Limits::DEFAULT
        .with_connections(4000)
        .with_per_address(4000)
        .with_memory(16 << 20);
    let base = heap::live();
    let running = Running::start(app().limits(limits.clone()));
    let to = address(&running);
    shown("alone", &honest(to, Duration::from_millis(1500)));
    heap::begin();
    let (stop, ready) = (AtomicBool::new(false), AtomicBool::new(false));
    let peers = 2000;
    thread::scope(|scope| {
        let attacker = scope.spawn(|| attack(to, peers, &stop, &ready));
        wait_until("the attack begins", || ready.load(Relaxed));
        shown(
            "among 2,000 hostile peers",
            &honest(to, Duration::from_secs(4)),
        );
        stop.store(true, Relaxed);
        let returns = attacker.join().unwrap();
        println!("thrown out and come back: {returns} times");
    });
    let held = heap::peak() - base;
    let most = bound(&limits, BIG);
    println!("heap at its peak: {held} bytes of at most {most}");
    assert!(held <= most, "{held} > {most}");
}

#[test]
fn large_messages_from_all_sides_stay_within_the_memory_limit() {
    let _alone = alone();
    let limits = Limits::DEFAULT
        .with_per_address(4000)
        .with_connections(1000)
        .with_memory(8 << 20);
    let base = heap::live();
    let running = Running::start(app().limits(limits.clone()));
    let to = address(&running);
    heap::begin();
    // Each announces a MiB, and sends all of it but the end.
    let piece = vec![b'm'; 64 << 10];
    let mut streams: Vec<_> = (0..200)
        .filter_map(|_| {
            let mut stream = TcpStream::connect(to).ok()?;
            stream.set_nonblocking(true).ok()?;
            let head = b"\x82\xff\0\0\0\0\0\x10\0\0\0\0\0\0";
            stream.write_all(&[UPGRADE, head].concat()).ok()?;
            Some(stream)
        })
        .collect();
    for _ in 0..15 {
        for stream in &mut streams {
            let _ = stream.write(&piece);
        }
        thread::sleep(Duration::from_millis(20));
    }
    let mut stream = running.connect();
    stream.write_all(HELLO).unwrap();
    let mut buffer = [0; 1024];
    let n = stream.read(&mut buffer).unwrap();
    assert!(buffer[..n].ends_with(b"Hello, World!"));
    let held = heap::peak() - base;
    let most = bound(&limits, BIG);
    println!("200 open messages of a MiB: heap {held} bytes of at most {most}");
    assert!(held <= most, "{held} > {most}");
}

#[test]
fn connections_cost_little_while_they_are_idle() {
    let _alone = alone();
    let limits = Limits::DEFAULT.with_per_address(10_000);
    let app = app().limits(limits);
    let metrics = app.metrics();
    let running = Running::start(app);
    let to = address(&running);
    for (what, opening) in [("HTTP", HELLO), ("WebSocket", UPGRADE)] {
        let live = |count: usize| {
            let streams: Vec<_> = (0..count)
                .map(|_| {
                    let mut stream = TcpStream::connect(to).unwrap();
                    stream.write_all(opening).unwrap();
                    stream.set_read_timeout(Some(PATIENCE)).unwrap();
                    assert!(stream.read(&mut [0; 1024]).unwrap() > 0);
                    stream
                })
                .collect();
            (
                heap::live() - streams.capacity() * size_of::<TcpStream>(),
                streams,
            )
        };
        let (few, kept) = live(100);
        let (many, more) = live(2000);
        println!(
            "an idle {what} connection: {} bytes of heap",
            (many - few) / 2000
        );
        assert!((many - few) / 2000 < 1500);
        drop((kept, more));
        wait_until("all are gone", || {
            metrics.snapshot().connections_active == 0
        });
    }
}

/// The child of the tests below: serves until its input ends.
#[test]
#[ignore = "run by other tests, in a process of its own"]
fn child_serves() {
    if std::env::var_os("BAREWIRE_CHILD").is_none() {
        return;
    }
    let limits = Limits::DEFAULT.with_per_address(10_000);
    let running = Running::start(app().limits(limits));
    println!("\nlistening {}", address(&running));
    let _ = std::io::stdin().read(&mut [0]);
}

/// The child that is killed: opens connections to the address in its
/// environment, says half of something on each, and waits for its input to end.
#[test]
#[ignore = "run by other tests, in a process of its own"]
fn child_talks() {
    let Ok(to) = std::env::var("BAREWIRE_TALK_TO") else {
        return;
    };
    let halves: [&[u8]; 4] = [
        b"GET /hel",
        b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf",
        &[UPGRADE, b"\x81\xfe\x01\x00\0\0\0\0half"].concat(),
        &[UPGRADE, b"\x01\x84\0\0\0\0half"].concat(),
    ];
    let streams: Vec<_> = halves
        .iter()
        .cycle()
        .take(100)
        .map(|half| {
            let mut stream = TcpStream::connect(&to).unwrap();
            stream.write_all(half).unwrap();
            stream
        })
        .collect();
    println!("\ntalking {}", streams.len());
    let _ = std::io::stdin().read(&mut [0]);
}

fn child(test: &str, limit: &str) -> Command {
    let exe = std::env::current_exe().unwrap();
    let mut command = Command::new("sh");
    let script = format!("{limit} exec \"$0\" --exact {test} --ignored --nocapture");
    command.arg("-c").arg(script).arg(exe);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

/// Reads the child's output up to a line that begins so; answers the rest of
/// that line.
fn said(from: &mut impl BufRead, begin: &str) -> String {
    let mut line = String::new();
    while from.read_line(&mut line).unwrap() > 0 {
        if let Some(rest) = line.strip_prefix(begin) {
            return rest.trim().into();
        }
        line.clear();
    }
    panic!("the child never said {begin:?}");
}

/// Processor time of a process, in hundredths of a second.
fn spent(process: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .unwrap()
        .1
        .split_whitespace()
        .collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

/// A server under limits of a shell, and where it listens.
fn serves_with(limit: &str) -> (Child, SocketAddr) {
    let mut server = child("child_serves", limit)
        .env("BAREWIRE_CHILD", "1")
        .spawn()
        .unwrap();
    let mut output = BufReader::new(server.stdout.as_mut().unwrap());
    let to = said(&mut output, "listening ").parse().unwrap();
    (server, to)
}

/// Asks for a greeting; whether it came.
fn ask(stream: &mut TcpStream) -> Option<()> {
    let mut buffer = [0; 1024];
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(HELLO).ok()?;
    let n = stream.read(&mut buffer).ok()?;
    buffer[..n].ends_with(b"Hello, World!").then_some(())
}

/// A connection that comes from 127.0.0.`host`.
fn connect_as(host: u8, to: SocketAddr) -> TcpStream {
    let socket = RawSocket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let from = SocketAddr::from(([127, 0, 0, host], 0));
    socket.bind(&from.into()).unwrap();
    socket.connect(&to.into()).unwrap();
    socket.into()
}

#[test]
fn one_address_does_not_take_all_descriptors() {
    let _alone = alone();
    let (mut server, to) = serves_with("ulimit -n 256;");
    let mut crowd: Vec<_> = (0..300).map(|_| connect_as(2, to)).collect();
    let let_in = crowd.iter_mut().filter_map(ask).count();
    assert_eq!(let_in, (256 - 64) * 3 / 4);
    ask(&mut connect_as(3, to)).expect("another address is served");
    drop((crowd, server.stdin.take()));
    assert!(server.wait().unwrap().success());
}

#[test]
fn out_of_descriptors_it_waits_without_spinning_and_recovers() {
    let _alone = alone();
    let (mut server, to) = serves_with("ulimit -n 256;");
    let mut first = TcpStream::connect(to).unwrap();
    ask(&mut first).unwrap();
    let mut crowd: Vec<_> = (0..300_u16)
        .map(|n| connect_as(2 + (n % 3) as u8, to))
        .collect();
    thread::sleep(Duration::from_millis(300));
    let before = spent(server.id());
    thread::sleep(Duration::from_secs(1));
    let used = spent(server.id()) - before;
    println!("processor time of a loop out of descriptors: {used} % of a second");
    assert!(used < 50, "it spins");
    ask(&mut first).expect("those who are in are served");
    let mut last = TcpStream::connect(to).unwrap();
    crowd.clear();
    let began = Instant::now();
    ask(&mut last).expect("and those who wait, as soon as there is room");
    println!("recovered within {:?}", began.elapsed());
    drop(server.stdin.take());
    assert!(server.wait().unwrap().success());
}

#[test]
fn clients_that_are_killed_leave_nothing_behind() {
    let _alone = alone();
    // No deadline of the server's plays a part.
    let http1 = http1::Limits::DEFAULT
        .with_head_timeout(10 * PATIENCE)
        .with_body_grace(10 * PATIENCE);
    let websocket = websocket::Limits::DEFAULT
        .with_ping_interval(10 * PATIENCE)
        .with_message_timeout(10 * PATIENCE);
    let limits = link::Limits::DEFAULT
        .with_http1(http1)
        .with_websocket(websocket);
    let app = app().protocol_limits(limits);
    let metrics = app.metrics();
    let running = Running::start(app);
    let open = || metrics.snapshot().connections_active;
    for round in 0..3 {
        let mut talker = child("child_talks", "")
            .env("BAREWIRE_TALK_TO", address(&running).to_string())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(talker.stdout.take().unwrap());
        assert_eq!(said(&mut output, "talking "), "100");
        wait_until("all are in", || open() == 100);
        talker.kill().unwrap(); // SIGKILL
        talker.wait().unwrap();
        wait_until("all are gone", || open() == 0);
        println!("round {round}: 100 clients killed, none left");
    }
}

/// What a client saw of a server that was shut down meanwhile.
#[derive(Debug, Default)]
struct Tally {
    answered: AtomicUsize,
    lost: AtomicUsize,
    cut: AtomicUsize,
}

#[test]
fn shutting_down_under_load_loses_no_request() {
    let _alone = alone();
    let running = Running::start(app());
    let to = address(&running);
    let (told, tally) = (AtomicBool::new(false), Tally::default());
    // Asks until the server takes no connection any more.
    let client = |keeps: bool| {
        let mut kept: Option<TcpStream> = None;
        loop {
            let Ok(mut stream) = kept.take().map_or_else(|| TcpStream::connect(to), Ok) else {
                return;
            };
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            let mut buffer = [0; 1024];
            let is_sent = stream.write_all(HELLO).is_ok();
            // What is sent before the signal has to be answered; what comes
            // later may find its connection closed (RFC 9112 §9.3.1).
            let is_owed = !told.load(SeqCst);
            let n = match is_sent {
                true => stream.read(&mut buffer).unwrap_or(0),
                false => 0,
            };
            let answer = &buffer[..n];
            if answer.ends_with(b"Hello, World!") {
                tally.answered.fetch_add(1, Relaxed);
                let ends = answer.windows(17).any(|it| it == b"Connection: close");
                kept = (keeps && !ends).then_some(stream);
            } else if is_owed {
                tally.lost.fetch_add(1, Relaxed);
            } else if n > 0 {
                tally.cut.fetch_add(1, Relaxed); // a part of an answer
            }
        }
    };
    thread::scope(|scope| {
        for number in 0..8 {
            scope.spawn(move || client(number % 2 == 0));
        }
        wait_until("some hundred are answered", || {
            tally.answered.load(Relaxed) > 300
        });
        told.store(true, SeqCst);
        running.server().handle().shutdown(PATIENCE);
    });
    println!("shut down under load: {tally:?}");
    assert_eq!((tally.lost.into_inner(), tally.cut.into_inner()), (0, 0));
}
