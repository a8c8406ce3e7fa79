//! Flood budgets: what a peer has spent of the limits that count frames (RFC 9113
//! §10.5).
//!
//! Only what costs us more than its sender is counted: a frame that must be
//! answered, or one that throws away work which was done for it.

use super::{Limits, ProtocolError};
use crate::wire::{Budget, Instant};

/// The cost of a stream whose field list is too large: all of its block is read to keep
/// the compression in step.
pub(super) const TOO_LARGE: u32 = 16;

/// Answers to our frames that a peer may save up.
const MAX_ANSWERS: u16 = 1000;

#[derive(Debug)]
pub(super) struct Flood {
    spent: Spent,
    /// Frames of ours that a ping of the peer may still answer.
    answers: u16,
    /// Pings of ours that have not been answered.
    own_pings: u16,
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

/// The amounts that a peer has spent of each rate. They are kept beyond its connection,
/// so that reconnecting does not restore the rates.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spent {
    settings: Budget,
    pings: Budget,
    idle_pings: Budget,
    empty_data: Budget,
    resets: Budget,
    errors: Budget,
    refusals: Budget,
}

impl Spent {
    const NONE: Self = Self {
        settings: Budget::new(),
        pings: Budget::new(),
        idle_pings: Budget::new(),
        empty_data: Budget::new(),
        resets: Budget::new(),
        errors: Budget::new(),
        refusals: Budget::new(),
    };

    /// Lets flow back what has by `now`; whether much of a rate is spent.
    pub(crate) fn settle(&mut self, limits: &Limits, now: Instant) -> bool {
        // All of them: one that is missing here does not compile.
        let Self {
            settings,
            pings,
            idle_pings,
            empty_data,
            resets,
            errors,
            refusals,
        } = self;
        let budgets = [
            (settings, limits.settings_rate),
            (pings, limits.ping_rate),
            (idle_pings, limits.idle_ping_rate),
            (empty_data, limits.empty_data_rate),
            (resets, limits.reset_rate),
            (errors, limits.error_rate),
            (refusals, limits.refusal_rate),
        ];
        let mut is_much = false;
        for (budget, rate) in budgets {
            budget.spend(0, rate, now);
            is_much |= budget.is_much(rate);
        }
        is_much
    }

    /// The more of both, which have been settled at the same time.
    pub(crate) fn or_more(self, other: Self) -> Self {
        Self {
            settings: self.settings.or_more(other.settings),
            pings: self.pings.or_more(other.pings),
            idle_pings: self.idle_pings.or_more(other.idle_pings),
            empty_data: self.empty_data.or_more(other.empty_data),
            resets: self.resets.or_more(other.resets),
            errors: self.errors.or_more(other.errors),
            refusals: self.refusals.or_more(other.refusals),
        }
    }
}

impl Default for Spent {
    fn default() -> Self {
        Self::NONE
    }
}

/// Methods that count one of what a peer sent against a rate.
macro_rules! counted {
    ($($name:ident: $spent:ident by $rate:ident, $fault:ident;)*) => {$(
        pub(super) const fn $name(
            &mut self,
            limits: &Limits,
            now: Instant,
        ) -> Result<(), ProtocolError> {
            let fits = self.spent.$spent.spend(1, limits.$rate, now);
            judge(fits, ProtocolError::$fault)
        }
    )*};
}

impl Flood {
    pub(super) const fn spent(&self) -> Spent {
        self.spent
    }

    pub(super) const fn begin_with(&mut self, spent: Spent) {
        self.spent = spent;
    }

    pub(super) const fn new() -> Self {
        Self {
            spent: Spent::NONE,
            answers: 0,
            own_pings: 0,
            keep_alive: None,
        }
    }

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

    counted! {
        settings: settings by settings_rate, SettingsFlood;
        empty_data: empty_data by empty_data_rate, EmptyDataFlood;
        reset: resets by reset_rate, ResetFlood;
        error: errors by error_rate, ErrorFlood;
    }

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
            self.spent.pings.spend(1, limits.ping_rate, now),
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
            let within = within && (probe || self.spent.pings.spend(1, limits.ping_rate, now));
            return judge(within, ProtocolError::PingFlood);
        }
        if probe {
            self.answers -= 1;
            return Ok(());
        }
        // Without a stream there is nothing to keep alive for, and fewer are borne.
        let idle = !idle || self.spent.idle_pings.spend(1, limits.idle_ping_rate, now);
        judge(
            idle && self.spent.pings.spend(1, limits.ping_rate, now),
            ProtocolError::PingFlood,
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
            self.spent.refusals.spend(cost, limits.refusal_rate, now),
            ProtocolError::RefusalFlood,
        )
    }
}

const fn judge(within: bool, violation: ProtocolError) -> Result<(), ProtocolError> {
    if within { Ok(()) } else { Err(violation) }
}

#[cfg(test)]
mod tests;
