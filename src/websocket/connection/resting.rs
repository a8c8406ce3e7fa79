//! A server's connection between two messages, as 20 bytes.

use super::{Connection, Phase};
use crate::websocket::deflate::Session;
use crate::websocket::timer::Tick;
use crate::wire::{Budget, Instant, Role};

const SECOND: u64 = 1_000_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Resting {
    since: Tick,
    active: Tick,
    wake: u32, // whole seconds, not after the point itself; SECONDS: never; and a Session
    spent: u16,
    pinged: bool, // leaves values to spare, so that an enum around this is no larger
    pings: u8,    // fewer than STREAMING, which is added where messages are streamed; and a Session
    spent_since: u32,
}

/// A time within eight years; the other bits are a [`Session`]'s.
const SECONDS: u32 = (1 << 28) - 1;

const STREAMING: u8 = 0x10;

/// Where the number of a way to compress begins, from 1 on; 0: nothing is compressed.
const COMPRESSION: u32 = 5;

impl Connection {
    pub(crate) fn resting(&self) -> Option<Resting> {
        let pinged = match self.phase {
            Phase::Open => false,
            Phase::Pinged => true,
            Phase::CloseSent | Phase::Closed | Phase::Failed(_) => return None,
        };
        if self.role != Role::Server || !self.is_between_messages() || !self.keeps_nothing() {
            return None;
        }
        let (number, windows) = match self.deflate {
            None => (0, 0),
            Some(session) => (session.compression().checked_add(1)?, session.sending()?),
        };
        if number > u8::MAX >> COMPRESSION {
            return None;
        }
        let wake = match self.wake {
            Instant::NEVER => SECONDS,
            wake => u32::try_from(wake.as_secs())
                .ok()
                .filter(|&it| it < SECONDS)?,
        };
        let pings = u8::try_from(self.pings).ok();
        let pings = pings.filter(|&pings| pings < STREAMING)?;
        let streaming = u8::from(self.assembly.is_streaming()) * STREAMING;
        let (spent, spent_since) = self.control.parts();
        Some(Resting {
            since: self.since,
            active: self.active,
            wake: wake | u32::from(windows) << SECONDS.count_ones(),
            spent: u16::try_from(spent).ok()?,
            pinged,
            pings: pings | streaming | number << COMPRESSION,
            spent_since,
        })
    }

    /// The connection compacted to `resting`. It may want to be woken up to a second earlier,
    /// never later.
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
        if let Some(number) = (pings >> COMPRESSION).checked_sub(1) {
            let sending = (wake >> SECONDS.count_ones()) as u8; // four bits
            connection.deflate = Some(Session::of_sending(sending).compressing(number));
        }
        connection.wake = match wake & SECONDS {
            SECONDS => Instant::NEVER,
            seconds => Instant::from_nanos(u64::from(seconds) * SECOND),
        };
        connection.control = Budget::from_parts(u32::from(spent), spent_since);
        connection.pings = u16::from(pings & (STREAMING - 1));
        if pinged {
            connection.phase = Phase::Pinged;
        }
        connection
    }
}

#[cfg(test)]
mod tests;
