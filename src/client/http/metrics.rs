//! What a client counts.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;

use crate::http::Status;

/// The codes that a status can have.
const CODES: usize = 500;

/// What all threads of a client count.
#[derive(Debug)]
pub(super) struct Metrics {
    started: AtomicU64,
    ended: AtomicU64,
    failed: AtomicU64,
    by_status: Box<[AtomicU64; CODES]>,
    nanos: AtomicU64,
    opened: AtomicU64,
    reused: AtomicU64,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            started: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            by_status: Box::new([const { AtomicU64::new(0) }; CODES]),
            nanos: AtomicU64::new(0),
            opened: AtomicU64::new(0),
            reused: AtomicU64::new(0),
        }
    }
}

fn add(counter: &AtomicU64, n: u64) {
    counter.fetch_add(n, Ordering::Relaxed);
}

impl Metrics {
    /// A call begins.
    pub(super) fn start(&self) -> InFlight {
        add(&self.started, 1);
        InFlight(())
    }

    /// The head of a response has come.
    pub(super) fn answered(&self, status: Status, took: Duration) {
        let at = usize::from(status.code()).saturating_sub(100); // 100 to 599
        if let Some(count) = self.by_status.get(at) {
            add(count, 1);
        }
        add(
            &self.nanos,
            u64::try_from(took.as_nanos()).unwrap_or(u64::MAX),
        );
    }

    /// A connection was opened.
    pub(super) fn opened(&self) {
        add(&self.opened, 1);
    }

    /// A connection was used again.
    pub(super) fn reused(&self) {
        add(&self.reused, 1);
    }

    pub(super) fn snapshot(&self, (connections, idle): (usize, usize)) -> MetricsSnapshot {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counts = self.by_status.iter().map(get).enumerate();
        let by_status = counts
            .filter(|(_, count)| *count > 0)
            .filter_map(|(at, count)| {
                let code = u16::try_from(at + 100).ok();
                Some((code.and_then(Status::new)?, count))
            });
        let ended = get(&self.ended);
        MetricsSnapshot {
            started: get(&self.started).max(ended),
            ended,
            errors: get(&self.failed),
            by_status: by_status.collect(),
            time: Duration::from_nanos(get(&self.nanos)),
            opened: get(&self.opened),
            reused: get(&self.reused),
            connections,
            idle,
        }
    }
}

/// A call under way.
#[derive(Debug)]
pub(super) struct InFlight(());

impl InFlight {
    /// It has come to no response.
    pub(super) fn failed(self, metrics: &Metrics) {
        add(&metrics.failed, 1);
        add(&metrics.ended, 1);
    }

    /// It is over.
    pub(super) fn end(&self, metrics: &Metrics) {
        add(&metrics.ended, 1);
    }
}

/// What a client has counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricsSnapshot {
    started: u64,
    ended: u64,
    errors: u64,
    by_status: Vec<(Status, u64)>,
    time: Duration,
    opened: u64,
    reused: u64,
    connections: usize,
    idle: usize,
}
