//! What a loop does for a record of TLS, and for a request over it: allocations, and
//! writes.

mod counting;
#[path = "tls/support.rs"]
#[allow(dead_code, reason = "the tests of tls/ use the rest")]
mod support;

use core::sync::atomic::Ordering::Relaxed;
use core::time::Duration;
use std::io::{Read, Write};
use std::sync::Arc;

use barewire::app::App;
use barewire::net::{Limits, Loop, Scripted, ScriptedClient};
use barewire::tls::ServerOptions;
use counting::{ALLOCATIONS, COUNTS};
use rustls::{ClientConfig, ClientConnection};
use support::Authority;

/// Bytes of content that a record has at most (RFC 8446 §5.1).
const RECORD: usize = 16 * 1024;

struct Peer {
    world: Scripted,
    events: Loop<Scripted>,
    client: ScriptedClient,
    tls: Option<ClientConnection>,
}

impl Peer {
    /// A connection whose handshake is over, if it has one.
    fn new(authority: &Authority, config: Option<ClientConfig>) -> Self {
        let world = Scripted::new();
        world.set_auto_advance(false);
        let mut events = Loop::with_poller(world.clone(), Limits::DEFAULT).unwrap();
        let large = bytes::Bytes::from(vec![b'x'; 4 * RECORD]);
        let app = App::new()
            .get("/", |_request, reply| reply.text("hello"))
            .get("/{records}", move |request, reply| {
                let records: usize = request.param("records").parse().unwrap();
                reply.bytes("text/plain", large.slice(..records * RECORD))
            });
        let address = "127.0.0.1:0";
        let app = match config {
            None => app.listen(address).unwrap(),
            Some(_) => {
                let options = ServerOptions::new(authority.certificates(&["localhost"]));
                app.listen_tls(address, options).unwrap()
            }
        };
        app.join(&mut events).unwrap();
        let name = || "localhost".try_into().unwrap();
        let tls = config.map(|it| ClientConnection::new(Arc::new(it), name()).unwrap());
        let client = world.connect_client(0);
        let mut peer = Self {
            world,
            events,
            client,
            tls,
        };
        while peer.tls.as_ref().is_some_and(|it| it.is_handshaking()) {
            let came = peer.send(&[]);
            peer.take(&came);
        }
        peer
    }

    /// Sends these, each in a record of its own, and lets the loop do what it can.
    fn send(&mut self, parts: &[&[u8]]) -> Vec<u8> {
        let mut bytes = parts.concat();
        if let Some(tls) = &mut self.tls {
            for part in parts {
                tls.writer().write_all(part).unwrap();
            }
            bytes.clear();
            while tls.wants_write() {
                tls.write_tls(&mut bytes).unwrap();
            }
        }
        self.world.send(self.client, &bytes);
        COUNTS.set(true);
        for _ in 0..4 {
            self.events.turn(Some(Duration::ZERO)).unwrap();
        }
        COUNTS.set(false);
        self.world.take_output(self.client)
    }

    /// What was answered.
    fn take(&mut self, came: &[u8]) -> Vec<u8> {
        let Some(tls) = &mut self.tls else {
            return came.to_vec();
        };
        let (mut came, mut plain) = (came, Vec::new());
        while !came.is_empty() {
            tls.read_tls(&mut came).unwrap();
            tls.process_new_packets().unwrap();
            let mut part = [0; RECORD];
            while let Ok(n @ 1..) = tls.reader().read(&mut part) {
                plain.extend_from_slice(&part[..n]);
            }
        }
        plain
    }

    /// Allocations of the loop for a request that is sent so, by its hundredth time.
    fn allocations(&mut self, parts: &[&[u8]], end: &[u8]) -> u64 {
        let mut last = 0;
        for _ in 0..100 {
            let before = ALLOCATIONS.load(Relaxed);
            let came = self.send(parts);
            last = ALLOCATIONS.load(Relaxed) - before;
            assert!(self.take(&came).ends_with(end));
        }
        last
    }
}

/// rustls 0.23 copies the content of a record into a `Vec`, and makes another for each
/// record that it seals; nothing else is allocated for TLS.
#[test]
fn a_record_takes_one_allocation() {
    let authority = Authority::new("one");
    let mut secure = Peer::new(&authority, Some(authority.client(&["http/1.1"])));
    let mut plain = Peer::new(&authority, None);
    let get: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    // The script takes one for each answer.
    assert_eq!(plain.allocations(&[get], b"hello"), 1);
    for opened in [1, 2, 7, get.len()] {
        let parts: Vec<&[u8]> = get.chunks(get.len().div_ceil(opened)).collect();
        assert_eq!(parts.len(), opened);
        let expected = 1 + opened as u64 + 1;
        assert_eq!(secure.allocations(&parts, b"hello"), expected, "{opened}");
    }
    for records in 1..5 {
        let get = format!("GET /{records} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let get = [get.as_bytes()];
        // The first two are of 4 and 8 KiB, and there is the head.
        let (opened, sealed) = (1, records + 2);
        let expected = plain.allocations(&get, b"x") + opened + sealed;
        assert_eq!(secure.allocations(&get, b"x"), expected, "{records}");
    }
}

#[test]
fn a_body_of_64_kib_leaves_with_its_head_in_one_write() {
    let authority = Authority::new("one");
    let mut secure = Peer::new(&authority, Some(authority.client(&["http/1.1"])));
    let get: [&[u8]; 1] = [b"GET /4 HTTP/1.1\r\nHost: localhost\r\n\r\n"];
    let came = secure.send(&get); // and the tickets
    secure.take(&came);
    let before = secure.world.calls(secure.client).0;
    let came = secure.send(&get);
    assert!(secure.take(&came).len() > 4 * RECORD);
    assert_eq!(secure.world.calls(secure.client).0 - before, 1);
}
