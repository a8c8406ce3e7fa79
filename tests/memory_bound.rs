//! The bound on memory, computed from the limits, against every kind of holder
//! at one time, as the allocator counts.
#![cfg(feature = "net")]

use core::time::Duration;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::thread;

use barewire::app::{
    App, Conversation, EventStream, Events, Message, Post, Response, ResponseStream, Service,
    Socket, WebSocket,
};
use barewire::net::Limits;
#[cfg(feature = "files")]
use barewire::{app::Refusal, http::Status};

mod app_support;
#[path = "counting/heap.rs"]
mod heap;

use app_support::Running;

/// Bytes of the largest answer, and of what is published.
const BIG: usize = 1 << 20;
const PUBLISHED: usize = 64 << 10;
/// One answer more than there is room for: made by its handler, corked, waiting,
/// and each may have grown by doubling.
const ONE_TURN: usize = 6 * BIG;
/// What of that is charged: corked and waiting.
const PLACED: usize = 4 * BIG;
/// Posts of a round: more than the kernel takes for who does not read.
const POSTS: usize = 8;
/// Peers of each kind.
const EACH: usize = 12;

struct Silent;

impl WebSocket for Silent {
    fn message(&mut self, _socket: &mut Socket<'_, '_>, _message: Message<'_>) {}
}

struct Listens;

impl Events for Listens {
    fn open(&mut self, stream: &mut EventStream<'_, '_>) {
        let _ = stream.join("all");
    }
}

/// Takes messages and never answers.
struct Takes;

impl Conversation for Takes {
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    fn message(&mut self, _message: Vec<u8>, _stream: &mut ResponseStream<'_, '_, Vec<u8>>) {}

    fn half_closed(&mut self, stream: &mut ResponseStream<'_, '_, Vec<u8>>) {
        stream.respond(&Vec::new());
    }
}

fn app(limits: Limits, loops: usize) -> App {
    let app = App::new()
        .limits(limits)
        .threads(loops)
        .collect_limit(4 << 20)
        .get("/hello", |_request, reply| reply.text("Hello, World!"))
        .get("/big", |_request, reply| reply.body("x/y", vec![b'x'; BIG]))
        .get("/later", |_request, reply| {
            reply.defer(|deferred| {
                let response = Response::body("x/y", vec![b'x'; BIG]);
                thread::spawn(move || deferred.send(response));
            })
        })
        .post("/collect", |_request, reply| reply.text("ok"))
        .websocket("/ws", |_request| Ok(Silent))
        .events("/events", |_request| Ok(Listens))
        .grpc(Service::new("t.T").client_streaming("Sum", |_call| Ok(Takes)));
    #[cfg(feature = "files")]
    let app = app.get("/file", |_request, reply| {
        // Megabytes that exist: this program.
        let file = std::env::current_exe().and_then(std::fs::File::open);
        let part = file.and_then(barewire::net::FilePart::whole);
        let part = part.map_err(|_| Refusal::new(Status::INTERNAL_SERVER_ERROR))?;
        reply.file("x/y", part).ok()
    });
    app
}

/// What the process may hold beside what it held before (docs/limits.md).
fn bound(limits: &Limits, loops: usize) -> usize {
    let own = 4 << 20; // tables of the loop, the app and the poller; scratch
    let records = limits.connections as usize * 2 * 512; // tables grow by doubling
    loops * (limits.memory + limits.mailbox_memory + records + own + ONE_TURN)
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.extend([0, name.len() as u8]);
        block.extend(name.as_bytes());
        block.push(value.len() as u8);
        block.extend(value.as_bytes());
    }
    block
}

/// A client's HTTP/2 connection with these requests, one a stream.
fn http2(method: &str, path: &str, flags: u8, streams: u32) -> Vec<u8> {
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend(frame(4, 0, 0, &[]));
    let fields = block(&[
        (":method", method),
        (":scheme", "http"),
        (":authority", "a"),
        (":path", path),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ]);
    for stream in 0..streams {
        bytes.extend(frame(1, flags | 4, 2 * stream + 1, &fields));
    }
    bytes
}

/// A client's HTTP/2 connection with four WebSockets, a message begun on each.
fn websockets() -> Vec<u8> {
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend(frame(4, 0, 0, &[]));
    let fields = block(&[
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "http"),
        (":authority", "a"),
        (":path", "/ws"),
        ("sec-websocket-version", "13"),
    ]);
    for stream in [1, 3, 5, 7] {
        bytes.extend(frame(1, 4, stream, &fields));
        let message = b"\x82\xff\0\0\0\0\0\x0f\xff\xff\0\0\0\0";
        bytes.extend(frame(0, 0, stream, message));
    }
    bytes
}

/// A peer that says something first, then something else again and again, and
/// never reads.
struct Peer {
    name: &'static str,
    first: Vec<u8>,
    again: Vec<u8>,
}

