//! The wakers of futures that wait for a time.

use core::task::Waker;

use crate::net::{TimerId, TimerMark, Timers};
use crate::wire::Instant;

/// The wakers of those that sleep.
#[derive(Debug)]
pub(super) struct Sleeping(Timers<Waker>);

impl Sleeping {
    pub(super) const fn new() -> Self {
        Self(Timers::new())
    }

    pub(super) fn add(&mut self, at: Instant, waker: Waker) -> TimerId {
        self.0.after(at, waker)
    }

    pub(super) fn cancel(&mut self, timer: TimerId) -> Option<Waker> {
        self.0.cancel(timer)
    }

    pub(super) fn first(&self) -> Instant {
        self.0.next().unwrap_or(Instant::NEVER)
    }

    pub(super) const fn mark(&self) -> TimerMark {
        self.0.mark()
    }

    /// The next whose time has come of those that slept at the mark.
    pub(super) fn wakened(&mut self, now: Instant, until: TimerMark) -> Option<Waker> {
        Some(self.0.expired(now, until)?.1)
    }
}
