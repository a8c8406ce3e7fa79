//! An operating system that does what a test says.
//!
//! [`Scripted`] is a [`Poller`](crate::net::Poller) and the handle by which a test drives
//! it: clones share one world, so that a test gives one clone to the loop and keeps
//! another. Time stands still unless [`advance`](Scripted::advance) moves it.
//!
//! Events are as strict as an edge-triggered system may be: one for each change and never
//! a second one. A loop that stops reading too early, or forgets a listener after a
//! failed accept, waits for ever, as it would on a real system.

use alloc::collections::VecDeque;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::net::Ipv4Addr;
use core::time::Duration;
use std::io::ErrorKind;

use super::scripted_queue::Filled;
use crate::net::{Address, Peer, Readiness, Waker};
use crate::wire::Instant;

/// The scripted [`Poller`](crate::net::Poller). Clones share one world.
///
/// ```
/// use barewire::net::{ListenOptions, Poller, Scripted};
///
/// let world = Scripted::new();
/// let mut system = world.clone(); // for the loop
/// let mut listener = system.listen(&"0.0.0.0:80".parse()?, &ListenOptions::DEFAULT, 1)?;
///
/// let client = world.connect_client(0);
/// world.send(client, b"GET / HTTP/1.1\r\n\r\n");
///
/// let (mut stream, _peer) = system.accept(&mut listener)?;
/// let mut buffer = [0; 64];
/// assert_eq!(system.read(&mut stream, &mut buffer)?.bytes, 18);
/// system.write(&mut stream, &[std::io::IoSlice::new(b"HTTP/1.1 200 OK")])?;
/// assert_eq!(world.output(client), b"HTTP/1.1 200 OK");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Scripted {
    pub(super) world: Rc<RefCell<World>>,
    pub(super) waker: Waker,
}

/// One connection of a [`Scripted`] world, as the test names it: seen from the
/// loop's peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ScriptedClient(usize);

/// The loop's end of a connection.
#[derive(Debug)]
pub struct ScriptedStream(pub(in crate::net) usize);

/// A listening socket of a [`Scripted`] world.
#[derive(Debug)]
pub struct ScriptedListener(pub(in crate::net) usize);

/// The way in which the loop has ended a connection, if it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    /// It waits to be accepted.
    Waiting,
    /// It is open both ways.
    Open,
    /// The loop has said that it will write no more (FIN).
    Finished,
    /// It was closed in an orderly way.
    Closed,
    /// It was reset, on purpose or by closing with input unread: a real peer
    /// may lose the last output.
    Reset,
}

#[derive(Debug)]
pub(super) struct World {
    pub(crate) now: Instant,
    pub(super) unix_start: u64,
    pub(super) listeners: Vec<ListenerState>,
    pub(super) streams: Vec<StreamState>,
    pub(super) timeout: Option<Duration>, // of the last poll
    pub(super) idle: bool,                // it would have waited
    pub(super) auto_advance: bool,
    pub(super) refuse_connects: Option<ErrorKind>,
    pub(super) random_state: u64,
    pub(super) tells_under_way: bool,
}

#[derive(Debug)]
pub(super) struct ListenerState {
    pub(super) address: Address,
    pub(super) token: usize,
    pub(super) open: bool,
    pub(super) edge: bool,
    pub(super) queue: VecDeque<usize>,
    pub(super) errors: VecDeque<i32>, // system error numbers for the next accepts
}

#[derive(Debug)]
pub(super) struct StreamState {
    pub(crate) peer: Peer,
    dialled: Option<Address>,
    pub(super) token: Option<usize>,
    pub(super) fate: Fate,
    pub(crate) link: Link,
    pub(super) inbound: VecDeque<Vec<u8>>,
    pub(super) end: bool,             // the peer has finished sending
    pub(crate) room: Option<usize>,   // bytes that the kernel takes yet; None: any number
    pub(super) queue: Option<Filled>, // None: the peer takes what the kernel takes
    pub(super) blocked: bool,         // a write was short
    pub(super) write_error: Option<ErrorKind>,
    pub(super) output: Vec<u8>,
    pub(super) edge: Readiness, // since the last poll
    pub(super) writes: usize,
    pub(super) reads: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    Connecting,
    Up,
    Failed(ErrorKind),
}

impl World {
    pub(super) fn advance(&mut self, time: Duration) {
        self.now += time;
        for stream in &mut self.streams {
            stream.pass(time);
        }
    }
}

