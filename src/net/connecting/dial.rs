//! One dial: a name resolved on a thread, and its addresses tried beside each other.
//!
//! ```text
//!  Name ---> resolving ---> attempts, each in its time ---> connected
//!                |              |
//!                `--------------+--> failed, at the latest when the dial's
//!                                    own time is over
//! ```
//!
//! A [`Dial`] is data: the loop moves it on when a name is resolved, an
//! attempt fails or its deadline passes.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;
use std::io::{self, ErrorKind};

use super::attempts::{Attempts, Next, in_turns};
use crate::link::Unreachable;
use crate::net::{Address, Destination, Limits, Profile, Speaks, TransportMaker};
use crate::wire::Instant;
use crate::wire::partly_shown;

#[derive(Debug)]
pub(crate) struct Dial {
    /// The addresses; `None` until the name is resolved.
    attempts: Option<Attempts<Address>>,
    end: Instant,
    error: io::Error,
}

impl Dial {
    /// Begins a dial. A [`Name`](Destination::Name) goes to a
    /// [`Resolver`](crate::net::Resolver) and waits for [`resolved`](Self::resolved).
    pub(crate) fn new(destination: &Destination, now: Instant, times: &DialTimes) -> Self {
        let (attempts, time) = match destination {
            Destination::Address(address) => (
                Some(Attempts::new([address.clone()], times.delay)),
                times.connect.unwrap_or(times.resolve),
            ),
            Destination::Name { .. } => (None, times.resolve),
        };
        Self {
            attempts,
            end: now + time,
            error: ErrorKind::TimedOut.into(),
        }
    }

    pub(crate) const fn end(&self) -> Instant {
        self.end
    }

    pub(crate) fn due(&self) -> Option<Instant> {
        self.attempts.as_ref()?.due()
    }

    /// Takes a resolver's addresses, families in turn (RFC 8305 §4).
    pub(crate) fn resolved(
        &mut self,
        found: io::Result<Vec<SocketAddr>>,
        times: &DialTimes,
        now: Instant,
    ) {
        let found = match found {
            Ok(found) => {
                self.error = ErrorKind::NotFound.into(); // of a name without addresses
                found
            }
            Err(error) => {
                self.error = error;
                Vec::new()
            }
        };
        let addresses = in_turns(&found).map(Address::Tcp);
        self.attempts = Some(Attempts::new(addresses, times.delay));
        if let Some(time) = times.connect {
            self.end = now + time;
        }
    }

    pub(crate) fn next(&mut self, now: Instant) -> Next {
        match &mut self.attempts {
            Some(attempts) => attempts.next(now),
            None => Next::Wait(Instant::NEVER),
        }
    }

    pub(crate) fn failed(&mut self, error: io::Error) {
        self.error = error;
        if let Some(attempts) = &mut self.attempts {
            attempts.failed();
        }
    }

    /// Notes that the dial took too long.
    pub(crate) fn timed_out(&mut self) {
        self.error = ErrorKind::TimedOut.into();
    }

    pub(crate) fn has_raced(&self) -> bool {
        self.attempts.as_ref().is_some_and(|it| it.begun() > 1)
    }

    /// Why the dial failed: the last attempt's reason.
    pub(crate) fn reason(&self) -> Unreachable {
        match &self.attempts {
            None => return Unreachable::NameTimedOut,
            Some(attempts) if attempts.is_empty() => return Unreachable::NotResolved,
            Some(_) => {}
        }
        match self.error.kind() {
            ErrorKind::ConnectionRefused => Unreachable::Refused,
            ErrorKind::NotFound => Unreachable::NoSocket,
            ErrorKind::PermissionDenied => Unreachable::Denied,
            ErrorKind::TimedOut => Unreachable::TimedOut,
            ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NetworkDown
            | ErrorKind::AddrNotAvailable => Unreachable::NoRoute,
            _ => Unreachable::Failed,
        }
    }

    pub(crate) fn address(&self, nth: usize) -> Option<&Address> {
        self.attempts.as_ref()?.address(nth)
    }
}

pub(crate) trait NameService: Send + Sync {
    /// Calls `then` with the addresses of a host, now or later, on whatever thread.
    ///
    /// # Errors
    /// If no resolver can be asked: `then` is not called.
    fn find(&self, host: &str, port: u16, then: FoundNames) -> io::Result<()>;
}

pub(crate) type FoundNames = Box<dyn FnOnce(io::Result<Vec<SocketAddr>>) + Send>;

/// How long the parts of a dial may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DialTimes {
    pub(crate) resolve: Duration,
    /// All attempts together, from known addresses on; `None`: what is left of `resolve`.
    pub(crate) connect: Option<Duration>,
    pub(crate) attempt: Duration,
    pub(crate) delay: Duration,
    pub(crate) handshake: Duration,
}

impl DialTimes {
    pub(crate) const fn of(limits: &Limits) -> Self {
        Self {
            resolve: limits.dial_time,
            connect: None,
            attempt: limits.connect_time,
            delay: limits.attempt_delay,
            handshake: limits.handshake_time,
        }
    }
}

/// A dial, whose first event comes as [`Context::dial`](crate::net::Context::dial) says.
pub(crate) struct DialPlan {
    pub(crate) destination: Destination,
    pub(crate) over: Option<TransportMaker>,
    pub(crate) speaks: Speaks,
    pub(crate) profile: Profile,
    pub(crate) tag: u32,
    pub(crate) times: Option<DialTimes>,
    pub(crate) names: Option<Arc<dyn NameService>>,
}

partly_shown!(it: DialPlan { destination });

#[cfg(test)]
mod tests;
