//! A relay in user space: it counts what passes, and makes the network as bad as it is told.
//!
//! ```text
//!  client ══► reads ──► counts ──► when it arrives ──► waits ──► writes ══► server
//! ```
//!
//! Loss is what TCP makes of it: a lost segment comes later, and everything behind it on the
//! same connection waits for it. One that has others behind it is sent again after a round
//! trip (three duplicate acknowledgements, RFC 5681 §3.2), the last one of a burst after the
//! least retransmission timeout of Linux, 200 ms. The congestion window is not modelled.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::Result;
use crate::wire::{Counter, Kind, Tally};

/// What a network does to what passes, in each direction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Network {
    /// One way.
    pub delay: Duration,
    /// At most so much more, for each read.
    pub jitter: Duration,
    /// Bytes a second; 0 is without a bound.
    pub rate: u64,
    /// Of a segment, in parts of one.
    pub loss: f64,
}

impl Network {
    /// Nothing but the two copies.
    pub const NONE: Self = Self {
        delay: Duration::ZERO,
        jitter: Duration::ZERO,
        rate: 0,
        loss: 0.0,
    };

    /// A round trip of 40 ms at 20 Mbit/s, and as much loss.
    pub const fn bad(loss: f64) -> Self {
        Self {
            delay: Duration::from_millis(20),
            jitter: Duration::from_millis(2),
            rate: 2_500_000,
            loss,
        }
    }
}

const SEGMENT: usize = 1_448;
const TIMEOUT: Duration = Duration::from_millis(200);

/// A relay to one server. It goes on for connections that it has when it is dropped.
pub struct Relay {
    /// Where clients connect.
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    network: Network,
    kinds: [Kind; 2],
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// From clients, and from the server, of connections that are over.
    past: [Tally; 2],
    counters: Vec<[Arc<Mutex<Counter>>; 2]>,
    sockets: Vec<[TcpStream; 2]>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn add(to: &mut Tally, other: Tally) {
    to.bytes += other.bytes;
    to.records += other.records;
    to.frame_heads += other.frame_heads;
    to.header_blocks += other.header_blocks;
    to.control += other.control;
}

impl Relay {
    /// Starts a relay to a server.
    ///
    /// # Errors
    /// If there is no port for it.
    pub fn start(
        server: SocketAddr,
        network: Network,
        is_http2: bool,
        is_tls: bool,
    ) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let kind = |has_preface| match (is_tls, is_http2) {
            (true, _) => Kind::Tls,
            (false, true) => Kind::Http2 { has_preface },
            (false, false) => Kind::Opaque,
        };
        let shared = Arc::new(Shared {
            network,
            kinds: [kind(true), kind(false)],
            state: Mutex::default(),
        });
        let weak = Arc::downgrade(&shared);
        thread::spawn(move || {
            for socket in listener.incoming() {
                let (Some(shared), Ok(client)) = (weak.upgrade(), socket) else {
                    return;
                };
                // A server that is not there refuses, as it would without a relay.
                if let Ok(server) = TcpStream::connect(server) {
                    let _ = shared.join(client, server);
                }
            }
        });
        Ok(Self { address, shared })
    }

    /// What has passed so far, from clients and from the server.
    pub fn tallies(&self) -> [Tally; 2] {
        let state = lock(&self.shared.state);
        let mut all = state.past;
        for both in &state.counters {
            for (sum, counter) in all.iter_mut().zip(both) {
                add(sum, lock(counter).tally);
            }
        }
        all
    }

    /// Waits until nothing has passed for a while, and says what has.
    pub fn settled(&self) -> [Tally; 2] {
        let mut last = self.tallies();
        loop {
            thread::sleep(Duration::from_millis(8));
            let now = self.tallies();
            if now == last {
                return now;
            }
            last = now;
        }
    }

    /// Cuts all connections, as a network that goes away does not: both sides see it.
    pub fn cut(&self) {
        let mut state = lock(&self.shared.state);
        for socket in state.sockets.drain(..).flatten() {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.cut();
        // The thread that accepts sees that it is not wanted any more.
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
    }
}

impl Shared {
    fn join(self: &Arc<Self>, client: TcpStream, server: TcpStream) -> std::io::Result<()> {
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let counters = self
            .kinds
            .map(|kind| Arc::new(Mutex::new(Counter::new(kind))));
        let mut state = lock(&self.state);
        state
            .sockets
            .push([client.try_clone()?, server.try_clone()?]);
        state.counters.push(counters.clone());
        let seed = 1 + state.counters.len() as u64;
        drop(state);
        let ends = [(client.try_clone()?, server.try_clone()?), (server, client)];
        for (way, ((from, to), counter)) in ends.into_iter().zip(counters).enumerate() {
            let link = Way {
                network: self.network,
                dice: (2 * seed + way as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15),
                last: Instant::now(),
                free: Instant::now(),
            };
            match self.network == Network::NONE {
                true => drop(thread::spawn(move || copy(from, to, &counter))),
                false => {
                    let (send, receive) = mpsc::channel();
                    thread::spawn(move || read(from, &counter, link, &send));
                    thread::spawn(move || write(to, &receive));
                }
            }
        }
        Ok(())
    }
}

/// Counts first, so that what has arrived has been counted.
fn copy(mut from: TcpStream, mut to: TcpStream, counter: &Mutex<Counter>) {
    let mut bytes = vec![0; 256 << 10];
    while let Ok(some @ 1..) = from.read(&mut bytes) {
        lock(counter).pass(&bytes[..some]);
        if to.write_all(&bytes[..some]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
    let _ = from.shutdown(Shutdown::Read);
}

fn read(
    mut from: TcpStream,
    counter: &Mutex<Counter>,
    mut way: Way,
    out: &Sender<(Instant, Vec<u8>)>,
) {
    // A network holds some, and the sender waits with the rest.
    let mut bytes = vec![0; 64 << 10];
    while let Ok(some @ 1..) = from.read(&mut bytes) {
        lock(counter).pass(&bytes[..some]);
        let mut segments = bytes[..some].chunks(SEGMENT).peekable();
        while let Some(segment) = segments.next() {
            let at = way.arrival(segment.len(), segments.peek().is_some());
            if out.send((at, segment.to_vec())).is_err() {
                return;
            }
        }
    }
}

fn write(mut to: TcpStream, segments: &Receiver<(Instant, Vec<u8>)>) {
    while let Ok((at, segment)) = segments.recv() {
        thread::sleep(at.saturating_duration_since(Instant::now()));
        if to.write_all(&segment).is_err() {
            return;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// One direction of one connection.
struct Way {
    network: Network,
    dice: u64,
    /// When what was sent before arrives: nothing overtakes it.
    last: Instant,
    /// When the line is free again.
    free: Instant,
}

impl Way {
    fn roll(&mut self) -> f64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        (self.dice >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// When a segment arrives that is sent now.
    fn arrival(&mut self, bytes: usize, has_more_behind: bool) -> Instant {
        let network = self.network;
        let mut at = Instant::now().max(self.free);
        if network.rate > 0 {
            at += Duration::from_secs_f64(bytes as f64 / network.rate as f64);
            self.free = at;
        }
        at += network.delay + network.jitter.mul_f64(self.roll());
        if self.roll() < network.loss {
            at += match has_more_behind {
                true => 2 * network.delay,
                false => TIMEOUT.max(2 * network.delay),
            };
        }
        self.last = self.last.max(at);
        self.last
    }
}
