//! The real operating system, by way of mio.

use alloc::vec::Vec;
use core::time::Duration;
use mio::event::Source;
use mio::net::{TcpListener, TcpStream};
#[cfg(unix)]
use mio::net::{UnixListener, UnixStream};
use mio::{Events, Interest, Poll, Token};
use socket2::SockRef;
use std::io::{self, ErrorKind, IoSlice};
use std::net::Shutdown;
use std::time::{SystemTime, UNIX_EPOCH};

#[cfg(not(any(target_os = "linux", target_os = "android")))]
use super::connected::Connected;
#[cfg(any(target_os = "linux", target_os = "android"))]
use super::direct::Connected;
use super::listener::{Listener, Listening as Opened, NODELAY_IS_INHERITED};
use super::random::Random;
use super::retry::uninterrupted;
#[cfg(unix)]
use super::socket_file::SocketFile;
use super::system_clock::SystemClock;
use crate::net::{Address, Entropy, ListenOptions, Peer, Poller, Read, Readiness, Waker};
use crate::wire::Instant;

/// The token of the waker. No socket may have it; a [`Key`](crate::net::Key) never
/// makes it.
const WAKER: Token = Token(usize::MAX);

/// Where a read that does not fill its buffer has emptied the socket, as far
/// as events go. Elsewhere only `WouldBlock` arms the next event.
const SHORT_READ_DRAINS: bool = cfg!(any(
    target_os = "linux",
    target_os = "android",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd",
    target_os = "dragonfly",
    target_vendor = "apple",
));

/// The real [`Poller`]: epoll, kqueue or what mio has for the system.
#[derive(Debug)]
pub struct Mio {
    poll: Poll,
    events: Events,
    waker: Waker,
    clock: Clock,
}

/// A listening socket of the system.
#[derive(Debug)]
pub struct MioListener(Listening);

#[derive(Debug)]
enum Listening {
    Tcp {
        socket: TcpListener,
        nodelay: bool, // to be set on each accepted socket
    },
    #[cfg(unix)]
    Unix {
        socket: UnixListener,
        file: Option<SocketFile>, // removed when dropped
    },
}

/// A stream of the system: 4 bytes on Linux.
#[derive(Debug)]
pub struct MioStream(Connected);

impl Mio {
    /// A poller that takes at most 1,024 events at a time.
    ///
    /// Fails if the system is out of descriptors.
    pub fn new() -> io::Result<Self> {
        let poll = Poll::new()?;
        let bell = mio::Waker::new(poll.registry(), WAKER)?;
        Ok(Self {
            events: Events::with_capacity(1024),
            // A wake that the system refuses is not lost: what it was for is
            // looked at in the next turn.
            waker: Waker::new(move || drop(bell.wake())),
            clock: Clock::new(),
            poll,
        })
    }
}

impl Poller for Mio {
    type Listener = MioListener;
    type Stream = MioStream;

    #[inline]
    fn now(&self) -> Instant {
        self.clock.now
    }

    fn clock(&self) -> Option<SystemClock> {
        Some(self.clock.running)
    }

    #[inline]
    fn refresh(&mut self) -> Instant {
        self.clock.refresh()
    }

    #[inline]
    fn unix_seconds(&self) -> u64 {
        self.clock.unix_seconds
    }

    fn poll(&mut self, ready: &mut Vec<Readiness>, timeout: Option<Duration>) -> io::Result<()> {
        ready.clear();
        let polled = self.poll.poll(&mut self.events, timeout);
        self.clock.refresh();
        match polled {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(error),
        }
        for event in &self.events {
            if event.token() == WAKER {
                self.waker.lower();
                continue;
            }
            let closed = event.is_error() || (event.is_read_closed() && event.is_write_closed());
            ready.push(Readiness {
                token: event.token().0,
                readable: event.is_readable() || closed,
                writable: event.is_writable(),
                read_closed: event.is_read_closed(),
                closed,
            });
        }
        Ok(())
    }

