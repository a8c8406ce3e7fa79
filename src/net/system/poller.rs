//! The seam to the system.
//!
//! Everything that the loop asks of an operating system goes through
//! [`Poller`], so that a test or a fuzzer can be the operating system
//! ([`Scripted`](crate::net::Scripted)).
//!
//! Readiness is edge-triggered: an event says that something *changed*, and no
//! further one comes for what was already so. Hence the contract:
//!
//! - Reading continues until [`Read::drained`] or [`Read::end`]. A caller that stops
//!   earlier, for fairness, must remember to come back without an event.
//! - A write that takes less than it was offered has filled the system's
//!   buffer; an event with [`Readiness::writable`] follows when there is room.
//! - Accepting continues until [`WouldBlock`](io::ErrorKind::WouldBlock). After
//!   any other error no event comes for the connections that still wait.
//! - An event may be false: the call then finds nothing, and that is no error.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::io::{self, IoSlice};

use super::system_clock::SystemClock;
use crate::net::{Address, Entropy, FilePart, ListenOptions, Listener, Peer};
use crate::wire::Instant;

/// The result of one read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Read {
    /// Bytes read, at the front of the buffer.
    pub bytes: usize,
    /// There is no more until the next event. Not to be believed after an
    /// event with [`Readiness::read_closed`]: then the end is still to come.
    pub drained: bool,
    /// The peer has finished sending; nothing will ever come again.
    pub end: bool,
}

/// One event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Readiness {
    /// The token that the socket was registered with.
    pub token: usize,
    /// There may be something to read, or to accept.
    pub readable: bool,
    /// There may be room to write; a dialled stream may be connected.
    pub writable: bool,
    /// The peer has finished sending (FIN), maybe with bytes still unread in
    /// front of it. No further event will say so: read until [`Read::end`],
    /// whatever [`Read::drained`] says.
    pub read_closed: bool,
    /// The connection broke, or both halves are closed. Reading, up to the
    /// error, tells what happened.
    pub closed: bool,
}

/// Wakes a [`Poller`] from any thread.
///
/// Waking costs a system call only if it was not woken since the last poll.
#[derive(Clone)]
pub struct Waker(Arc<Bell<dyn Fn() + Send + Sync>>);

struct Bell<F: ?Sized> {
    raised: AtomicBool,
    ring: F,
}

impl Waker {
    /// A waker that calls `ring` to end a poll.
    pub fn new(ring: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(Bell {
            raised: AtomicBool::new(false),
            ring,
        }))
    }

    /// Ends the poll that runs, or the next one.
    #[inline]
    pub fn wake(&self) {
        // Released before, acquired after: what the waking thread wrote before
        // is seen by the woken one after `lower`.
        if !self.0.raised.swap(true, Ordering::AcqRel) {
            (self.0.ring)();
        }
    }

    /// Whether somebody woke the poller and it has not noticed yet.
    #[inline]
    pub fn is_raised(&self) -> bool {
        self.0.raised.load(Ordering::Acquire)
    }

    /// Notices: the poller's part, before the loop looks what it was woken
    /// for. True if somebody had woken it.
    #[inline]
    pub fn lower(&self) -> bool {
        self.0.raised.swap(false, Ordering::AcqRel)
    }
}

impl fmt::Debug for Waker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Waker").field(&self.is_raised()).finish()
    }
}

/// An operating system, as far as the loop needs one.
pub trait Poller {
    /// A listening socket.
    type Listener;
    /// A connected, or connecting, stream.
    type Stream;

    /// The monotonic clock as of the end of the last [`poll`](Self::poll) or
    /// the last [`refresh`](Self::refresh): one time for a whole turn.
    fn now(&self) -> Instant;

    /// The clock that [`now`](Self::now) is read from, for handlers that measure
    /// what they do within a turn; `None` where time stands still meanwhile.
    fn clock(&self) -> Option<SystemClock> {
        None
    }

    /// Reads the clock and answers the new [`now`](Self::now). To be called
    /// before a timeout is computed after long work.
    fn refresh(&mut self) -> Instant;

    /// Seconds since 1970-01-01T00:00:00Z on the wall clock, as of
    /// [`now`](Self::now); for the Date field.
    fn unix_seconds(&self) -> u64;

    /// Waits for events, at most for `timeout` (`None`: for ever), and puts
    /// them into `ready` in place of what it held. A wake makes it return, and
    /// is no event. Interruptions by signals end the wait without an event.
    fn poll(&mut self, ready: &mut Vec<Readiness>, timeout: Option<Duration>) -> io::Result<()>;

    /// Listens on `address`; connections that wait are announced with `token`.
    fn listen(
        &mut self,
        address: &Address,
        options: &ListenOptions,
        token: usize,
    ) -> io::Result<Self::Listener>;

