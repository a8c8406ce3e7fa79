//! The loop's side of a scripted system.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;
use std::io::{self, ErrorKind, IoSlice};

use super::scripted::{Fate, Link, ListenerState, StreamState};
use super::scripted_queue::Filled;
use crate::net::{
    Address, Entropy, KernelQueue, ListenOptions, Peer, Poller, Read, Readiness, Scripted,
    ScriptedClient, ScriptedListener, ScriptedStream, Waker,
};
use crate::wire::Instant;

impl Poller for Scripted {
    type Listener = ScriptedListener;
    type Stream = ScriptedStream;

    fn now(&self) -> Instant {
        self.world.borrow().now
    }

    fn refresh(&mut self) -> Instant {
        self.now()
    }

    fn unix_seconds(&self) -> u64 {
        let world = self.world.borrow();
        world.unix_start + world.now.as_secs()
    }

    /// Never waits: see [`advance`](Scripted::advance) and
    /// [`set_auto_advance`](Scripted::set_auto_advance).
    fn poll(&mut self, ready: &mut Vec<Readiness>, timeout: Option<Duration>) -> io::Result<()> {
        ready.clear();
        let mut world = self.world.borrow_mut();
        let world = &mut *world;
        world.timeout = timeout;
        for listener in &mut world.listeners {
            if core::mem::take(&mut listener.edge) && listener.open {
                ready.push(Readiness {
                    token: listener.token,
                    readable: true,
                    ..Readiness::default()
                });
            }
        }
        for stream in &mut world.streams {
            if let Some(token) = stream.token
                && stream.edge != Readiness::default()
            {
                let edge = core::mem::take(&mut stream.edge);
                ready.push(Readiness { token, ..edge });
            }
        }
        let woken = self.waker.lower();
        world.idle = ready.is_empty() && !woken && timeout != Some(Duration::ZERO);
        if let Some(timeout) = timeout
            && world.auto_advance
            && ready.is_empty()
            && !woken
        {
            world.advance(timeout);
        }
        Ok(())
    }

    /// Port 0 becomes 10,000 and the listener's number.
    fn listen(
        &mut self,
        address: &Address,
        _: &ListenOptions,
        token: usize,
    ) -> io::Result<ScriptedListener> {
        let mut world = self.world.borrow_mut();
        let number = world.listeners.len();
        let address = match address {
            Address::Tcp(address) if address.port() == 0 => {
                Address::Tcp(SocketAddr::new(address.ip(), 10_000 + number as u16))
            }
            address => address.clone(),
        };
        world.listeners.push(ListenerState {
            address,
            token,
            open: true,
            edge: false,
            queue: VecDeque::new(),
            errors: VecDeque::new(),
        });
        Ok(ScriptedListener(number))
    }

    fn local_address(&self, listener: &ScriptedListener) -> io::Result<Address> {
        Ok(self.world.borrow().listeners[listener.0].address.clone())
    }

    fn accept(&mut self, listener: &mut ScriptedListener) -> io::Result<(ScriptedStream, Peer)> {
        let mut world = self.world.borrow_mut();
        let listener = &mut world.listeners[listener.0];
        if listener.queue.is_empty() {
            return Err(ErrorKind::WouldBlock.into());
        }
        if let Some(error) = listener.errors.pop_front() {
            return Err(io::Error::from_raw_os_error(error));
        }
        let number = listener.queue.pop_front().ok_or(ErrorKind::WouldBlock)?;
        let stream = &mut world.streams[number];
        stream.fate = Fate::Open;
        Ok((ScriptedStream(number), stream.peer))
    }

    fn connect(&mut self, address: &Address) -> io::Result<ScriptedStream> {
        let mut world = self.world.borrow_mut();
        if let Some(error) = world.refuse_connects {
            return Err(error.into());
        }
        let number = world.streams.len();
        let peer = Peer::from(address);
        let stream = StreamState::new(peer, Some(address.clone()));
        world.streams.push(stream);
        Ok(ScriptedStream(number))
    }

    fn connected(&mut self, stream: &ScriptedStream) -> io::Result<bool> {
        match self.world.borrow().streams[stream.0].link {
            Link::Connecting => Ok(false),
            Link::Up => Ok(true),
            Link::Failed(error) => Err(error.into()),
        }
    }

    /// Registers a stream. Readiness that is there already raises an event, as with
    /// epoll.
    fn register(&mut self, stream: &mut ScriptedStream, token: usize) -> io::Result<()> {
        let mut world = self.world.borrow_mut();
        let stream = &mut world.streams[stream.0];
        stream.token = Some(token);
        stream.edge = stream.level();
        Ok(())
    }

    fn reregister(&mut self, stream: &mut ScriptedStream, token: usize) -> io::Result<()> {
        self.register(stream, token)
    }

    fn unlisten(&mut self, listener: ScriptedListener) {
        let mut world = self.world.borrow_mut();
        let listener = &mut world.listeners[listener.0];
        listener.open = false;
        for number in core::mem::take(&mut listener.queue) {
            world.streams[number].fate = Fate::Reset;
        }
    }

    fn close(&mut self, stream: ScriptedStream) {
        let mut world = self.world.borrow_mut();
        let stream = &mut world.streams[stream.0];
        let lossy = !stream.inbound.is_empty() || matches!(stream.link, Link::Failed(_));
        stream.fate = if lossy { Fate::Reset } else { Fate::Closed };
        stream.token = None;
        if let (true, Some(queue)) = (lossy, &mut stream.queue) {
            queue.clear();
        }
    }