impl StreamState {
    pub(super) fn new(peer: Peer, dialled: Option<Address>) -> Self {
        let connecting = dialled.is_some();
        Self {
            peer,
            dialled,
            token: None,
            fate: if connecting {
                Fate::Open
            } else {
                Fate::Waiting
            },
            link: if connecting {
                Link::Connecting
            } else {
                Link::Up
            },
            inbound: VecDeque::new(),
            end: false,
            room: None,
            queue: None,
            blocked: false,
            write_error: None,
            output: Vec::new(),
            edge: Readiness::default(),
            writes: 0,
            reads: 0,
        }
    }

    /// The readiness that an event would report now.
    pub(super) fn level(&self) -> Readiness {
        let failed = matches!(self.link, Link::Failed(_));
        Readiness {
            token: 0,
            readable: failed || self.end || !self.inbound.is_empty(),
            writable: failed || (self.link == Link::Up && self.room() != 0),
            read_closed: failed || self.end,
            closed: failed,
        }
    }

    pub(crate) fn room(&self) -> usize {
        let queue = self.queue.as_ref();
        let room = queue.map_or(usize::MAX, Filled::room);
        room.min(self.room.unwrap_or(usize::MAX))
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.fate, Fate::Open | Fate::Finished)
    }

    /// Lets the queue drain for a while.
    fn pass(&mut self, time: Duration) {
        let Some(queue) = &mut self.queue else {
            return;
        };
        queue.pass(time, &mut self.output);
        if self.blocked && queue.is_writable() {
            self.blocked = false;
            self.edge.writable = true;
        }
    }

    /// The loop closed the stream and its peer sends on: it is reset, and what was under way is
    /// lost.
    fn meets_closed(&mut self) {
        if self.fate == Fate::Closed
            && let Some(queue) = &mut self.queue
            && queue.under_way() > 0
        {
            queue.clear();
            self.fate = Fate::Reset;
        }
    }
}

impl Scripted {
    /// A world without sockets. Its clock stands at one second after its
    /// start, its calendar at 1994-11-06T08:49:37Z (RFC 9110 §5.6.7). A wake
    /// unparks the thread that calls this.
    pub fn new() -> Self {
        let thread = std::thread::current();
        Self {
            world: Rc::new(RefCell::new(World {
                now: Instant::START + Duration::from_secs(1),
                unix_start: 784_111_776,
                listeners: Vec::new(),
                streams: Vec::new(),
                timeout: None,
                idle: false,
                auto_advance: false,
                refuse_connects: None,
                random_state: 0,
                tells_under_way: true,
            })),
            waker: Waker::new(move || thread.unpark()),
        }
    }

    pub(super) fn with<R>(
        &self,
        client: ScriptedClient,
        f: impl FnOnce(&mut StreamState) -> R,
    ) -> R {
        // Every `ScriptedClient` was made with its stream, and streams stay.
        f(&mut self.world.borrow_mut().streams[client.0])
    }

    /// Connects to the `listener`th socket that was opened, from 192.0.2.1.
    ///
    /// # Panics
    ///
    /// If there is no such listener.
    pub fn connect_client(&self, listener: usize) -> ScriptedClient {
        let port = 1024 + self.world.borrow().streams.len() % 60_000;
        self.connect_client_from(listener, Peer::V4(Ipv4Addr::new(192, 0, 2, 1), port as u16))
    }

    /// Connects from a given address.
    ///
    /// # Panics
    ///
    /// If there is no such listener.
    pub fn connect_client_from(&self, listener: usize, peer: Peer) -> ScriptedClient {
        let mut world = self.world.borrow_mut();
        let number = world.streams.len();
        let mut stream = StreamState::new(peer, None);
        let listener = &mut world.listeners[listener];
        if listener.open {
            listener.queue.push_back(number);
            listener.edge = true;
        } else {
            stream.fate = Fate::Reset;
        }
        world.streams.push(stream);
        ScriptedClient(number)
    }

    /// Makes the next `times` accepts of a listener fail with a system error
    /// number: 24 is EMFILE.
    ///
    /// # Panics
    ///
    /// If there is no such listener.
    pub fn fail_accept(&self, listener: usize, error: i32, times: usize) {
        let mut world = self.world.borrow_mut();
        let errors = &mut world.listeners[listener].errors;
        errors.extend(core::iter::repeat_n(error, times));
    }

    /// Sends a piece. No read brings bytes of two pieces.
    pub fn send(&self, client: ScriptedClient, bytes: &[u8]) {
        self.with(client, |stream| {
            stream.meets_closed();
            if !bytes.is_empty() && stream.link == Link::Up && !stream.end {
                stream.inbound.push_back(bytes.into());
                stream.edge.readable = true;
            }
        });
    }

