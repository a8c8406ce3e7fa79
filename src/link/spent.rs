//! The part of its rates that a peer has used, kept beyond its connection, so
//! that reconnecting does not restore them.

use super::Limits;
use crate::http2;
use crate::wire::Budget;
use crate::wire::{Instant, Rate};

/// The used part of the rates of all protocols.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spent {
    pub(super) http2: http2::Spent,
    pub(super) control: Budget, // of WebSockets
}

impl Spent {
    /// Lets flow back what has by `now`; whether what is left is worth keeping.
    pub(crate) fn settle(&mut self, limits: &Limits, now: Instant) -> bool {
        let http2 = self.http2.settle(&limits.http2, now);
        settle(&mut self.control, limits.websocket.control_rate, now) || http2
    }

    #[must_use]
    pub(crate) fn or_more(self, other: Self) -> Self {
        Self {
            http2: self.http2.or_more(other.http2),
            control: self.control.or_more(other.control),
        }
    }
}

fn settle(budget: &mut Budget, rate: Rate, now: Instant) -> bool {
    budget.spend(0, rate, now);
    budget.is_much(rate)
}

#[cfg(test)]
mod tests;
