//! What servers of gRPC make of keep-alives (gRPC A8), over real sockets.

#![cfg(feature = "net")]

use core::time::Duration;
use std::io::Read;

use crate::app_support::Running;
use crate::app_support::grpc::framed;
use crate::grpc_http2::{self, Peer, Scene, scene};
use crate::http2_support::{ACK, PING, Seen, frame, frames};
use barewire::app::{App, Service};
use barewire::{http2, link};

const ECHO: &str = "/test.Test/Echo";

impl Peer {
    /// Pings and waits for the answer; whether it came.
    fn ping(&mut self, n: u64) -> bool {
        let opaque = n.to_be_bytes();
        self.side.out.extend(frame(PING, 0, 0, &opaque));
        let mut goes_on = true;
        self.until(|seen| {
            goes_on = !seen.iter().any(|it| matches!(it, Seen::GoAway(..)));
            !goes_on || seen.contains(&Seen::Pong(opaque))
        });
        goes_on
    }

    /// The end of the connection, and what was said last.
    fn end(mut self) -> (u32, Vec<u8>) {
        let last = self.seen.iter().find_map(|seen| match seen {
            Seen::GoAway(_, code, debug) => Some((*code, debug.clone())),
            _ => None,
        });
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest).unwrap();
        assert!(frames(&rest).iter().all(|it| it.flags & ACK == 0));
        last.unwrap()
    }
}

fn too_many() -> (u32, Vec<u8>) {
    (11, b"too_many_pings".to_vec())
}

#[test]
fn a_caller_that_pings_too_often_is_sent_away() {
    let Scene { running, ends } = scene();
    let mut other = Peer::connect(&running);
    for path in [ECHO, "/test.Test/Nothing", "/nowhere"] {
        let mut peer = Peer::connect(&running);
        let answer = peer.call(path, &[], &framed("a"));
        assert!([200, 404].contains(&answer.status));
        // One in time and two that are forgiven.
        assert_eq!([0, 1, 2].map(|n| peer.ping(n)), [true; 3], "{path}");
        assert!(!peer.ping(3));
        assert_eq!(peer.end(), too_many());
    }
    // Its calls end with it.
    let mut peer = Peer::connect(&running);
    let id = peer.open("/test.Test/Talk", &[]);
    peer.data(id, 0, &framed("a"));
    peer.until(|seen| seen.iter().any(|it| matches!(it, Seen::Data(..))));
    assert_eq!([0, 1, 2].map(|n| peer.ping(n)), [true; 3]);
    assert!(!peer.ping(3));
    assert_eq!(peer.end(), too_many());
    ends.recv_timeout(grpc_http2::PATIENCE).unwrap();
    assert_eq!(other.call(ECHO, &[], &framed("a")).code(), "0");
}

#[test]
fn probes_for_what_is_sent_are_no_keep_alives() {
    let Scene { running, .. } = scene();
    let mut peer = Peer::connect(&running);
    let id = peer.open("/test.Test/Talk", &[]);
    for n in 0..100 {
        peer.data(id, 0, &framed("a"));
        let wanted = framed("a").len() * (n as usize + 1);
        let came = |seen: &Seen| match seen {
            Seen::Data(_, bytes) => bytes.len(),
            _ => 0,
        };
        peer.until(|seen| seen.iter().map(came).sum::<usize>() == wanted);
        assert!(peer.ping(2 * n) && peer.ping(2 * n + 1), "{n}");
    }
    for n in 200..300 {
        assert_eq!(peer.call(ECHO, &[], &framed("a")).code(), "0");
        assert!(peer.ping(n), "{n}");
    }
}

#[test]
fn clients_that_make_no_calls_have_rules_of_their_own() {
    let app = App::new()
        .get("/", |_request, reply| reply.text("fine"))
        .grpc(Service::new("test.Test").unary("Echo", |it: Vec<u8>, _call| Ok(it)));
    let running = Running::start(app);
    let mut peer = Peer::connect(&running);
    assert_eq!(peer.call("/", &[(":method", "GET")], b"").body, b"fine");
    let web = [("content-type", "application/grpc-web+proto")];
    assert_eq!(peer.call(ECHO, &web, &framed("a")).status, 200);
    assert!((0..15).all(|n| peer.ping(n)));
}

#[test]
fn the_rules_are_limits() {
    let with = |limits: http2::Limits| {
        let service = Service::new("test.Test").unary("Echo", |it: Vec<u8>, _call| Ok(it));
        let limits = link::Limits::DEFAULT.with_http2(limits);
        let running = Running::start(App::new().protocol_limits(limits).grpc(service));
        let mut peer = Peer::connect(&running);
        assert_eq!(peer.call(ECHO, &[], &framed("a")).code(), "0");
        (0..50).take_while(|&n| peer.ping(n)).count()
    };
    let limits = http2::Limits::DEFAULT;
    assert_eq!(with(limits.with_keep_alive_strikes(9)), 10);
    assert_eq!(with(limits.with_keep_alive_strikes(0)), 1);
    assert_eq!(with(limits.with_keep_alive_gap(Duration::ZERO)), 3);
    assert_eq!(with(limits.with_keep_alive_idle_gap(Duration::ZERO)), 50);
}
