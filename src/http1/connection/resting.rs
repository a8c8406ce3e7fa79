//! A server's connection between two exchanges, as a point in time.

use super::Connection;
use super::intake::Reading;
use crate::http1::state::Exchange;
use crate::wire::{Instant, Role};

impl Connection {
    /// Since when a server's connection has waited for its next request, if
    /// that is all there is to know of it: everything else is set by that
    /// request's head.
    pub(crate) fn resting(&self) -> Option<Instant> {
        let rests = self.role == Role::Server
            && self.exchange == Exchange::IDLE
            && self.intake.reading() == Reading::Idle
            && !self.intake.is_in_line()
            && !self.shutdown
            && self.intake.failed.is_none();
        rests.then_some(self.since)
    }

    /// The connection that has [rested](Self::resting) since then.
    pub(crate) const fn rested(since: Instant) -> Self {
        let mut connection = Self::new(Role::Server, since);
        connection.intake.wait_for_next();
        connection
    }
}
