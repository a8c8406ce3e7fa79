//! What a peer has spent of the limits that count frames (RFC 9113 §10.5).

use super::{Limits, Violation};
use crate::wire::{Budget, Instant};

/// What a stream counts whose field list is too large: all of its block is
/// read to keep the compression in step.
pub(super) const TOO_LARGE: u32 = 16;

/// Answers to our frames that a peer may save up.
const MAX_ANSWERS: u32 = 1000;

/// The budgets of one connection.
#[derive(Debug)]
pub(super) struct Flood {
    settings: Budget,
    pings: Budget,
    idle_pings: Budget,
    empty_data: Budget,
    resets: Budget,
    errors: Budget,
    refusals: Budget,
    /// Frames of ours that a ping of the peer may still answer.
    answers: u32,
}

impl Flood {
    pub(super) const fn new() -> Self {
        Self {
            settings: Budget::new(),
            pings: Budget::new(),
            idle_pings: Budget::new(),
            empty_data: Budget::new(),
            resets: Budget::new(),
            errors: Budget::new(),
            refusals: Budget::new(),
            answers: 0,
        }
    }

    /// Notes that content was sent: clients probe the bandwidth with a ping
    /// for it.
    #[inline]
    pub(super) fn sent(&mut self) {
        self.answers = (self.answers + 1).min(MAX_ANSWERS);
    }

    pub(super) const fn settings(
        &mut self,
        limits: &Limits,
        now: Instant,
    ) -> Result<(), Violation> {
        judge(
            self.settings.spend(1, limits.settings_rate, now),
            Violation::SettingsFlood,
        )
    }

    /// A ping; `idle` says that no stream is open.
    pub(super) fn ping(
        &mut self,
        idle: bool,
        limits: &Limits,
        now: Instant,
    ) -> Result<(), Violation> {
        if self.answers > 0 {
            self.answers -= 1;
            return Ok(());
        }
        let idle = !idle || self.idle_pings.spend(1, limits.idle_ping_rate, now);
        judge(
            idle && self.pings.spend(1, limits.ping_rate, now),
            Violation::PingFlood,
        )
    }

    pub(super) const fn empty_data(
        &mut self,
        limits: &Limits,
        now: Instant,
    ) -> Result<(), Violation> {
        judge(
            self.empty_data.spend(1, limits.empty_data_rate, now),
            Violation::EmptyDataFlood,
        )
    }

    pub(super) const fn reset(&mut self, limits: &Limits, now: Instant) -> Result<(), Violation> {
        judge(
            self.resets.spend(1, limits.reset_rate, now),
            Violation::ResetFlood,
        )
    }

    pub(super) const fn error(&mut self, limits: &Limits, now: Instant) -> Result<(), Violation> {
        judge(
            self.errors.spend(1, limits.error_rate, now),
            Violation::ErrorFlood,
        )
    }

    /// A stream that is refused; `cost` is 1 where nothing was decoded for it.
    pub(super) const fn refusal(
        &mut self,
        cost: u32,
        limits: &Limits,
        now: Instant,
    ) -> Result<(), Violation> {
        judge(
            self.refusals.spend(cost, limits.refusal_rate, now),
            Violation::RefusalFlood,
        )
    }
}

const fn judge(within: bool, violation: Violation) -> Result<(), Violation> {
    if within { Ok(()) } else { Err(violation) }
}
