//! Durations, counted into buckets.
//!
//! The bounds are fixed, so that they take the same few cache lines whatever is counted.

use core::time::Duration;

/// The upper bounds of the buckets, in nanoseconds; one more bucket takes what
/// is beyond the last.
pub const DURATION_BOUNDS: [u64; 20] = [
    10_000, // 10 µs
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000, // 1 ms
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000, // 1 s
    2_500_000_000,
    5_000_000_000,
    10_000_000_000,
    60_000_000_000, // 1 min
];

pub(crate) const BUCKETS: usize = DURATION_BOUNDS.len() + 1;

/// How long things took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Durations {
    pub(crate) counts: [u64; BUCKETS],
    pub(crate) nanos: u64,
}

impl Durations {
    /// How many were counted.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// All together.
    pub const fn sum(&self) -> Duration {
        Duration::from_nanos(self.nanos)
    }

    /// The average; zero where nothing was counted.
    pub fn average(&self) -> Duration {
        Duration::from_nanos(self.nanos.checked_div(self.count()).unwrap_or(0))
    }

    /// A bound that the part `quantile` (0 to 1) of all is not above: exact
    /// only as far as the buckets are. Zero where nothing was counted.
    pub fn quantile(&self, quantile: f64) -> Duration {
        let wanted = quantile.clamp(0.0, 1.0) * self.count() as f64;
        let mut below = 0;
        for (bound, count) in self.buckets() {
            below += count;
            if below > 0 && below as f64 >= wanted {
                return bound.unwrap_or(Duration::MAX);
            }
        }
        Duration::ZERO
    }

    /// The buckets in order: each with its upper bound, `None` for what is
    /// beyond the last, and how many fell into it.
    pub fn buckets(&self) -> impl Iterator<Item = (Option<Duration>, u64)> + '_ {
        let bounds = DURATION_BOUNDS
            .iter()
            .map(|&nanos| Some(Duration::from_nanos(nanos)));
        bounds.chain([None]).zip(self.counts.iter().copied())
    }
}

/// The bucket of a duration in nanoseconds.
pub(crate) fn bucket_of(nanos: u64) -> usize {
    DURATION_BOUNDS.partition_point(|&bound| bound < nanos)
}
