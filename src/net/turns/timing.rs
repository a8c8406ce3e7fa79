//! Timers of an exchange that may be cancelled.

use core::time::Duration;

use crate::net::{Context, TimerId};

impl Context<'_> {
    /// As [`after`](Self::after), for a timer that may be
    /// [cancelled](Self::cancel_timer); `None` if it was not set.
    pub fn set_timer(&mut self, time: Duration, token: u64) -> Option<TimerId> {
        let at = self.state.now + time;
        self.state.set_timer(at, (self.owner, self.exchange, token))
    }

    /// Cancels a timer, unless it has passed.
    pub fn cancel_timer(&mut self, timer: TimerId) {
        self.state.timers.cancel(timer);
    }
}
