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

use alloc::vec::Vec;
use core::net::SocketAddr;
use std::io::{self, ErrorKind};

use super::attempts::{Attempts, Next, in_turns};
use crate::link::Unreachable;
use crate::net::{Address, Destination, Limits};
use crate::wire::Instant;

/// One dial on its way.
#[derive(Debug)]
pub(crate) struct Dial {
    /// The addresses; `None` until the name is resolved.
    attempts: Option<Attempts<Address>>,
    end: Instant,
    error: io::Error,
}

impl Dial {
    /// Begins a dial. A [`Name`](Destination::Name) is to be given to a
    /// [`Resolver`](crate::net::Resolver) and waits for [`resolved`](Self::resolved).
    pub(crate) fn new(destination: &Destination, now: Instant, limits: &Limits) -> Self {
        Self {
            attempts: match destination {
                Destination::Address(address) => {
                    Some(Attempts::new([address.clone()], limits.attempt_delay))
                }
                Destination::Name { .. } => None,
            },
            end: now + limits.dial_time,
            error: ErrorKind::TimedOut.into(),
        }
    }

    /// When all of it has to be over.
    pub(crate) const fn end(&self) -> Instant {
        self.end
    }

    /// When the next attempt begins, if there is another.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.attempts.as_ref()?.due()
    }

    /// Takes what a resolver found. The families take turns, so that a broken
    /// one costs a single attempt (RFC 8305 §4).
    pub(crate) fn resolved(&mut self, found: io::Result<Vec<SocketAddr>>, limits: &Limits) {
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
        self.attempts = Some(Attempts::new(addresses, limits.attempt_delay));
    }

    /// What is to be done now.
    pub(crate) fn next(&mut self, now: Instant) -> Next {
        match &mut self.attempts {
            Some(attempts) => attempts.next(now),
            None => Next::Wait(Instant::NEVER),
        }
    }

    /// Notes why an attempt has failed.
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

    /// Whether several attempts were begun.
    pub(crate) fn has_raced(&self) -> bool {
        self.attempts.as_ref().is_some_and(|it| it.begun() > 1)
    }

    /// Why the dial has failed: of several attempts, the last one says it.
    pub(crate) fn reason(&self) -> Unreachable {
        let is_unresolved = self.attempts.as_ref().is_none_or(Attempts::is_empty);
        if is_unresolved {
            return Unreachable::NotResolved;
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

    /// The address of an attempt.
    pub(crate) fn address(&self, nth: usize) -> Option<&Address> {
        self.attempts.as_ref()?.address(nth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString as _;
    use alloc::vec;
    use core::time::Duration;

    const LIMITS: Limits = Limits::DEFAULT;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn named() -> Dial {
        let name = "example.com:80".parse().unwrap();
        Dial::new(&name, Instant::START, &LIMITS)
    }

    fn at(millis: u64) -> Instant {
        Instant::START + Duration::from_millis(millis)
    }

    #[test]
    fn all_addresses_are_tried_and_the_families_take_turns() {
        let mut dial = named();
        assert_eq!(dial.next(at(0)), Next::Wait(Instant::NEVER));
        assert_eq!(
            (dial.due(), dial.end()),
            (None, Instant::START + LIMITS.dial_time)
        );
        let found = ["[2001:db8::1]:80", "[2001:db8::2]:80", "192.0.2.1:80"];
        dial.resolved(Ok(addresses(&found)), &LIMITS);
        let expected = ["[2001:db8::1]:80", "192.0.2.1:80", "[2001:db8::2]:80"];
        for (nth, expected) in expected.into_iter().enumerate() {
            assert_eq!(dial.next(at(250 * nth as u64)), Next::Begin(nth));
            assert_eq!(dial.address(nth).unwrap().to_string(), expected);
            assert_eq!(dial.has_raced(), nth > 0);
        }
        for _ in expected {
            assert_eq!(dial.next(at(750)), Next::Wait(Instant::NEVER));
            dial.failed(ErrorKind::ConnectionRefused.into());
        }
        assert_eq!(dial.next(at(750)), Next::Over);
        assert_eq!(dial.reason(), Unreachable::Refused);
    }

    #[test]
    fn a_name_without_addresses_is_not_resolved() {
        for found in [Ok(vec![]), Err(io::Error::other("no such name"))] {
            let mut dial = named();
            dial.resolved(found, &LIMITS);
            assert_eq!(dial.next(at(0)), Next::Over);
            assert_eq!(dial.reason(), Unreachable::NotResolved);
        }
        let mut late = named();
        late.timed_out();
        assert_eq!(late.reason(), Unreachable::NotResolved);
    }
}
