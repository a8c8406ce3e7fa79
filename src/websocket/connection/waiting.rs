//! The transport tells the machine how far its output is on the way to the peer.

use super::{Connection, Phase};
use crate::websocket::timer::Tick;
use crate::wire::Instant;

impl Connection {
    /// Since when the peer owes us an answer, to a ping or to a Close frame, in
    /// milliseconds of the clock that wrap; `None` while it owes none.
    #[inline]
    pub fn awaited(&self) -> Option<u32> {
        match self.phase {
            Phase::Pinged | Phase::CloseSent => Some(self.since.millis()),
            Phase::Closed if self.wake != Instant::NEVER => Some(self.since.millis()),
            Phase::Open | Phase::Closed | Phase::Failed(_) => None,
        }
    }

    /// Says that what asks for this answer is not with the peer before `at`, up
    /// to some hours from now: the time to answer counts from there. Without a
    /// call it counts from when the frame was written.
    pub fn await_from(&mut self, at: Instant) {
        if self.awaited().is_some() {
            self.since = Tick::at(at);
        }
    }

    /// Says that output is on its way, and that the peer takes it: the
    /// connection is not idle.
    pub const fn under_way(&mut self, now: Instant) {
        self.active = Tick::at(now);
    }
}

#[cfg(test)]
mod tests;
