//! The attacks of `data/h2-attacks.jsonl` that take time, on a whole server over
//! real sockets whose deadlines are short. What must happen is waited for; that
//! it happens in time is told by the machine's own tests (`http2_attacks.rs`),
//! whose clock is theirs.

#![cfg(feature = "net")]

use core::time::Duration;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

use crate::app_support::Running;
use crate::app_support::grpc::framed;
use crate::grpc_http2::{PATIENCE, Peer};
use crate::http2_support::{
    ACK, CONTINUATION, END_HEADERS, GET, GOAWAY, HEADERS, PING, SETTINGS, Seen, Sent, block, frame,
    frames, get, number, opening, post,
};
use barewire::app::{App, Done, Reply, Request, Route, Service, Stream, Streaming};
use barewire::{http2, link};

const SECOND: Duration = Duration::from_secs(1);

/// Takes a body, and never answers.
struct Drain;

impl Streaming for Drain {
    fn chunk(&mut self, _stream: &mut Stream<'_, '_>, _data: &mut [u8]) {}
}

fn drain(_request: &Request<'_>, reply: Reply<'_, '_>) -> Done {
    reply.receive(Drain)
}

/// A server with these deadlines.
fn server(limits: http2::Limits) -> Running {
    let app = App::new()
        .protocol_limits(link::Limits::DEFAULT.with_http2(limits))
        .get("/", |_request, reply| reply.text("fine"))
        .get("/large", |_request, reply| {
            reply.body("text/plain", vec![b'x'; 100_000])
        })
        .route(Route::post("/").stream(drain))
        .grpc(Service::new("test.Test").unary("Echo", |it: Vec<u8>, _call| Ok(it)));
    Running::start(app)
}

/// Others are served as before: over HTTP/1.1, whose deadlines are long.
fn serves_others(running: &Running) {
    let answer = running.get("/");
    assert_eq!((answer.status, &*answer.body), (200, "fine"));
}

/// All that comes until the connection ends.
fn to_the_end(stream: &mut TcpStream) -> Vec<Sent> {
    let mut said = Vec::new();
    match stream.read_to_end(&mut said) {
        Ok(_) => {}
        // What we had said may not have been read.
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
    frames(&said)
}

fn goaway(said: &[Sent]) -> (u32, &[u8]) {
    let last = said.last().expect("something was said");
    assert_eq!(last.kind, GOAWAY, "{said:?}");
    let code = u32::from_be_bytes(last.payload[4..8].try_into().unwrap());
    (code, &last.payload[8..])
}

/// Says this and nothing more; what comes of it.
fn silence(running: &Running, said: &[u8]) -> Vec<Sent> {
    let mut stream = running.connect();
    stream.write_all(said).unwrap();
    to_the_end(&mut stream)
}

#[test]
fn preface_then_silence() {
    let running = server(http2::Limits::DEFAULT.with_idle_timeout(SECOND));
    let said = silence(&running, &opening());
    assert_eq!(goaway(&said), (0, &b"idle"[..]));
    let said = silence(&running, &[opening(), get(1)].concat());
    assert!(said.iter().any(|it| it.kind == HEADERS));
    assert_eq!(goaway(&said), (0, &b"idle"[..]));
    serves_others(&running);
    // The settings never come, or ours are never acknowledged.
    let limits = http2::Limits::DEFAULT.with_header_timeout(SECOND);
    let running = server(limits.with_settings_timeout(SECOND));
    let preface = opening()[..24].to_vec();
    let said = silence(&running, &preface);
    assert_eq!(goaway(&said), (0, &b"preface_timeout"[..]));
    let unacknowledged = [&preface[..], &frame(SETTINGS, 0, 0, &[])].concat();
    assert_eq!(goaway(&silence(&running, &unacknowledged)).0, 4);
    serves_others(&running);
}

#[test]
fn header_block_never_ends() {
    let running = server(http2::Limits::DEFAULT.with_header_timeout(SECOND));
    let begun = [opening(), frame(HEADERS, 0, 1, &block(&GET))].concat();
    assert_eq!(
        goaway(&silence(&running, &begun)),
        (11, &b"header_timeout"[..])
    );
    // A trickle does not put it off.
    let mut stream = running.connect();
    let long = [&block(&GET)[..], &[b'a'; 16_000]].concat();
    let endless = frame(CONTINUATION, END_HEADERS, 1, &long);
    stream.write_all(&begun).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_millis(50)))
        .unwrap();
    let (mut said, mut piece) = (Vec::new(), [0; 1024]);
    for octet in endless {
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(n) => said.extend_from_slice(&piece[..n]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::ConnectionReset);
                break;
            }
        }
        if stream.write_all(&[octet]).is_err() {
            break;
        }
    }
    assert_eq!(goaway(&frames(&said)), (11, &b"header_timeout"[..]));
    serves_others(&running);
}

