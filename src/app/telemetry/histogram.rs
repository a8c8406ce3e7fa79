//! Durations, counted into buckets.
//!
//! The bounds are fixed, so that a histogram takes the same few cache lines
//! whatever it is fed.

use core::time::Duration;

use super::counter::Counter;

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

/// How many buckets there are.
const BUCKETS: usize = DURATION_BOUNDS.len() + 1;

/// A histogram with one writer and many readers.
#[derive(Debug, Default)]
pub(super) struct Histogram {
    counts: [Counter; BUCKETS],
    nanos: Counter,
}

impl Histogram {
    /// Counts a duration, as many times.
    pub(super) fn add(&self, duration: Duration, times: u64) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.add_nanos(nanos, times);
    }

    /// Counts a duration in nanoseconds, as many times.
    pub(super) fn add_nanos(&self, nanos: u64, times: u64) {
        let bucket = DURATION_BOUNDS.partition_point(|&bound| bound < nanos);
        // At most DURATION_BOUNDS.len(), and there is one bucket more.
        if let Some(count) = self.counts.get(bucket) {
            count.add(times);
        }
        self.nanos.add(nanos.saturating_mul(times));
    }

    /// Adds what was counted so far to `durations`.
    pub(super) fn read(&self, durations: &mut Durations) {
        for (sum, count) in durations.counts.iter_mut().zip(&self.counts) {
            *sum += count.get();
        }
        durations.nanos = durations.nanos.saturating_add(self.nanos.get());
    }
}

/// How long things took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Durations {
    counts: [u64; BUCKETS],
    nanos: u64,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_falls_into_the_first_bucket_that_holds_it() {
        let histogram = Histogram::default();
        for nanos in [0, 10_000, 10_001, 999_999_999, 61_000_000_000] {
            histogram.add(Duration::from_nanos(nanos), 1);
        }
        let mut durations = Durations::default();
        histogram.read(&mut durations);
        histogram.read(&mut durations);
        let filled: std::vec::Vec<_> = durations
            .buckets()
            .filter(|&(_, count)| count > 0)
            .collect();
        let bound = |nanos| Some(Duration::from_nanos(nanos));
        assert_eq!(
            filled,
            [
                (bound(10_000), 4),
                (bound(25_000), 2),
                (bound(1_000_000_000), 2),
                (None, 2)
            ]
        );
        assert_eq!(durations.count(), 10);
        assert_eq!(durations.average(), Duration::from_nanos(12_400_004_000));
    }

    #[test]
    fn a_quantile_is_the_bound_of_its_bucket() {
        let histogram = Histogram::default();
        for _ in 0..99 {
            histogram.add(Duration::from_micros(5), 1);
        }
        histogram.add(Duration::from_secs(1), 1);
        let mut durations = Durations::default();
        assert_eq!(durations.quantile(0.5), Duration::ZERO);
        assert_eq!(durations.average(), Duration::ZERO);
        histogram.read(&mut durations);
        assert_eq!(durations.quantile(0.5), Duration::from_micros(10));
        assert_eq!(durations.quantile(0.99), Duration::from_micros(10));
        assert_eq!(durations.quantile(1.0), Duration::from_secs(1));
    }
}
