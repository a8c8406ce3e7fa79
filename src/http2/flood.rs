//! Flood budgets: what a peer has spent of the limits that count frames (RFC 9113
//! §10.5).
//!
//! Only what costs us more than its sender is counted: a frame that must be
//! answered, or one that throws away work which was done for it.

use super::{Limits, ProtocolError};
use crate::wire::{Budget, Instant};

/// What a stream counts whose field list is too large: all of its block is
/// read to keep the compression in step.
pub(super) const TOO_LARGE: u32 = 16;

/// Answers to our frames that a peer may save up.
const MAX_ANSWERS: u16 = 1000;

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
    answers: u16,
    /// Pings of ours that have not been answered.
    own_pings: u16,
    /// Of a peer whose pings are judged as keep-alives.
    keep_alive: Option<KeepAlive>,
}

/// The pings of a peer that makes calls (gRPC A8, "Server Enforcement").
#[derive(Debug, Default)]
struct KeepAlive {
    /// Those that came before their time.
    strikes: u16,
    /// When the last one came that did not; none did since we sent something.
    last: Option<Instant>,
}

impl KeepAlive {
    /// Whether a ping may still come; `probe` says that it may answer what we
    /// sent.
    fn ping(&mut self, probe: bool, idle: bool, limits: &Limits, now: Instant) -> bool {
        if probe {
            *self = Self::default();
        }
        let gap = match idle {
            true => limits.keep_alive_idle_gap,
            false => limits.keep_alive_gap,
        };
        if self.last.is_none_or(|last| last + gap <= now) {
            self.last = Some(now);
            return true;
        }
        self.strikes = self.strikes.saturating_add(1);
        self.strikes <= limits.keep_alive_strikes
    }
}

/// What a peer has spent, to be kept beyond its connection.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Spent([Budget; 7]);

impl Spent {
    /// Lets flow back what has by `now`; whether much of a rate is spent.
    pub(crate) fn settle(&mut self, limits: &Limits, now: Instant) -> bool {
        let rates = [
            limits.settings_rate,
            limits.ping_rate,
            limits.idle_ping_rate,
            limits.empty_data_rate,
            limits.reset_rate,
            limits.error_rate,
            limits.refusal_rate,
        ];
        let mut is_much = false;
        for (budget, rate) in self.0.iter_mut().zip(rates) {
            budget.spend(0, rate, now);
            is_much |= budget.is_much(rate);
        }
        is_much
    }

    /// The more of both, which have been settled at the same time.
    pub(crate) fn or_more(mut self, other: Self) -> Self {
        for (own, other) in self.0.iter_mut().zip(other.0) {
            *own = own.or_more(other);
        }
        self
    }
}

impl Flood {
    /// What has been spent, in the order of [`Spent`].
    pub(super) const fn spent(&self) -> Spent {
        Spent([
            self.settings,
            self.pings,
            self.idle_pings,
            self.empty_data,
            self.resets,
            self.errors,
            self.refusals,
        ])
    }

