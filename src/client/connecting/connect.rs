//! Connecting to one of some addresses, for the thread that waits.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::error::Error;
use core::fmt;
use core::time::Duration;
use std::io::{self, ErrorKind};

use mio::net::TcpStream;
#[cfg(unix)]
use mio::net::UnixStream;
use mio::{Events, Interest, Poll, Registry, Token, Waker};

use super::cancel::Target;
use super::socket::Socket;
use super::{Canceller, DialError, Phase, clock};
use crate::net::{Address, Attempts, Next};
use crate::wire::Instant;

const WAKER: Token = Token(usize::MAX);
/// How long a Unix socket whose queue is full is left alone: there is no event for it.
const FULL: Duration = Duration::from_millis(5);

pub(super) fn connect(
    attempts: Attempts<Address>,
    until: Instant,
    cancel: &Canceller,
) -> Result<Socket, DialError> {
    let failed = |error: io::Error| DialError::failed(Phase::Connect, error);
    let poll = Poll::new().map_err(failed)?;
    let waker = Arc::new(Waker::new(poll.registry(), WAKER).map_err(failed)?);
    // One that is gone when the poller looks has not woken it, so it stays until the end.
    let waking = waker.clone();
    // A wake that the system refuses is made up for by the deadline.
    let _watch = cancel.watch(Target::Wake(Arc::new(move || drop(waking.wake()))));
    let race = Race {
        attempts,
        poll,
        running: Vec::new(),
        last: None,
    };
    let connected = race.run(until, cancel);
    drop(waker);
    connected
}

/// Attempts that run beside each other.
struct Race {
    attempts: Attempts<Address>,
    poll: Poll,
    running: Vec<(usize, TcpStream)>,
    /// The error of the last failed attempt.
    last: Option<ConnectError>,
}

impl Race {
    fn run(mut self, until: Instant, cancel: &Canceller) -> Result<Socket, DialError> {
        let failed = |error: io::Error| DialError::failed(Phase::Connect, error);
        let mut events = Events::with_capacity(32);
        loop {
            let now = clock::now();
            if cancel.is_cancelled() {
                return Err(DialError::cancelled(Phase::Connect));
            }
            if until <= now {
                return Err(DialError::timed_out(Phase::Connect));
            }
            let wait = match self.attempts.next(now) {
                Next::Begin(nth) => match self.begin(nth) {
                    Ok(Some(socket)) => return Ok(socket),
                    Ok(None) => continue,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => FULL,
                    Err(error) => {
                        self.note(nth, error);
                        continue;
                    }
                },
                Next::Wait(next) => next.min(until).saturating_since(now),
                Next::Over => {
                    let last = self.last.take();
                    let last = last.ok_or_else(|| failed(ErrorKind::NotFound.into()))?;
                    return Err(DialError::failed(Phase::Connect, last));
                }
            };
            match self.poll.poll(&mut events, Some(wait)) {
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(failed(error)),
                _ => {}
            }
            for event in &events {
                if let Some(stream) = self.look(event.token()) {
                    return Socket::new(stream).map_err(failed);
                }
            }
        }
    }

    /// Begins an attempt; the socket, if it is connected already.
    fn begin(&mut self, nth: usize) -> io::Result<Option<Socket>> {
        match self.attempts.address(nth) {
            Some(Address::Tcp(address)) => {
                let mut stream = TcpStream::connect(*address)?;
                let interest = Interest::READABLE | Interest::WRITABLE;
                let registry: &Registry = self.poll.registry();
                registry.register(&mut stream, Token(nth), interest)?;
                self.running.push((nth, stream));
                Ok(None)
            }
            #[cfg(unix)]
            Some(Address::Unix(path)) => match UnixStream::connect(path) {
                Ok(stream) => Socket::new(stream).map(Some),
                Err(error) => {
                    if error.kind() == ErrorKind::WouldBlock {
                        self.attempts.again(nth);
                    }
                    Err(error)
                }
            },
            #[cfg(not(unix))]
            Some(Address::Unix(_)) => Err(ErrorKind::Unsupported.into()),
            None => Err(ErrorKind::NotFound.into()),
        }
    }

    fn note(&mut self, nth: usize, error: io::Error) {
        self.attempts.failed();
        if let Some(address) = self.attempts.address(nth) {
            let address = address.clone();
            self.last = Some(ConnectError { address, error });
        }
    }

    /// Looks what has become of an attempt; the stream, if it is connected.
    fn look(&mut self, token: Token) -> Option<TcpStream> {
        let at = self.running.iter().position(|(nth, _)| *nth == token.0)?;
        let (nth, mut stream) = self.running.swap_remove(at); // a position just found
        match connected(&stream) {
            Ok(true) => {
                // The socket leaves this poller with it.
                let _ = self.poll.registry().deregister(&mut stream);
                Some(stream)
            }
            Ok(false) => {
                self.running.push((nth, stream));
                None
            }
            Err(error) => {
                self.note(nth, error);
                None
            }
        }
    }
}

fn connected(stream: &TcpStream) -> io::Result<bool> {
    if let Some(error) = stream.take_error()? {
        return Err(error);
    }
    match stream.peer_addr() {
        Ok(_) => stream.set_nodelay(true).map(|()| true),
        Err(error) if error.kind() == ErrorKind::NotConnected => Ok(false),
        Err(error) => Err(error),
    }
}

#[derive(Debug)]
struct ConnectError {
    address: Address,
    error: io::Error,
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot connect to {}: {}", self.address, self.error)
    }
}

impl Error for ConnectError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}

#[cfg(test)]
mod tests;
