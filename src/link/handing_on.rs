//! A peer's used rates, handed on to its next connection.

use alloc::boxed::Box;

use super::Limits;
use super::protocol::{Link, Protocol};
use super::spent::Spent;
use crate::wire::Instant;

impl Link {
    /// The amounts that the peer has spent, if they are worth keeping.
    pub(crate) fn spent(&self, limits: &Limits, now: Instant) -> Option<Spent> {
        let mut spent = Spent::default();
        match &self.protocol {
            Protocol::Http2(many) => spent.http2 = many.machine().spent(),
            Protocol::WebSocket(machine) => spent.control = machine.spent(),
            Protocol::Http1(_) | Protocol::Raw { .. } => return None,
        }
        spent.settle(limits, now).then_some(spent)
    }

    /// Makes the connection's protocols begin with what the peer has spent before.
    pub(crate) fn begin_with(&mut self, spent: Spent) {
        self.before = Some(Box::new(spent));
        if self.is_multiplexed() {
            self.hand_on();
        }
    }

    #[cold]
    pub(super) fn hand_on(&mut self) {
        let Some(spent) = self.before.take() else {
            return;
        };
        match &mut self.protocol {
            Protocol::Http2(many) => many.machine_mut().begin_with(spent.http2),
            Protocol::WebSocket(machine) => machine.begin_with(spent.control),
            Protocol::Http1(_) | Protocol::Raw { .. } => {}
        }
    }
}