    fn listen(
        &mut self,
        address: &Address,
        options: &ListenOptions,
        token: usize,
    ) -> io::Result<MioListener> {
        let listener = Listener::open(address, options)?;
        #[cfg(unix)]
        if let Address::Unix(path) = address {
            let file = SocketFile::bound(path)?;
            let mut adopted = self.adopt(listener, options, token)?;
            if let Listening::Unix { file: kept, .. } = &mut adopted.0 {
                *kept = Some(file);
            }
            return Ok(adopted);
        }
        self.adopt(listener, options, token)
    }

    fn adopt(
        &mut self,
        listener: Listener,
        options: &ListenOptions,
        token: usize,
    ) -> io::Result<MioListener> {
        listener.prepare(options)?;
        let mut listening = match listener.socket {
            Opened::Tcp(socket) => Listening::Tcp {
                socket: TcpListener::from_std(socket),
                nodelay: options.nodelay && !NODELAY_IS_INHERITED,
            },
            #[cfg(unix)]
            Opened::Unix(socket) => Listening::Unix {
                socket: UnixListener::from_std(socket),
                file: None,
            },
        };
        let source: &mut dyn Source = match &mut listening {
            Listening::Tcp { socket, .. } => socket,
            #[cfg(unix)]
            Listening::Unix { socket, .. } => socket,
        };
        self.poll
            .registry()
            .register(source, Token(token), Interest::READABLE)?;
        Ok(MioListener(listening))
    }

    fn local_address(&self, listener: &MioListener) -> io::Result<Address> {
        match &listener.0 {
            Listening::Tcp { socket, .. } => Ok(Address::Tcp(socket.local_addr()?)),
            #[cfg(unix)]
            Listening::Unix { socket, .. } => {
                let address = socket.local_addr()?;
                let path = address.as_pathname().ok_or(ErrorKind::AddrNotAvailable)?;
                Ok(Address::Unix(path.into()))
            }
        }
    }

    fn accept(&mut self, listener: &mut MioListener) -> io::Result<(MioStream, Peer)> {
        match &listener.0 {
            Listening::Tcp { socket, nodelay } => {
                let (stream, address) = accepted(|| socket.accept())?;
                if *nodelay {
                    stream.set_nodelay(true)?;
                }
                Ok((MioStream(stream.into()), Peer::from(address)))
            }
            #[cfg(unix)]
            Listening::Unix { socket, .. } => {
                let (stream, _) = accepted(|| socket.accept())?;
                Ok((MioStream(stream.into()), Peer::Unix))
            }
        }
    }

    fn connect(&mut self, address: &Address) -> io::Result<MioStream> {
        match address {
            Address::Tcp(address) => Ok(MioStream(TcpStream::connect(*address)?.into())),
            #[cfg(unix)]
            Address::Unix(path) => Ok(MioStream(UnixStream::connect(path)?.into())),
            #[cfg(not(unix))]
            Address::Unix(_) => Err(ErrorKind::Unsupported.into()),
        }
    }

    fn connected(&mut self, stream: &MioStream) -> io::Result<bool> {
        let socket = SockRef::from(&stream.0);
        if let Some(error) = socket.take_error()? {
            return Err(error);
        }
        let peer = match socket.peer_addr() {
            Ok(peer) => peer,
            Err(error) if error.kind() == ErrorKind::NotConnected => return Ok(false),
            Err(error) => return Err(error),
        };
        if !peer.is_unix() {
            socket.set_tcp_nodelay(true)?;
        }
        Ok(true)
    }

    fn register(&mut self, stream: &mut MioStream, token: usize) -> io::Result<()> {
        let interest = Interest::READABLE | Interest::WRITABLE;
        let registry = self.poll.registry();
        stream.0.register(registry, Token(token), interest)
    }

    fn reregister(&mut self, stream: &mut MioStream, token: usize) -> io::Result<()> {
        let interest = Interest::READABLE | Interest::WRITABLE;
        let registry = self.poll.registry();
        stream.0.reregister(registry, Token(token), interest)
    }

