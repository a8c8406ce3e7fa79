//! Sockets that do not block, and a poller for each.

use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::Shutdown;
use std::sync::{Mutex, PoisonError};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token, Waker};

use super::Woken;

/// Of the alarm's events.
const ALARM: Token = Token(1);

/// A connected socket.
#[derive(Debug)]
pub(in crate::client::connecting) struct Socket {
    stream: TcpStream,
    poll: Mutex<(Poll, Events)>,
    patience: AtomicU64, // in nanoseconds
}

impl Socket {
    /// Takes a connected socket.
    pub(in crate::client::connecting) fn new(mut stream: TcpStream) -> io::Result<Self> {
        let poll = Poll::new()?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        poll.registry().register(&mut stream, Token(0), interest)?;
        Ok(Self {
            stream,
            poll: Mutex::new((poll, Events::with_capacity(4))),
            patience: AtomicU64::new(0),
        })
    }

    /// Waits for bytes for as long as [`set_patience`](Self::set_patience) has said, or a
    /// little longer, and reads them: none at the end. `None` if there were none in that
    /// time.
    pub(in crate::client::connecting) fn read(&self, into: &mut [u8]) -> io::Result<Option<usize>> {
        if let Some(bytes) = self.read_now(into)? {
            return Ok(Some(bytes));
        }
        let patience = self.patience.load(Ordering::Relaxed);
        self.wait(false, Duration::from_nanos(patience))?;
        self.read_now(into)
    }

    /// Reads what has been received; `None` if nothing has.
    pub(in crate::client::connecting) fn read_now(
        &self,
        into: &mut [u8],
    ) -> io::Result<Option<usize>> {
        taken((&self.stream).read(into))
    }

    /// Writes what there is room for; `None` if there is none.
    pub(in crate::client::connecting) fn write_now(
        &self,
        bytes: &[u8],
    ) -> io::Result<Option<usize>> {
        taken((&self.stream).write(bytes))
    }

    /// Waits until there may be something to read, or room to write, for at most this
    /// long. To be called when there was none. Whether that is so.
    pub(in crate::client::connecting) fn wait(
        &self,
        _writable: bool,
        time: Duration,
    ) -> io::Result<bool> {
        let mut poll = self.poll.lock().unwrap_or_else(PoisonError::into_inner);
        let (poll, events) = &mut *poll;
        match poll.poll(events, Some(time)) {
            Ok(()) => Ok(!events.is_empty()),
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// How long [`read`](Self::read) waits.
    pub(in crate::client::connecting) fn set_patience(&self, time: Duration) -> io::Result<()> {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.patience.store(nanos, Ordering::Relaxed);
        Ok(())
    }

    /// Ends it in both directions, and wakes the threads that wait for it.
    pub(in crate::client::connecting) fn shut_down(&self) {
        // Refused only where the peer has done it.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

impl Socket {
    /// Waits until there may be room to write, for at most this long. To be called when
    /// there was none.
    pub(in crate::client::connecting) fn wait_for_room(&self, time: Duration) -> io::Result<()> {
        self.wait(true, time).map(drop)
    }

    /// Ends the side that writes.
    pub(in crate::client::connecting) fn end_writing(&self) {
        // Refused only where the peer has ended it.
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Whether it has to be read until nothing is left before it is waited for.
    pub(in crate::client::connecting) const IS_EDGE_TRIGGERED: bool = true;

    /// Waits until there is something to read, or room to write, or the alarm sounds, for
    /// at most this long.
    pub(in crate::client::connecting) fn wait_alarmed(
        &self,
        _: &Alarm,
        writable: bool,
        time: Duration,
    ) -> io::Result<Woken> {
        let is_readable = self.wait(writable, time)?;
        let poll = self.poll.lock().unwrap_or_else(PoisonError::into_inner);
        let is_alarmed = is_readable && poll.1.iter().any(|event| event.token() == ALARM);
        Ok(Woken {
            is_readable,
            is_alarmed,
        })
    }
}

/// Ends the wait for a socket from other threads.
#[derive(Debug)]
pub(in crate::client::connecting) struct Alarm(Waker);

impl Alarm {
    pub(in crate::client::connecting) fn new(socket: &Socket) -> io::Result<Self> {
        let poll = socket.poll.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Self(Waker::new(poll.0.registry(), ALARM)?))
    }

    /// Ends the present wait, or else the next.
    pub(in crate::client::connecting) fn sound(&self) {
        // Where the system refuses, the wait ends at its time.
        let _ = self.0.wake();
    }
}

fn taken(result: io::Result<usize>) -> io::Result<Option<usize>> {
    match result {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) => match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::Interrupted => Ok(None),
            _ => Err(error),
        },
    }
}
