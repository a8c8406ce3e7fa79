//! Flood accounting: a leaky bucket.

use super::Instant;

/// How much a [`Budget`] bears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// The amount that may be spent in one moment.
    pub burst: u32,
    /// The amount that flows back in a second.
    pub per_second: u32,
}

/// The amount that a peer has spent of a [`Rate`].
///
/// ```
/// use barewire::wire::{Budget, Instant, Rate};
/// use core::time::Duration;
///
/// let rate = Rate { burst: 2, per_second: 1 };
/// let (mut budget, now) = (Budget::new(), Instant::START);
/// assert!(budget.spend(1, rate, now));
/// assert!(budget.spend(1, rate, now));
/// assert!(!budget.spend(1, rate, now));
/// assert!(budget.spend(1, rate, now + Duration::from_secs(1)));
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Budget {
    spent: u32,
    since: u32, // milliseconds of the clock, wrapping
}

impl Budget {
    /// A budget of which nothing is spent.
    pub const fn new() -> Self {
        Self { spent: 0, since: 0 }
    }

    /// The two numbers that a budget is, to be put away as fewer bytes.
    pub(crate) const fn parts(self) -> (u32, u32) {
        (self.spent, self.since)
    }

    /// The budget of these [`parts`](Self::parts).
    pub(crate) const fn from_parts(spent: u32, since: u32) -> Self {
        Self { spent, since }
    }

    /// Whether an eighth of `rate` or more is spent.
    pub(crate) const fn is_much(self, rate: Rate) -> bool {
        self.spent > 0 && self.spent >= rate.burst / 8
    }

    pub(crate) const fn or_more(self, other: Self) -> Self {
        if other.spent > self.spent {
            other
        } else {
            self
        }
    }

    /// Spends `cost` of `rate`; `false`, and nothing spent, if that is more
    /// than is left.
    #[inline]
    pub const fn spend(&mut self, cost: u32, rate: Rate, now: Instant) -> bool {
        let now = now.as_millis() as u32;
        if self.spent > 0 {
            let passed = now.wrapping_sub(self.since) as u64;
            let back = passed * rate.per_second as u64 / 1000;
            if back >= self.spent as u64 {
                self.spent = 0;
            } else if back > 0 {
                self.spent -= back as u32;
                // Only the time that paid for whole units has been used up.
                let paid = back * 1000 / rate.per_second as u64;
                self.since = self.since.wrapping_add(paid as u32);
            }
        }
        if self.spent == 0 {
            self.since = now;
        }
        match self.spent.checked_add(cost) {
            Some(sum) if sum <= rate.burst => {
                self.spent = sum;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests;
