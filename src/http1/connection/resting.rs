//! A server's connection of which little is to be remembered: between two exchanges a
//! point in time, and in a response that is streamed nothing.

use super::intake::Reading;
use super::{After, Connection, RequestKind, Sending};
use crate::http1::state::Exchange;
use crate::wire::{Instant, Role};

impl Connection {
    /// Since when a server's connection has waited for its next request, if
    /// that is all of its state: everything else is set by that
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

    pub(crate) const fn rested(since: Instant) -> Self {
        let mut connection = Self::new(Role::Server, since);
        connection.intake.wait_for_next();
        connection
    }

    /// Whether it is a server's that has received a request completely, and streams the
    /// response in chunks: that is then all of its state.
    pub(crate) fn is_streaming(&self) -> bool {
        self.exchange == Exchange::ANSWERING
            && self.role == Role::Server
            && self.sending == Sending::Chunked
            && self.asked == RequestKind::Plain
            && matches!(self.after, After::Keep | After::KeepDraining)
            && !self.intake.is_in_line()
            && !self.shutdown
            && self.intake.failed.is_none()
    }

    pub(crate) const fn streaming() -> Self {
        let mut connection = Self::new(Role::Server, Instant::START);
        connection.exchange = Exchange::ANSWERING;
        connection.sending = Sending::Chunked;
        connection
    }
}