/// Each kind of holder.
fn peers() -> Vec<Peer> {
    let junk = vec![0; 64 << 10];
    let post = |head: &str| {
        format!("POST {head} HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n").into_bytes()
    };
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").into_bytes();
    let message = b"\0\0\x3f\0\0"; // of 4 MiB less 64 KiB
    let upgrade = "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let web = "/t.T/Sum HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc-web\r\n\
        Content-Length: 4000000\r\n\r\n";
    let calls: Vec<u8> = (0..4)
        .flat_map(|stream| frame(0, 0, 2 * stream + 1, message))
        .collect();
    let pieces: Vec<u8> = (0..4)
        .flat_map(|stream| frame(0, 0, 2 * stream + 1, &junk[..8 << 10]))
        .collect();
    vec![
        Peer {
            name: "HTTP/1.1, a body",
            first: post("/collect"),
            again: junk.clone(),
        },
        Peer {
            name: "HTTP/1.1, answers",
            first: get("/big"),
            again: get("/big"),
        },
        Peer {
            name: "deferred answers",
            first: get("/later"),
            again: get("/later"),
        },
        Peer {
            name: "WebSocket, a message",
            first: [
                upgrade.as_bytes(),
                b"\x82\xff\0\0\0\0\0\x0f\xff\xff\0\0\0\0",
            ]
            .concat(),
            again: junk.clone(),
        },
        Peer {
            name: "event stream",
            first: get("/events"),
            again: Vec::new(),
        },
        Peer {
            name: "gRPC-Web, a message",
            first: [format!("POST {web}").as_bytes(), message].concat(),
            again: junk,
        },
        Peer {
            name: "gRPC, messages",
            first: [http2("POST", "/t.T/Sum", 0, 4), calls].concat(),
            again: pieces.clone(),
        },
        Peer {
            name: "WebSockets over HTTP/2",
            first: websockets(),
            again: pieces.clone(),
        },
        #[cfg(feature = "files")]
        Peer {
            name: "HTTP/1.1, files",
            first: get("/file"),
            again: get("/file"),
        },
        #[cfg(feature = "files")]
        Peer {
            name: "HTTP/2, files",
            first: http2("GET", "/file", 1, 100),
            again: Vec::new(),
        },
        Peer {
            name: "HTTP/2, answers",
            first: http2("GET", "/big", 1, 100),
            again: Vec::new(),
        },
    ]
}

/// Presses with peers of these kinds: the heap's peak, and the largest of the
/// loops' accounts. A client that asks for little is served all the while, and
/// another thread publishes to all loops.
fn press(limits: &Limits, peers: &[Peer], rounds: u32, loops: usize) -> (usize, usize) {
    let app = app(limits.clone(), loops);
    let (metrics, hub) = (app.metrics(), app.hub());
    let base = heap::live();
    let running = Running::start(app);
    heap::begin();
    let event = "e".repeat(PUBLISHED);
    let mut streams: Vec<(usize, TcpStream)> = Vec::new();
    for round in 1..=rounds {
        // Those that were ended come again.
        for (kind, peer) in peers.iter().enumerate() {
            let there = streams.iter().filter(|it| it.0 == kind).count();
            for _ in there..EACH {
                let mut stream = running.connect();
                stream.set_nonblocking(true).unwrap();
                if stream.write_all(&peer.first).is_ok() {
                    streams.push((kind, stream));
                }
            }
        }
        streams.retain_mut(|(kind, stream)| {
            let written = stream.write(&peers[*kind].again);
            !written.is_err_and(|error| error.kind() != ErrorKind::WouldBlock)
        });
        for _ in 0..POSTS {
            hub.publish("all", Post::from(event.as_str()));
        }
        thread::sleep(Duration::from_millis(10));
        if round % 20 == 0 {
            let mut honest = running.connect();
            honest
                .write_all(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
                .unwrap();
            let mut buffer = [0; 1024];
            let n = honest.read(&mut buffer).unwrap();
            assert!(buffer[..n].ends_with(b"Hello, World!"));
        }
    }
    let accounts = metrics.snapshot().memory;
    let account = accounts.iter().map(|memory| memory.peak()).max();
    (heap::peak() - base, account.unwrap_or(0))
}

#[test]
fn holders_alone_and_together_stay_within_the_bound() {
    let limits = Limits::DEFAULT
        .with_connections(1000)
        .with_memory(32 << 20)
        .with_mailbox_memory(4 << 20);
    let peers = peers();
    let charged = limits.memory + PLACED;
    let press = |name, peers: &[Peer], rounds, loops| {
        let most = bound(&limits, loops);
        let (heap, account) = press(&limits, peers, rounds, loops);
        println!("{name:22} heap {heap:9} of {most:9}, account {account:9} of {charged:9}");
        assert!(heap <= most, "{name}: {heap} > {most}");
        assert!(
            account <= charged,
            "{name}, the account: {account} > {charged}"
        );
        account
    };
    for peer in &peers {
        press(peer.name, core::slice::from_ref(peer), 20, 1);
    }
    for (name, loops) in [("all together", 1), ("the same on two loops", 2)] {
        let peak = press(name, &peers, 60, loops);
        assert!(
            peak >= limits.memory / 4 * 3,
            "they have not come near it: {peak}"
        );
    }
}