    /// The file of a Unix domain socket is removed, if it is still the one
    /// that this listener made.
    fn unlisten(&mut self, mut listener: MioListener) {
        let source: &mut dyn Source = match &mut listener.0 {
            Listening::Tcp { socket, .. } => socket,
            #[cfg(unix)]
            Listening::Unix { socket, .. } => socket,
        };
        // Closing alone would do, unless a child process holds a copy.
        drop(self.poll.registry().deregister(source));
    }

    /// Closing ends the registration too: no `epoll_ctl` for it.
    fn close(&mut self, stream: MioStream) {
        drop(stream);
    }

    fn reset(&mut self, stream: MioStream) {
        // Closing with a linger time of zero resets. Where it cannot be set,
        // the connection is closed all the same.
        drop(SockRef::from(&stream.0).set_linger(Some(Duration::ZERO)));
    }

    #[inline]
    fn read(&mut self, stream: &mut MioStream, into: &mut [u8]) -> io::Result<Read> {
        debug_assert!(!into.is_empty(), "an empty read would look like the end");
        Ok(match stream.0.read(into)? {
            Some(bytes) => Read {
                bytes,
                drained: bytes == 0 || (SHORT_READ_DRAINS && bytes < into.len()),
                end: bytes == 0,
            },
            None => Read {
                bytes: 0,
                drained: true,
                end: false,
            },
        })
    }

    #[inline]
    fn write(&mut self, stream: &mut MioStream, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        debug_assert!(
            parts.len() <= crate::net::MAX_PARTS,
            "a cut list looks like a full buffer"
        );
        let written = match parts {
            [] => Some(0),
            [part] => stream.0.write(part)?, // cheaper than a list of one
            parts => stream.0.write_vectored(parts)?,
        };
        Ok(written.unwrap_or(0))
    }

    /// Parts and the file's first bytes share packets; the file never enters our memory.
    #[cfg(all(feature = "files", any(target_os = "linux", target_os = "android")))]
    fn send_file(
        &mut self,
        stream: &mut MioStream,
        parts: &[IoSlice<'_>],
        file: crate::net::FilePart,
    ) -> io::Result<usize> {
        super::send_file::send(&stream.0, parts, file)
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn under_way(&mut self, stream: &MioStream) -> Option<usize> {
        super::under_way::bytes(&stream.0)
    }

    fn shutdown_write(&mut self, stream: &mut MioStream) -> io::Result<()> {
        SockRef::from(&stream.0).shutdown(Shutdown::Write)
    }

    fn entropy(&self) -> io::Result<Entropy> {
        let mut random = Random::new()?;
        Ok(Entropy::new(move |into| random.fill(into)))
    }

    fn waker(&self) -> Waker {
        self.waker.clone()
    }
}

/// Accepts; that no client is there is an error like others.
fn accepted<T>(accept: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    uninterrupted(accept)?.ok_or_else(|| ErrorKind::WouldBlock.into())
}

/// Both clocks, read once per turn.
#[derive(Debug)]
struct Clock {
    running: SystemClock,
    now: Instant,
    unix_seconds: u64,
    next_second: Instant, // when the wall clock is worth a look
}

impl Clock {
    fn new() -> Self {
        let mut clock = Self {
            running: SystemClock::of_process(),
            now: Instant::START,
            unix_seconds: 0,
            next_second: Instant::START,
        };
        clock.refresh();
        clock
    }

    /// Reads the monotonic clock, and the wall clock once its second is over.
    #[inline]
    fn refresh(&mut self) -> Instant {
        self.now = self.running.now();
        if self.now >= self.next_second {
            self.look();
        }
        self.now
    }

    #[cold]
    fn look(&mut self) {
        let wall = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let rest = 1_000_000_000 - wall.subsec_nanos();
        self.unix_seconds = wall.as_secs();
        self.next_second = self.now + Duration::from_nanos(u64::from(rest));
    }
}

#[cfg(test)]
mod tests;
