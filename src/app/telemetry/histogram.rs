//! Counters and histograms that one thread counts, and all may read.

use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::Relaxed;
use core::time::Duration;

use crate::wire::durations::{BUCKETS, Durations, bucket_of};

/// A histogram with one writer and many readers.
#[derive(Debug, Default)]
pub(super) struct Histogram {
    counts: [Counter; BUCKETS],
    nanos: Counter,
}

impl Histogram {
    pub(super) fn add(&self, duration: Duration, times: u64) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.add_nanos(nanos, times);
    }

    /// Counts a duration in nanoseconds, as many times.
    pub(super) fn add_nanos(&self, nanos: u64, times: u64) {
        let bucket = bucket_of(nanos);
        // There is one for each duration.
        if let Some(count) = self.counts.get(bucket) {
            count.add(times);
        }
        self.nanos.add(nanos.saturating_mul(times));
    }

    pub(super) fn read(&self, durations: &mut Durations) {
        for (sum, count) in durations.counts.iter_mut().zip(&self.counts) {
            *sum += count.get();
        }
        durations.nanos = durations.nanos.saturating_add(self.nanos.get());
    }
}

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    /// Adds `n`. Only the writer may call this: it is no atomic addition.
    #[inline]
    pub(crate) fn add(&self, n: u64) {
        self.0.store(self.get().wrapping_add(n), Relaxed);
    }

    /// Subtracts `n`, likewise; stops at zero.
    #[inline]
    pub(super) fn sub(&self, n: u64) {
        self.0.store(self.get().saturating_sub(n), Relaxed);
    }

    #[inline]
    pub(super) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

#[cfg(test)]
mod tests;