    /// Begins with what was spent before.
    pub(super) const fn begin_with(&mut self, spent: Spent) {
        let Spent(
            [
                settings,
                pings,
                idle_pings,
                empty_data,
                resets,
                errors,
                refusals,
            ],
        ) = spent;
        self.settings = settings;
        self.pings = pings;
        self.idle_pings = idle_pings;
        self.empty_data = empty_data;
        self.resets = resets;
        self.errors = errors;
        self.refusals = refusals;
    }

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
            own_pings: 0,
            keep_alive: None,
        }
    }

    /// Counts pings as keep-alives from now on.
    #[inline]
    pub(super) fn judge_keep_alive(&mut self) {
        self.keep_alive.get_or_insert_default();
    }

    /// Notes that HEADERS or DATA were sent: clients probe the bandwidth with
    /// a ping for them.
    #[inline]
    pub(super) fn sent(&mut self) {
        self.answers = (self.answers + 1).min(MAX_ANSWERS);
    }

    pub(super) const fn settings(
        &mut self,
        limits: &Limits,
        now: Instant,
    ) -> Result<(), ProtocolError> {
        judge(
            self.settings.spend(1, limits.settings_rate, now),
            ProtocolError::SettingsFlood,
        )
    }

    /// Notes that a ping of ours was sent.
    pub(super) const fn pinged(&mut self) {
        self.own_pings = self.own_pings.saturating_add(1);
    }

    /// An answer to a ping of ours, or to one that was never sent.
    pub(super) const fn answer(
        &mut self,
        limits: &Limits,
        now: Instant,
    ) -> Result<(), ProtocolError> {
        // The peer may answer in any order, so that the number is what counts.
        if self.own_pings > 0 {
            self.own_pings -= 1;
            return Ok(());
        }
        judge(
            self.pings.spend(1, limits.ping_rate, now),
            ProtocolError::PingFlood,
        )
    }

    /// A ping; `idle` says that no stream is open.
    pub(super) fn ping(
        &mut self,
        idle: bool,
        limits: &Limits,
        now: Instant,
    ) -> Result<(), ProtocolError> {
        let probe = self.answers > 0;
        if let Some(keep_alive) = &mut self.keep_alive {
            self.answers = 0;
            let within = keep_alive.ping(probe, idle, limits, now);
            let within = within && (probe || self.pings.spend(1, limits.ping_rate, now));
            return judge(within, ProtocolError::PingFlood);
        }
        if probe {
            self.answers -= 1;
            return Ok(());
        }
        // Without a stream there is nothing to keep alive for, and fewer are borne.
        let idle = !idle || self.idle_pings.spend(1, limits.idle_ping_rate, now);
        judge(
            idle && self.pings.spend(1, limits.ping_rate, now),
            ProtocolError::PingFlood,
        )
    }

    pub(super) const fn empty_data(
        &mut self,
        limits: &Limits,
        now: Instant,
    ) -> Result<(), ProtocolError> {
        judge(
            self.empty_data.spend(1, limits.empty_data_rate, now),
            ProtocolError::EmptyDataFlood,
        )
    }

    pub(super) const fn reset(
        &mut self,
        limits: &Limits,
        now: Instant,
    ) -> Result<(), ProtocolError> {
        judge(
            self.resets.spend(1, limits.reset_rate, now),
            ProtocolError::ResetFlood,
        )
    }

    pub(super) const fn error(
        &mut self,
        limits: &Limits,
        now: Instant,
    ) -> Result<(), ProtocolError> {
        judge(
            self.errors.spend(1, limits.error_rate, now),
            ProtocolError::ErrorFlood,
        )
    }

    /// A stream that is refused; `cost` is 1 where nothing was decoded for it.
    pub(super) const fn refusal(
        &mut self,
        cost: u32,
        limits: &Limits,
        now: Instant,
    ) -> Result<(), ProtocolError> {
        judge(
            self.refusals.spend(cost, limits.refusal_rate, now),
            ProtocolError::RefusalFlood,
        )
    }
}

const fn judge(within: bool, violation: ProtocolError) -> Result<(), ProtocolError> {
    if within { Ok(()) } else { Err(violation) }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    /// One ping after so many seconds each; how many passed.
    fn passed(flood: &mut Flood, idle: bool, gaps: &[u64]) -> usize {
        let mut now = Instant::START;
        let mut next = |gap: &u64| {
            now += Duration::from_secs(*gap);
            flood.ping(idle, &Limits::DEFAULT, now).is_ok()
        };
        gaps.iter().take_while(|gap| next(gap)).count()
    }

    fn of_calls() -> Flood {
        let mut flood = Flood::new();
        flood.judge_keep_alive();
        flood
    }

    #[test]
    fn two_pings_before_their_time_are_forgiven() {
        assert_eq!(passed(&mut of_calls(), false, &[0; 9]), 3);
        assert_eq!(passed(&mut of_calls(), false, &[0, 299, 0, 0]), 3);
        // The time counts from the last ping that was in time.
        assert_eq!(passed(&mut of_calls(), false, &[0, 299, 1, 299, 1, 299]), 5);
    }

    #[test]
    fn pings_in_time_pass_for_ever() {
        assert_eq!(passed(&mut of_calls(), false, &[300; 1000]), 1000);
        assert_eq!(passed(&mut of_calls(), true, &[7200; 1000]), 1000);
    }

    #[test]
    fn without_a_stream_the_time_is_longer() {
        assert_eq!(passed(&mut of_calls(), true, &[300; 9]), 3);
    }

    #[test]
    fn what_is_sent_wipes_out_the_strikes() {
        let mut flood = of_calls();
        // Two of each three count for the rate of all pings.
        for _ in 0..500 {
            (0..5).for_each(|_| flood.sent());
            assert_eq!(passed(&mut flood, false, &[0; 3]), 3);
        }
        assert_eq!(passed(&mut flood, false, &[0]), 0);
    }

    #[test]
    fn a_connection_without_calls_is_judged_by_its_rates() {
        assert_eq!(passed(&mut Flood::new(), false, &[0; 2000]), 1000);
        assert_eq!(passed(&mut Flood::new(), true, &[0; 2000]), 20);
        assert_eq!(passed(&mut Flood::new(), true, &[1; 2000]), 2000);
    }

    #[test]
    fn strikes_without_end_leave_the_rate() {
        let limits = Limits::DEFAULT.with_keep_alive_strikes(u16::MAX);
        let (mut flood, now) = (of_calls(), Instant::START);
        let passed = (0..2000).take_while(|_| flood.ping(false, &limits, now).is_ok());
        assert_eq!(passed.count(), 1000);
    }
}
