//! The client, as blocking work sees it.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, Ordering};

/// A job that runs on a thread for blocking work:
/// [`Reply::blocking_job`](crate::app::Reply::blocking_job) lends it to its closure.
#[derive(Debug)]
pub struct Job {
    wanted: Arc<AtomicBool>,
}

impl Job {
    pub(super) const fn new(wanted: Arc<AtomicBool>) -> Self {
        Self { wanted }
    }

    /// Whether the client still waits: it has not gone, and the time is not up.
    /// A job that runs cannot be stopped from outside; one that takes long asks
    /// this now and then, and returns early.
    pub fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::Acquire)
    }
}