    /// Finishes sending (FIN), after what was sent.
    pub fn eof(&self, client: ScriptedClient) {
        self.with(client, |stream| {
            stream.end = true;
            stream.edge.readable = true;
            stream.edge.read_closed = true;
        });
    }

    /// Resets the connection: what was sent and not read is lost.
    pub fn reset(&self, client: ScriptedClient) {
        self.break_with(client, ErrorKind::ConnectionReset);
    }

    /// Breaks the connection, or lets a dial fail, with an error.
    pub fn break_with(&self, client: ScriptedClient, error: ErrorKind) {
        self.with(client, |stream| {
            stream.link = Link::Failed(error);
            stream.inbound.clear();
            if let Some(queue) = &mut stream.queue {
                queue.clear();
            }
            stream.edge = stream.level();
        });
    }

    /// Raises an event for nothing, as systems may.
    pub fn spurious(&self, client: ScriptedClient) {
        self.with(client, |stream| {
            stream.edge.readable = true;
            stream.edge.writable = true;
        });
    }

    /// The peer stops reading: nothing more is taken.
    pub fn stop_reading(&self, client: ScriptedClient) {
        self.with(client, |stream| stream.room = Some(0));
    }

    /// Lets `n` further bytes be taken, and no more until the next call. At
    /// first any number is taken.
    pub fn allow_write(&self, client: ScriptedClient, n: usize) {
        self.with(client, |stream| {
            stream.room = Some(stream.room.unwrap_or(0).saturating_add(n));
            stream.edge.writable |= n > 0 && core::mem::take(&mut stream.blocked);
        });
    }

    /// Lets any number of bytes be taken.
    pub fn allow_all(&self, client: ScriptedClient) {
        self.with(client, |stream| {
            stream.room = None;
            stream.edge.writable |= core::mem::take(&mut stream.blocked);
        });
    }

    /// The bytes that the loop has written so far, and the peer has taken.
    pub fn output(&self, client: ScriptedClient) -> Vec<u8> {
        self.with(client, |stream| stream.output.clone())
    }

    /// The bytes that the loop has written since the last call.
    pub fn take_output(&self, client: ScriptedClient) -> Vec<u8> {
        self.with(client, |stream| core::mem::take(&mut stream.output))
    }

    /// Calls of write and of read so far: the system calls that a real
    /// connection would have cost.
    pub fn calls(&self, client: ScriptedClient) -> (usize, usize) {
        self.with(client, |stream| (stream.writes, stream.reads))
    }

    /// The way in which the loop has ended the connection, if it has.
    pub fn fate(&self, client: ScriptedClient) -> Fate {
        self.with(client, |stream| stream.fate)
    }

    /// Bytes that the loop has not read.
    pub fn unread(&self, client: ScriptedClient) -> usize {
        self.with(client, |stream| stream.inbound.iter().map(Vec::len).sum())
    }

    /// The connections that the loop has dialled, in their order.
    pub fn dials(&self) -> Vec<(ScriptedClient, Address)> {
        let world = self.world.borrow();
        let streams = (0..).zip(&world.streams);
        streams
            .filter_map(|(number, stream)| Some((ScriptedClient(number), stream.dialled.clone()?)))
            .collect()
    }

    /// Completes a dial.
    pub fn complete(&self, client: ScriptedClient) {
        self.with(client, |stream| {
            if stream.link == Link::Connecting {
                stream.link = Link::Up;
                stream.edge.writable = true;
            }
        });
    }

    /// Makes every further dial fail immediately, or no longer.
    pub fn refuse_connects(&self, error: Option<ErrorKind>) {
        self.world.borrow_mut().refuse_connects = error;
    }

    /// Moves the clock, and lets what kernels hold arrive meanwhile.
    pub fn advance(&self, time: Duration) {
        self.world.borrow_mut().advance(time);
    }

    /// Whether a poll that finds nothing moves the clock by its timeout, as if
    /// it had waited. Not so at first.
    pub fn set_auto_advance(&self, auto_advance: bool) {
        self.world.borrow_mut().auto_advance = auto_advance;
    }

    /// The timeout of the last poll: how long the loop would have slept.
    pub fn last_timeout(&self) -> Option<Duration> {
        self.world.borrow().timeout
    }

    /// Seeds what [`Poller::entropy`](crate::net::Poller::entropy) returns. The same
    /// number gives the same bytes.
    pub fn seed(&self, seed: u64) {
        self.world.borrow_mut().random_state = seed;
    }

    /// Listeners that are open.
    pub fn listening(&self) -> usize {
        let world = self.world.borrow();
        world
            .listeners
            .iter()
            .filter(|listener| listener.open)
            .count()
    }
}

impl Default for Scripted {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
