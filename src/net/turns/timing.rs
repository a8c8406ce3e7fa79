//! Timers of an exchange that may be cancelled.

use core::time::Duration;

use crate::net::{Claim, Context, Exhausted, Resource, TimerId};

impl Context<'_> {
    /// Sets a timer like [`after`](Self::after), for one that may be
    /// [cancelled](Self::cancel_timer).
    ///
    /// # Errors
    /// [`Exhausted`] if there may be no further timer: it was not set.
    pub fn set_timer(&mut self, time: Duration, token: u64) -> Result<TimerId, Exhausted> {
        let at = self.state.now + time;
        self.state
            .set_timer(at, self.owner, self.exchange, token, None)
    }

    /// Times what the peer is to send; when it is over, [`is_excused`](Self::is_excused) says
    /// whether it could.
    pub(crate) fn grant_time(&mut self, time: Duration, token: u64) -> Result<TimerId, Exhausted> {
        let now = self.state.now;
        self.state
            .set_timer(now + time, self.owner, self.exchange, token, Some(now))
    }

    /// Whether a [granted](Self::grant_time) time counts for nothing: our side withheld input,
    /// or output with the peer's window is on its way.
    pub(crate) const fn is_excused(&self) -> bool {
        self.state.excused
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
