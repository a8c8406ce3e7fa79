//! Timers of an exchange that may be cancelled.

use core::time::Duration;

use crate::net::{Claim, Context, Exhausted, Resource, TimerId};

impl Context<'_> {
    /// As [`after`](Self::after), for a timer that may be
    /// [cancelled](Self::cancel_timer).
    ///
    /// # Errors
    /// [`Exhausted`] if there may be no further timer: it was not set.
    pub fn set_timer(&mut self, time: Duration, token: u64) -> Result<TimerId, Exhausted> {
        let at = self.state.now + time;
        self.state.set_timer(at, self.owner, self.exchange, token)
    }

    /// Takes one of what there is a share of, for this exchange, its connection
    /// and its peer's address, until the claim is dropped.
    ///
    /// # Errors
    /// [`Exhausted`] says whose share is used up.
    pub fn claim(&mut self, resource: Resource) -> Result<Claim, Exhausted> {
        self.state.claim(resource, self.exchange)
    }

    /// Cancels a timer, unless it has passed.
    pub fn cancel_timer(&mut self, timer: TimerId) {
        self.state.timers.cancel(timer);
    }
}