    /// Listens on a socket that listens already. By default that is
    /// [`Unsupported`](io::ErrorKind::Unsupported).
    fn adopt(
        &mut self,
        listener: Listener,
        options: &ListenOptions,
        token: usize,
    ) -> io::Result<Self::Listener> {
        let _ = (listener, options, token);
        Err(io::ErrorKind::Unsupported.into())
    }

    /// The address that a listener got, with the port that the system chose.
    fn local_address(&self, listener: &Self::Listener) -> io::Result<Address>;

    /// Takes one connection that waits.
    fn accept(&mut self, listener: &mut Self::Listener) -> io::Result<(Self::Stream, Peer)>;

    /// Starts to connect. The stream is to be registered; an event with
    /// `writable` or `closed` says that [`connected`](Self::connected) is
    /// worth asking.
    fn connect(&mut self, address: &Address) -> io::Result<Self::Stream>;

    /// Whether a stream of [`connect`](Self::connect) is connected by now, or
    /// why it never will be.
    fn connected(&mut self, stream: &Self::Stream) -> io::Result<bool>;

    /// Registers a stream, once, for reading and writing.
    fn register(&mut self, stream: &mut Self::Stream, token: usize) -> io::Result<()>;

    /// Announces the state of a registered stream again, all of it, with this token.
    fn reregister(&mut self, stream: &mut Self::Stream, token: usize) -> io::Result<()>;

    /// Stops listening. Connections that wait are reset by the system.
    fn unlisten(&mut self, listener: Self::Listener);

    /// Closes a stream in an orderly way: what was written is still delivered, unless
    /// unread input makes the system reset it (RFC 9112 §9.6).
    fn close(&mut self, stream: Self::Stream);

    /// Resets a stream: nothing more is delivered.
    fn reset(&mut self, stream: Self::Stream);

    /// Reads into `into`, which must not be empty. Nothing to read is no
    /// error, but `drained` without bytes.
    fn read(&mut self, stream: &mut Self::Stream, into: &mut [u8]) -> io::Result<Read>;

    /// Writes parts, at most [`MAX_PARTS`] of them, in order, and answers how
    /// many bytes were taken. No room is no error, but 0.
    fn write(&mut self, stream: &mut Self::Stream, parts: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Writes `parts`, at most [`MAX_PARTS`] of them, and then a part of a file,
    /// and answers how many bytes were taken. Fewer than both have means that
    /// there is no room, as with [`write`](Self::write).
    ///
    /// By default the file is read and written in pieces of 16 KiB.
    ///
    /// # Errors
    /// [`ErrorKind::UnexpectedEof`](io::ErrorKind::UnexpectedEof) if the file
    /// is shorter than its part; some of it may have been sent.
    fn send_file(
        &mut self,
        stream: &mut Self::Stream,
        parts: &[IoSlice<'_>],
        mut file: FilePart,
    ) -> io::Result<usize> {
        let offered: usize = parts.iter().map(|part| part.len()).sum();
        let mut taken = 0;
        if offered > 0 {
            taken = self.write(stream, parts)?;
            if taken < offered {
                return Ok(taken);
            }
        }
        let mut piece = [0; 16 * 1024];
        while !file.is_empty() {
            let read = file.read(&mut piece)?;
            // In range: no more is read than the piece holds.
            let written = self.write(stream, &[IoSlice::new(&piece[..read])])?;
            taken += written;
            if written < read {
                break;
            }
        }
        Ok(taken)
    }

    /// Bytes that a stream has taken from [`write`](Self::write) and that are
    /// still under way to the peer; `None`, as by default, where the system does
    /// not say. What was written less these is what the peer has, and that never
    /// becomes less.
    ///
    /// On Linux it is `SIOCOUTQ`. Over TCP it counts what is not acknowledged, a
    /// FIN as one byte: what is acknowledged may still wait in the peer's
    /// receive buffer, or in a proxy. On a Unix domain socket it is the memory of
    /// the pieces that the peer has not read to their end: it is more than their
    /// bytes, and falls in steps of tens of KiB.
    fn under_way(&mut self, stream: &Self::Stream) -> Option<usize> {
        let _ = stream;
        None
    }

    /// Says that nothing more will be written (FIN).
    fn shutdown_write(&mut self, stream: &mut Self::Stream) -> io::Result<()>;

    /// A source of unpredictable bytes, for the masks of WebSocket clients.
    /// Fails if the system has none.
    fn entropy(&self) -> io::Result<Entropy>;

    /// A handle that ends a poll from any thread.
    fn waker(&self) -> Waker;
}

/// The most parts of one write. Systems cut longer lists silently (1,024 on
/// Linux), which would look like a full buffer.
pub const MAX_PARTS: usize = 64;

#[cfg(test)]
mod tests;
