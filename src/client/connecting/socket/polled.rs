//! Sockets that do not block, and a poller for each.

use alloc::boxed::Box;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::Shutdown;
use std::sync::{Mutex, MutexGuard, PoisonError};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token, Waker};

use super::{WaitFor, Woken};

const ALARM: Token = Token(1);
/// How long a thread waits without a further look while others wait too: news for one is not
/// told to the others.
const SLICE: Duration = Duration::from_millis(5);

#[derive(Debug)]
pub(crate) struct Socket(Box<Parts>);

#[derive(Debug)]
struct Parts {
    stream: Stream,
    poll: Mutex<(Poll, Events)>,
    patience: AtomicU64, // in nanoseconds
    is_shared: AtomicBool,
    /// A thread that waits for room was told what is for the one that reads.
    is_readable: AtomicBool,
}

#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(mio::net::UnixStream),
}

impl From<TcpStream> for Stream {
    fn from(stream: TcpStream) -> Self {
        Self::Tcp(stream)
    }
}

#[cfg(unix)]
impl From<mio::net::UnixStream> for Stream {
    fn from(stream: mio::net::UnixStream) -> Self {
        Self::Unix(stream)
    }
}

impl Socket {
    pub(crate) fn new(stream: impl Into<Stream>) -> io::Result<Self> {
        let (poll, mut stream) = (Poll::new()?, stream.into());
        let interest = Interest::READABLE | Interest::WRITABLE;
        match &mut stream {
            Stream::Tcp(stream) => poll.registry().register(stream, Token(0), interest)?,
            #[cfg(unix)]
            Stream::Unix(stream) => poll.registry().register(stream, Token(0), interest)?,
        }
        Ok(Self(Box::new(Parts {
            stream,
            poll: Mutex::new((poll, Events::with_capacity(4))),
            patience: AtomicU64::new(0),
            is_shared: AtomicBool::new(false),
            is_readable: AtomicBool::new(false),
        })))
    }

    pub(crate) fn read(&self, into: &mut [u8]) -> io::Result<Option<usize>> {
        if let Some(bytes) = self.read_now(into)? {
            return Ok(Some(bytes));
        }
        let patience = self.0.patience.load(Ordering::Relaxed);
        self.wait(false, Duration::from_nanos(patience))?;
        self.read_now(into)
    }

    pub(crate) fn read_now(&self, into: &mut [u8]) -> io::Result<Option<usize>> {
        taken(match &self.0.stream {
            Stream::Tcp(stream) => (&*stream).read(into),
            #[cfg(unix)]
            Stream::Unix(stream) => (&*stream).read(into),
        })
    }

    pub(crate) fn write_now(&self, bytes: &[u8]) -> io::Result<Option<usize>> {
        taken(match &self.0.stream {
            Stream::Tcp(stream) => (&*stream).write(bytes),
            #[cfg(unix)]
            Stream::Unix(stream) => (&*stream).write(bytes),
        })
    }

    /// Waits until there may be something to read, or room to write, for at most this
    /// long. To be called when there was none. Whether that is so.
    pub(crate) fn wait(&self, _writable: bool, time: Duration) -> io::Result<bool> {
        if !self.0.is_shared.load(Ordering::SeqCst) {
            return wait(&mut self.poll(), time);
        }
        // Others wait as well: they may have been told what is for this one, or be told it.
        let time = time.min(SLICE);
        match self.0.poll.try_lock() {
            Ok(mut poll) => {
                wait(&mut poll, time)?;
                let mut told = poll.1.iter().filter(|it| it.token() != ALARM);
                if told.any(|it| it.is_readable() || it.is_read_closed()) {
                    self.0.is_readable.store(true, Ordering::SeqCst);
                }
            }
            Err(_) => std::thread::sleep(time),
        }
        Ok(true)
    }

    fn poll(&self) -> MutexGuard<'_, (Poll, Events)> {
        self.0.poll.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_patience(&self, time: Duration) -> io::Result<()> {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.0.patience.store(nanos, Ordering::Relaxed);
        Ok(())
    }

    pub(crate) fn shut_down(&self) {
        self.shut(Shutdown::Both);
    }

    fn shut(&self, how: Shutdown) {
        // Refused only where the peer has done it.
        let _ = match &self.0.stream {
            Stream::Tcp(stream) => stream.shutdown(how),
            #[cfg(unix)]
            Stream::Unix(stream) => stream.shutdown(how),
        };
    }

    /// Waits until there may be what is wanted, for at most this long. To be called when
    /// there was none.
    pub(crate) fn wait_for(&self, _wanted: WaitFor, time: Duration) -> io::Result<()> {
        self.wait(true, time)?;
        Ok(())
    }

    pub(crate) fn end_writing(&self) {
        self.shut(Shutdown::Write);
    }

    pub(crate) const IS_EDGE_TRIGGERED: bool = true;

    /// Waits until there may be what is wanted, or the alarm sounds, for at most this long.
    pub(crate) fn wait_alarmed(
        &self,
        alarm: &Alarm,
        wanted: WaitFor,
        time: Duration,
    ) -> io::Result<Woken> {
        let mut poll = self.poll();
        // What is for this one may have been told to another, which waited as well. From
        // here on it is told to this one.
        let reads = wanted != WaitFor::Room;
        let was_told = reads && self.0.is_readable.swap(false, Ordering::SeqCst);
        let time = match was_told || alarm.sounded.load(Ordering::SeqCst) {
            true => Duration::ZERO,
            false if wanted != WaitFor::Bytes => time.min(SLICE),
            false => time,
        };
        let is_readable = wait(&mut poll, time)? || was_told;
        if is_readable && !reads {
            self.0.is_readable.store(true, Ordering::SeqCst); // for the one that reads
        }
        Ok(Woken {
            is_readable,
            is_alarmed: alarm.sounded.swap(false, Ordering::SeqCst),
        })
    }
}

fn wait((poll, events): &mut (Poll, Events), time: Duration) -> io::Result<bool> {
    match poll.poll(events, Some(time)) {
        Ok(()) => Ok(!events.is_empty()),
        Err(error) if error.kind() == ErrorKind::Interrupted => Ok(false),
        Err(error) => Err(error),
    }
}

#[derive(Debug)]
pub(crate) struct Alarm {
    waker: Waker,
    sounded: AtomicBool,
}

impl Alarm {
    pub(crate) fn new(socket: &Socket) -> io::Result<Self> {
        socket.0.is_shared.store(true, Ordering::SeqCst);
        Ok(Self {
            waker: Waker::new(socket.poll().0.registry(), ALARM)?,
            sounded: AtomicBool::new(false),
        })
    }

    pub(crate) fn sound(&self) {
        self.sounded.store(true, Ordering::SeqCst);
        // Where the system refuses, the wait ends at its time.
        let _ = self.waker.wake();
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

#[cfg(all(test, unix))]
impl From<std::os::unix::net::UnixStream> for Stream {
    fn from(stream: std::os::unix::net::UnixStream) -> Self {
        let _ = stream.set_nonblocking(true); // a test that waits fails by itself
        Self::Unix(mio::net::UnixStream::from_std(stream))
    }
}
