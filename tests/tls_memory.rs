//! What a connection over TLS takes, counted by the allocator, and what is charged for
//! it.

#[path = "counting/heap.rs"]
mod heap;
#[path = "tls/support.rs"]
#[allow(dead_code, reason = "the tests of tls/ use the rest")]
mod support;

use std::io::{Read, Write};
use std::sync::Arc;

use barewire::app::App;
use barewire::net::{Limits, Loop, Scripted, ScriptedClient};
use barewire::tls::{ClientCertificates, Roots, ServerOptions};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection};
use support::Authority;

const CONNECTIONS: usize = 64;

struct Peer {
    client: ScriptedClient,
    tls: ClientConnection,
}

impl Peer {
    /// Lets both sides talk until neither has more to say.
    fn talk(&mut self, world: &Scripted, events: &mut Loop<Scripted>) {
        loop {
            let mut sealed = Vec::new();
            while self.tls.wants_write() {
                self.tls.write_tls(&mut sealed).unwrap();
            }
            if !sealed.is_empty() {
                world.send(self.client, &sealed);
            }
            for _ in 0..3 {
                events.turn(None).unwrap();
            }
            let came = world.take_output(self.client);
            if came.is_empty() && sealed.is_empty() {
                return;
            }
            let mut came = &came[..];
            while !came.is_empty() {
                self.tls.read_tls(&mut came).unwrap();
                self.tls.process_new_packets().unwrap();
            }
        }
    }
}

/// Bytes of the heap that a connection takes after one request, and bytes that are
/// charged for it.
fn measure(options: ServerOptions, config: &Arc<ClientConfig>) -> (usize, usize) {
    let world = Scripted::new();
    world.set_auto_advance(false);
    let mut events = Loop::with_poller(world.clone(), Limits::DEFAULT).unwrap();
    let app = App::new().get("/", |_request, reply| reply.text("hello"));
    let app = app.listen_tls("127.0.0.1:0", options).unwrap();
    app.join(&mut events).unwrap();
    let memory = events.memory();
    let mut connect = || {
        let client = world.connect_client(0);
        let name = "localhost".try_into().unwrap();
        let tls = ClientConnection::new(config.clone(), name).unwrap();
        let mut peer = Peer { client, tls };
        peer.talk(&world, &mut events);
        write!(
            peer.tls.writer(),
            "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
        )
        .unwrap();
        peer.talk(&world, &mut events);
        let mut answer = [0; 1000];
        let n = peer.tls.reader().read(&mut answer).unwrap();
        assert!(answer[..n].ends_with(b"hello"));
    };
    // What the loop has once, and its tables.
    (0..CONNECTIONS).for_each(|_| connect());
    let before = (heap::live(), memory.held());
    (0..CONNECTIONS).for_each(|_| connect());
    let (taken, held) = (heap::live() - before.0, memory.held() - before.1);
    (taken / CONNECTIONS, held / CONNECTIONS)
}

/// Bytes of the heap that a connection takes without TLS.
fn measure_plain() -> usize {
    let world = Scripted::new();
    world.set_auto_advance(false);
    let mut events = Loop::with_poller(world.clone(), Limits::DEFAULT).unwrap();
    let app = App::new().get("/", |_request, reply| reply.text("hello"));
    let app = app.listen("127.0.0.1:0").unwrap();
    app.join(&mut events).unwrap();
    let mut connect = || {
        let client = world.connect_client(0);
        world.send(client, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        for _ in 0..3 {
            events.turn(None).unwrap();
        }
        assert!(world.take_output(client).ends_with(b"hello"));
    };
    (0..CONNECTIONS).for_each(|_| connect());
    let live = heap::live();
    (0..CONNECTIONS).for_each(|_| connect());
    (heap::live() - live) / CONNECTIONS
}

#[test]
fn a_connection_is_charged_for_what_it_takes() {
    let authority = Authority::new("one");
    // Sessions that are kept are all clients', and not a connection's.
    let options = || ServerOptions::new(authority.certificates(&["localhost"])).sessions(0);
    let roots = Roots::from_der([authority.certificate.der().to_vec()]).unwrap();
    let clients = ClientCertificates::demanded(roots);
    let plain = measure_plain();
    for version in [&TLS13, &TLS12] {
        for demanded in [false, true] {
            let pair = demanded.then(|| authority.client_pair(|_| {}));
            let mut config = authority.client_with(&[], &[version], pair);
            config.resumption = rustls::client::Resumption::disabled();
            let options = match demanded {
                true => options().client_certificates(clients.clone()),
                false => options(),
            };
            let (taken, charged) = measure(options, &Arc::new(config));
            let taken = taken - plain;
            println!("{version:?} {demanded}: takes {taken}, is charged {charged}");
            let is_near = charged.abs_diff(taken) * 100 <= taken * 6;
            assert!(
                is_near,
                "{version:?} {demanded}: takes {taken}, is charged {charged}"
            );
            assert!(demanded || taken < 3_700, "an idle one takes {taken}");
        }
    }
}
