//! Latencies, to 3 %.

const STEPS: usize = 32;

/// Counts per latency: 32 steps for each power of two of nanoseconds.
pub struct Histogram(Vec<u64>);

impl Histogram {
    pub fn new() -> Self {
        Self(vec![0; 64 * STEPS])
    }

    pub fn clear(&mut self) {
        self.0.fill(0);
    }

    pub fn add(&mut self, nanoseconds: u64, times: u64) {
        let value = nanoseconds.max(STEPS as u64);
        let power = value.ilog2() as usize - 5;
        let step = (value >> power) as usize - STEPS;
        self.0[power * STEPS + step] += times;
    }

    /// The latency, in microseconds, that a share of all stays below.
    pub fn percentile(&self, share: f64) -> f64 {
        let total: u64 = self.0.iter().sum();
        let mut left = (total as f64 * share) as u64;
        for (at, &count) in self.0.iter().enumerate() {
            if count > left {
                let (power, step) = (at / STEPS, at % STEPS);
                return ((STEPS + step) << power) as f64 / 1000.0;
            }
            left -= count;
        }
        0.0
    }
}
