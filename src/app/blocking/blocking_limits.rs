//! How much blocking work there may be.

use core::time::Duration;

/// How much blocking work an app may have: see
/// [`Reply::blocking`](crate::app::Reply::blocking).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BlockingLimits {
    /// Threads that do blocking work, of all loops together. Each is started
    /// when there is work for it, and ends when it has had none for `idle`. With
    /// 0, all blocking work is refused. Default 64.
    pub threads: usize,
    /// Jobs that wait for a thread. Stops: clients that ask faster than the work
    /// is done. Effect: 503, or RESOURCE_EXHAUSTED for calls. Default 1,024.
    pub queue: usize,
    /// Time after which a thread without work ends. Default 10 s.
    pub idle: Duration,
}

impl BlockingLimits {
    /// Enough for a database whose queries take milliseconds.
    pub const DEFAULT: Self = Self {
        threads: 64,
        queue: 1_024,
        idle: Duration::from_secs(10),
    };

    /// Sets how many threads there may be.
    #[must_use]
    pub const fn with_threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Sets how many jobs may wait.
    #[must_use]
    pub const fn with_queue(mut self, jobs: usize) -> Self {
        self.queue = jobs;
        self
    }

    /// Sets after how long a thread without work ends.
    #[must_use]
    pub const fn with_idle(mut self, time: Duration) -> Self {
        self.idle = time;
        self
    }
}

impl Default for BlockingLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
