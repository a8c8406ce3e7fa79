//! A server's connection between two messages, as 20 bytes.

use super::{Connection, Phase};
use crate::websocket::timer::Tick;
use crate::wire::{Budget, Instant, Role};

const SECOND: u64 = 1_000_000_000;

/// All there is to know of a server's connection between two messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Resting {
    since: Tick,
    active: Tick,
    wake: u32, // whole seconds, not after the point itself; MAX: never
    spent: u16,
    pinged: bool, // leaves values to spare, so that an enum around this is no larger
    pings: u8,    // fewer than STREAMING, which is added where messages are streamed
    spent_since: u32,
}

const STREAMING: u8 = 0x80;

impl Connection {
    /// The compacted connection, if it is a server's between two messages.
    pub(crate) fn resting(&self) -> Option<Resting> {
        let pinged = match self.phase {
            Phase::Open => false,
            Phase::Pinged => true,
            Phase::CloseSent | Phase::Closed | Phase::Failed(_) => return None,
        };
        if self.role != Role::Server || !self.is_between_messages() {
            return None;
        }
        let pings = u8::try_from(self.pings).ok();
        let pings = pings.filter(|&pings| pings < STREAMING)?;
        let streaming = u8::from(self.assembly.is_streaming()) * STREAMING;
        let (spent, spent_since) = self.control.parts();
        Some(Resting {
            since: self.since,
            active: self.active,
            wake: u32::try_from(self.wake.as_secs()).unwrap_or(u32::MAX),
            spent: u16::try_from(spent).ok()?,
            pinged,
            pings: pings | streaming,
            spent_since,
        })
    }

    /// The connection that was compacted to `resting`. It may want to be
    /// woken up to a second sooner than it did before, never later.
    pub(crate) fn rested(resting: Resting) -> Self {
        let Resting {
            since,
            active,
            wake,
            spent,
            pinged,
            pings,
            spent_since,
        } = resting;
        let streaming = pings & STREAMING != 0;
        let mut connection = Self::new(Role::Server, Instant::START).streaming(streaming);
        (connection.since, connection.active) = (since, active);
        connection.wake = match wake {
            u32::MAX => Instant::NEVER,
            seconds => Instant::from_nanos(u64::from(seconds) * SECOND),
        };
        connection.control = Budget::from_parts(u32::from(spent), spent_since);
        connection.pings = u16::from(pings & !STREAMING);
        if pinged {
            connection.phase = Phase::Pinged;
        }
        connection
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{CallContext, OwnedScratch};
    use crate::websocket::Limits;
    use alloc::vec::Vec;
    use core::time::Duration;

    fn at(millis: u64) -> Instant {
        Instant::START + Duration::from_millis(millis)
    }

    /// Feeds a connection, or lets time pass where there is no input.
    fn step(machine: &mut Connection, input: &mut [u8], now: Instant) -> Vec<u8> {
        let (mut out, mut scratch) = (Vec::new(), OwnedScratch::new(0));
        let lent = |scratch| CallContext {
            now,
            date: None,
            mask_key: [0; 4],
            limits: &Limits::DEFAULT,
            scratch,
        };
        match input.is_empty() {
            true => assert!(
                machine.elapsed(lent(scratch.lend()), &mut out).is_ok() || machine.is_closing()
            ),
            false => assert!(
                machine
                    .receive(input, lent(scratch.lend()), &mut out)
                    .is_ok()
            ),
        }
        out
    }

    #[test]
    fn a_connection_that_rested_goes_on_as_if_it_had_not() {
        let (mut one, mut other) = (
            Connection::new(Role::Server, at(500)),
            Connection::new(Role::Server, at(500)),
        );
        for n in 0..2000_u64 {
            let now = at(700 + n * 100);
            let mut ping = *b"\x89\x81\0\0\0\0a";
            let mut message = *b"\x82\x81\0\0\0\0a";
            let input: &mut [u8] = match n {
                n if n % 7 == 0 && n < 1000 => &mut ping,
                n if n % 11 == 0 && n < 1000 => &mut message,
                _ => &mut [],
            };
            let mut copy = input.to_vec();
            assert_eq!(
                step(&mut one, input, now),
                step(&mut other, &mut copy, now),
                "{n}"
            );
            assert_eq!(one.is_closing(), other.is_closing());
            let Some(resting) = other.resting() else {
                continue;
            };
            other = Connection::rested(resting);
            assert!(other.deadline() <= one.deadline());
            assert_eq!(other.resting(), Some(resting));
        }
        assert!(one.is_closing());
        assert_eq!(size_of::<Resting>(), 20);
    }

    #[test]
    fn a_message_that_has_begun_is_no_rest() {
        let mut machine = Connection::new(Role::Server, at(0));
        assert!(machine.resting().is_some());
        step(&mut machine, &mut b"\x02\x81\0\0\0\0a".to_vec(), at(1));
        assert_eq!(machine.resting(), None);
    }

    #[test]
    fn pings_that_wait_for_pongs_outlast_a_rest() {
        let mut machine = Connection::new(Role::Server, at(0));
        for sent in 1..=300 {
            machine.send_ping(b"", [0; 4], &mut Vec::new()).unwrap();
            match machine.resting() {
                Some(resting) => assert_eq!(Connection::rested(resting).pings, sent),
                None => assert!(sent >= u16::from(STREAMING)),
            }
        }
        assert_eq!(machine.resting(), None);
    }

    #[test]
    fn a_client_does_not_rest() {
        assert_eq!(Connection::new(Role::Client, at(0)).resting(), None);
    }
}
