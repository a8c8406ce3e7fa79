//! How much blocking work there may be.

use core::time::Duration;

use crate::wire::setters;

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

    setters! {
        with_threads threads: usize,
        with_queue queue: usize,
        with_idle idle: Duration,
    }
}

impl Default for BlockingLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