    fn reset(&mut self, stream: ScriptedStream) {
        let mut world = self.world.borrow_mut();
        let stream = &mut world.streams[stream.0];
        stream.fate = Fate::Reset;
        stream.token = None;
        if let Some(queue) = &mut stream.queue {
            queue.clear();
        }
    }

    fn read(&mut self, stream: &mut ScriptedStream, into: &mut [u8]) -> io::Result<Read> {
        let mut world = self.world.borrow_mut();
        let stream = &mut world.streams[stream.0];
        debug_assert!(!into.is_empty(), "an empty read would look like the end");
        debug_assert!(stream.is_open());
        stream.reads += 1;
        if let Link::Failed(error) = stream.link {
            return Err(error.into());
        }
        let Some(piece) = stream.inbound.front_mut() else {
            return Ok(Read {
                bytes: 0,
                drained: true,
                end: stream.end,
            });
        };
        let bytes = piece.len().min(into.len());
        into[..bytes].copy_from_slice(&piece[..bytes]);
        piece.drain(..bytes);
        if piece.is_empty() {
            stream.inbound.pop_front();
        }
        Ok(Read {
            bytes,
            // As a real system: a full buffer says nothing.
            drained: bytes < into.len() && stream.inbound.is_empty(),
            end: false,
        })
    }

    fn write(&mut self, stream: &mut ScriptedStream, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut world = self.world.borrow_mut();
        let stream = &mut world.streams[stream.0];
        debug_assert!(parts.len() <= crate::net::MAX_PARTS);
        stream.writes += 1;
        if let Some(error) = stream.write_error {
            return Err(error.into());
        }
        match (stream.link, stream.fate) {
            (Link::Failed(_), _) | (_, Fate::Finished) => return Err(ErrorKind::BrokenPipe.into()),
            (Link::Connecting, _) => return Err(ErrorKind::NotConnected.into()),
            (Link::Up, _) => {}
        }
        let mut taken = 0;
        for part in parts {
            let n = part.len().min(stream.room());
            match &mut stream.queue {
                Some(queue) => drop(queue.put(&part[..n])),
                None => stream.output.extend_from_slice(&part[..n]),
            }
            stream.room = stream.room.map(|room| room - n);
            taken += n;
            if n < part.len() {
                stream.blocked = true;
                break;
            }
        }
        Ok(taken)
    }

    fn under_way(&mut self, stream: &ScriptedStream) -> Option<usize> {
        let world = self.world.borrow();
        let queue = world.streams[stream.0].queue.as_ref();
        world
            .tells_under_way
            .then(|| queue.map_or(0, |queue| queue.under_way()))
    }

    fn shutdown_write(&mut self, stream: &mut ScriptedStream) -> io::Result<()> {
        let mut world = self.world.borrow_mut();
        let stream = &mut world.streams[stream.0];
        match stream.link {
            Link::Up => {
                stream.fate = Fate::Finished;
                if let Some(queue) = &mut stream.queue {
                    queue.finish();
                }
                Ok(())
            }
            Link::Connecting | Link::Failed(_) => Err(ErrorKind::NotConnected.into()),
        }
    }

    /// SplitMix64 of the [`seed`](Scripted::seed): the same in every run.
    fn entropy(&self) -> io::Result<Entropy> {
        let world = self.world.clone();
        Ok(Entropy::new(move |into| {
            let mut world = world.borrow_mut();
            for chunk in into.chunks_mut(8) {
                world.random_state = world.random_state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mut z = world.random_state;
                z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                z ^= z >> 31;
                chunk.copy_from_slice(&z.to_le_bytes()[..chunk.len()]);
            }
        }))
    }

    fn waker(&self) -> Waker {
        self.waker.clone()
    }
}

impl Scripted {
    /// Whether the last poll found nothing, and would have waited.
    #[cfg(feature = "test")]
    pub(crate) fn is_idle(&self) -> bool {
        self.world.borrow().idle
    }

    /// Makes the kernel hold what is written to a peer, until the peer takes it as time
    /// passes ([`advance`](Self::advance)). Set again, the queue keeps what is in it. At
    /// first there is no queue: what is written is taken.
    pub fn set_kernel_queue(&self, client: ScriptedClient, shape: KernelQueue) {
        self.with(client, |stream| match &mut stream.queue {
            Some(queue) => queue.shape = shape,
            None => stream.queue = Some(Filled::new(shape)),
        });
    }

    /// Lets writes to a peer fail, while what it has sent before can still be read: it has
    /// closed the connection (RST).
    pub fn refuse_writes(&self, client: ScriptedClient, error: ErrorKind) {
        self.with(client, |stream| stream.write_error = Some(error));
    }

    /// Bytes that were written to a peer and that it has not taken.
    pub fn queued(&self, client: ScriptedClient) -> usize {
        self.with(client, |stream| {
            let queue = stream.queue.as_ref();
            queue.map_or(0, |queue| queue.bytes.len())
        })
    }

    /// Whether the system says what is under way
    /// ([`Poller::under_way`](crate::net::Poller::under_way)), as it does at first.
    pub fn tell_under_way(&self, tells: bool) {
        self.world.borrow_mut().tells_under_way = tells;
    }
}