#[test]
fn a_peer_that_is_gone() {
    let limits = http2::Limits::DEFAULT.with_ping_interval(SECOND);
    let running = server(limits.with_ping_timeout(SECOND));
    let mut stream = running.connect();
    stream.write_all(&[opening(), post(1)].concat()).unwrap();
    let said = to_the_end(&mut stream);
    let pings = |it: &&Sent| it.kind == PING && it.flags & ACK == 0;
    assert_eq!(said.iter().filter(pings).count(), 1, "{said:?}");
    serves_others(&running);
    // One that answers is kept.
    let running = server(limits.with_ping_timeout(PATIENCE));
    let mut peer = Peer::connect(&running);
    let id = peer.open("/", &[]);
    let pinged = |seen: &[Seen]| seen.iter().filter(|it| matches!(it, Seen::Ping(_))).count();
    peer.until(|seen| pinged(seen) == 3);
    assert!(peer.side.machine.is_open(id));
}

#[test]
fn zero_window_stall() {
    let running = server(http2::Limits::DEFAULT.with_stall_timeout(SECOND));
    let mut peer = Peer::connect(&running);
    let shut = frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]);
    peer.side.out.extend(shut);
    let streams: Vec<u32> = (0..100)
        .map(|_| peer.open("/large", &[(":method", "GET")]))
        .collect();
    for &id in &streams {
        peer.data(id, 1, b""); // nothing more comes of our side
    }
    let resets = |seen: &[Seen]| {
        let of = |it: &&Seen| matches!(it, Seen::Reset(_, 8, true));
        seen.iter().filter(of).count()
    };
    peer.until(|seen| resets(seen) == streams.len());
    let heads = |it: &&Seen| matches!(it, Seen::Response { status: 200, .. });
    assert_eq!(peer.seen.iter().filter(heads).count(), streams.len());
    assert!(!peer.seen.iter().any(|it| matches!(it, Seen::Data(..))));
    // The connection is not harmed.
    peer.side
        .out
        .extend(frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0xff, 0xff]));
    assert_eq!(peer.call("/test.Test/Echo", &[], &framed("a")).code(), "0");
    serves_others(&running);
}

#[test]
fn a_window_that_opens_too_slowly_is_none_that_stays_shut() {
    // As long as there is progress, no deadline passes.
    let running = server(http2::Limits::DEFAULT.with_stall_timeout(PATIENCE));
    let mut peer = Peer::connect(&running);
    peer.side
        .out
        .extend(frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 1]));
    let id = peer.open("/", &[(":method", "GET")]);
    peer.data(id, 1, b"");
    for n in 1..=4 {
        let came = |it: &Seen| match it {
            Seen::Data(stream, bytes) if *stream == id => bytes.len(),
            _ => 0,
        };
        peer.until(|seen| seen.iter().map(came).sum::<usize>() == n);
        peer.side.out.extend(number(8, id, 1));
    }
    assert_eq!(peer.answer(id).body, b"fine");
}
