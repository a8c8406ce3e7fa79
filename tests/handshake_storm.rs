//! Two thousand connections that begin a handshake and stall, over real sockets, while
//! honest clients are served; and the bound on memory meanwhile.
#![cfg(all(feature = "net", unix))]

use core::ops::Range;
use std::io::{IoSlice, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::channel;
use std::thread;

use barewire::http::{Fields, ResponseHead, Status};
use barewire::link::{self, Body, Event};
use barewire::net::{
    Address, Agreed, Context, Handler, Limits, ListenOptions, Loop, Speaks, Transport,
    TransportError, TransportMaker,
};
use barewire::wire::{Received, Role, Step};

#[path = "counting/heap.rs"]
mod heap;
#[allow(dead_code, reason = "each test file uses its part")]
#[path = "net_loop/toy.rs"]
mod toy;

use toy::{HELLO, Toy};

/// Connections that stall.
const STORM: usize = 2_000;
/// Honest clients that come meanwhile, one behind the other.
const HONEST: usize = 20;
/// What the state of a handshake takes: about as much as that of TLS.
const STATE: usize = 8 << 10;

/// A toy that is as large as a handshake of TLS until that is over.
struct Large {
    toy: Toy,
    state: Vec<u8>,
}

impl Transport for Large {
    fn open(
        &mut self,
        input: &mut [u8],
        out: &mut Vec<u8>,
    ) -> Result<Received<Range<usize>>, TransportError> {
        let received = self.toy.open(input, out);
        if self.toy.agreed {
            self.state = Vec::new();
        }
        received
    }

    fn agreed(&self) -> Option<Agreed> {
        self.toy.agreed()
    }

    fn seal(&mut self, plain: &[IoSlice<'_>], out: &mut Vec<u8>) -> Result<(), TransportError> {
        self.toy.seal(plain, out)
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        self.toy.close(out);
    }

    fn memory(&self) -> usize {
        self.state.capacity()
    }
}

struct Hello;

impl Handler for Hello {
    fn event(&mut self, context: &mut Context<'_>, event: Event<'_>) {
        if let Event::Request { .. } = event {
            let head = ResponseHead::new(Status::OK, Fields::EMPTY);
            context.respond(&head, Body::Whole(b"hello")).unwrap();
        }
    }
}

/// A client over the toy that waits for each answer.
struct Honest {
    stream: TcpStream,
    toy: Toy,
    sealed: Vec<u8>,
}

impl Honest {
    fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        let mut honest = Self {
            stream,
            toy: Toy::new(Role::Client, Speaks::Http),
            sealed: Vec::new(),
        };
        while !honest.toy.agreed {
            honest.open();
        }
        honest
    }

    /// Opens what is there, and reads on if that is nothing.
    fn open(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        let Received { used, step } = self.toy.open(&mut self.sealed, &mut out).unwrap();
        let plain = match step {
            Step::Event(range) => self.sealed[range].to_vec(),
            _ => Vec::new(),
        };
        self.sealed.drain(..used);
        self.stream.write_all(&out).unwrap();
        if used == 0 {
            let mut buffer = [0; 4096];
            let n = self.stream.read(&mut buffer).unwrap();
            assert!(n > 0, "it was refused");
            self.sealed.extend(&buffer[..n]);
        }
        plain
    }

    fn ask(&mut self) {
        let mut out = Vec::new();
        let request = IoSlice::new(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        self.toy.seal(&[request], &mut out).unwrap();
        self.stream.write_all(&out).unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"hello") {
            answer.extend(self.open());
        }
    }
}

/// The heap's peak during a storm on a loop with these limits, the account's, and how
/// many handshakes were refused.
fn storm(limits: &Limits) -> (usize, usize, u64) {
    let (send, ready) = channel();
    let limits = limits.clone();
    let base = heap::live();
    heap::begin();
    let server = thread::spawn(move || {
        let mut events = Loop::new(limits).unwrap();
        let owner = events.add(Hello);
        let profile = events.profile(link::Limits::DEFAULT);
        let maker = TransportMaker::new(|| {
            Box::new(Large {
                toy: Toy::new(Role::Server, Speaks::Http),
                state: vec![0; STATE],
            })
        });
        let (address, options) = ("127.0.0.1:0".parse().unwrap(), ListenOptions::DEFAULT);
        let address = events
            .listen_over(&address, &options, &maker, Speaks::Http, owner, profile)
            .unwrap();
        let (memory, handshakes) = (events.memory(), events.handshakes());
        send.send((address, events.remote(), memory, handshakes))
            .unwrap();
        events.run().unwrap();
    });
    let (address, remote, memory, handshakes) = ready.recv().unwrap();
    let Address::Tcp(address) = address else {
        panic!("{address}")
    };
    let mut early = Honest::connect(address);
    let mut hello = Vec::new();
    Toy::new(Role::Client, Speaks::Http).put(HELLO, &[1; 300], &mut hello);
    let mut stalled = Vec::new();
    for at in 0..STORM {
        let mut stream = TcpStream::connect(address).unwrap();
        // Of one half nothing, of the others half a hello.
        stream.write_all(&hello[..at % 2 * 150]).unwrap();
        stalled.push(stream);
        if at % (STORM / HONEST) == 0 {
            early.ask();
            Honest::connect(address).ask();
        }
    }
    // And when all of them are there.
    early.ask();
    Honest::connect(address).ask();
    assert_eq!(handshakes.completed(), 2 + HONEST as u64);
    let refused = handshakes.refused();
    remote.drain(Some(core::time::Duration::ZERO));
    server.join().unwrap();
    (heap::peak() - base, memory.peak(), refused)
}

#[test]
fn stalled_handshakes_keep_nobody_out_and_stay_within_the_bound() {
    use rustix::process::{Resource, getrlimit, setrlimit};

    // Both ends of each connection are ours.
    let mut descriptors = getrlimit(Resource::Nofile);
    descriptors.current = descriptors.maximum;
    setrlimit(Resource::Nofile, descriptors).unwrap();
    let limits = Limits::DEFAULT.with_per_address(10_000);
    let own = 4 << 20; // tables, scratch, and the clients of this test
    let records = 2 * 512;
    for (name, limits) in [
        ("as many as there are", limits.clone()),
        (
            "more than there may be",
            limits.clone().with_handshakes(256),
        ),
        ("more than there is memory for", limits.with_memory(4 << 20)),
    ] {
        let (heap, account, refused) = storm(&limits);
        let in_flight = STORM.min(limits.handshakes as usize);
        let most = own + STORM * records + limits.memory.min(in_flight * (STATE + 1024));
        println!("{name}: heap {heap} of {most}, account {account}, refused {refused}");
        assert!(heap <= most, "{name}: {heap} > {most}");
        assert!(account <= limits.memory, "{name}");
        assert_eq!(
            refused > 0,
            limits != Limits::DEFAULT.with_per_address(10_000)
        );
    }
}
