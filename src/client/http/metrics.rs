//! What a client counts.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;

use crate::http::Status;
use crate::net::exposition::{family, histogram, labelled, single};
use crate::wire::durations::{BUCKETS, Durations, bucket_of};

/// The codes that a status can have.
const CODES: usize = 500;

/// What all threads of a client count.
#[derive(Debug)]
pub(super) struct Counters {
    started: AtomicU64,
    ended: AtomicU64,
    errors: AtomicU64,
    by_status: Box<[AtomicU64; CODES]>,
    buckets: [AtomicU64; BUCKETS],
    nanos: AtomicU64,
    opened: AtomicU64,
    reused: AtomicU64,
    sent: AtomicU64,
    received: AtomicU64,
}

impl Default for Counters {
    fn default() -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            started: zero(),
            ended: zero(),
            errors: zero(),
            by_status: Box::new([const { AtomicU64::new(0) }; CODES]),
            buckets: [const { AtomicU64::new(0) }; BUCKETS],
            nanos: zero(),
            opened: zero(),
            reused: zero(),
            sent: zero(),
            received: zero(),
        }
    }
}

fn add(counter: &AtomicU64, n: u64) {
    counter.fetch_add(n, Ordering::Relaxed);
}

fn get(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

impl Counters {
    /// A call begins.
    pub(super) fn start(&self) {
        add(&self.started, 1);
    }

    /// A call is over; whether it has come to a response.
    pub(super) fn end(&self, is_answered: bool) {
        add(&self.errors, u64::from(!is_answered));
        add(&self.ended, 1);
    }

    /// The head of a response has come.
    pub(super) fn answered(&self, status: Status, took: Duration) {
        let at = usize::from(status.code()).saturating_sub(100); // 100 to 599
        if let Some(count) = self.by_status.get(at) {
            add(count, 1);
        }
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        if let Some(bucket) = self.buckets.get(bucket_of(nanos)) {
            add(bucket, 1);
        }
        add(&self.nanos, nanos);
    }

    /// A connection was opened.
    pub(super) fn opened(&self) {
        add(&self.opened, 1);
    }

    /// A connection was used again.
    pub(super) fn reused(&self) {
        add(&self.reused, 1);
    }

    /// An attempt is over.
    pub(super) fn carried(&self, sent: u64, received: u64) {
        add(&self.sent, sent);
        add(&self.received, received);
    }

    pub(super) fn read(&self, (connections, idle): (usize, usize)) -> Metrics {
        let counts = self.by_status.iter().map(get).enumerate();
        let counts = counts.filter(|(_, count)| *count > 0);
        let by_status = counts.filter_map(|(at, count)| {
            let code = u16::try_from(at + 100).ok();
            Some((code.and_then(Status::new)?, count))
        });
        let mut durations = Durations::default();
        for (sum, count) in durations.counts.iter_mut().zip(&self.buckets) {
            *sum = get(count);
        }
        durations.nanos = get(&self.nanos);
        let ended = get(&self.ended); // before those that have begun
        Metrics {
            started: get(&self.started),
            ended,
            errors: get(&self.errors),
            by_status: by_status.collect(),
            durations,
            opened: get(&self.opened),
            reused: get(&self.reused),
            connections,
            idle,
            sent: get(&self.sent),
            received: get(&self.received),
        }
    }
}

/// What a client has counted, all its clones together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metrics {
    started: u64,
    ended: u64,
    errors: u64,
    by_status: Vec<(Status, u64)>,
    durations: Durations,
    opened: u64,
    reused: u64,
    connections: usize,
    idle: usize,
    sent: u64,
    received: u64,
}

impl Metrics {
    /// Calls that were begun. One that is redirected, or made again, is one.
    pub fn requests(&self) -> u64 {
        self.started
    }

    /// Calls whose response is not over.
    pub fn in_flight(&self) -> u64 {
        self.started.saturating_sub(self.ended)
    }

    /// Responses with a status below 400.
    pub fn successful(&self) -> u64 {
        self.sum(|status| !status.is_error())
    }

    /// Responses with a status of 400 and above, and calls without a response.
    pub fn failed(&self) -> u64 {
        self.sum(Status::is_error) + self.errors
    }

    fn sum(&self, of: impl Fn(Status) -> bool) -> u64 {
        let counts = self.by_status.iter().filter(|(status, _)| of(*status));
        counts.map(|(_, count)| count).sum()
    }

    /// Calls that came to no response.
    pub fn errors(&self) -> u64 {
        self.errors
    }

    /// Responses by status.
    pub fn by_status(&self) -> &[(Status, u64)] {
        &self.by_status
    }

    /// From the beginning of calls to the heads of their responses.
    pub fn durations(&self) -> &Durations {
        &self.durations
    }

    /// Connections that were opened.
    pub fn connections_opened(&self) -> u64 {
        self.opened
    }

    /// How often a connection at rest was used.
    pub fn connections_reused(&self) -> u64 {
        self.reused
    }

    /// Connections now, those at rest included.
    pub fn connections(&self) -> usize {
        self.connections
    }

    /// Connections at rest now.
    pub fn connections_idle(&self) -> usize {
        self.idle
    }

    /// Bytes that the system has taken, as they went out: over TLS sealed.
    pub fn bytes_sent(&self) -> u64 {
        self.sent
    }

    /// Bytes of HTTP that have come.
    pub fn bytes_received(&self) -> u64 {
        self.received
    }

    /// The numbers in Prometheus' text format, version 0.0.4.
    pub fn to_prometheus(&self) -> String {
        let mut out = String::new();
        let name = "client_responses_total";
        family(name, "Responses, by status.", &mut out);
        for (status, count) in &self.by_status {
            let labels = format_args!("status=\"{}\"", status.code());
            labelled(name, labels, *count, &mut out);
        }
        let name = "client_request_duration_seconds";
        let help = "From a call's beginning to the head of its response.";
        histogram(name, help, &self.durations, &mut out);
        let help = "Average of the durations above, in seconds.";
        let average = self.durations.average().as_secs_f64();
        single(
            "client_request_duration_average_seconds",
            help,
            average,
            &mut out,
        );
        let rows: [(&str, &str, u64); 11] = [
            ("client_requests_total", "Calls begun.", self.started),
            (
                "client_requests_successful_total",
                "Status below 400.",
                self.successful(),
            ),
            (
                "client_requests_failed_total",
                "Status 400 or above, or no response.",
                self.failed(),
            ),
            (
                "client_errors_total",
                "Calls without a response.",
                self.errors,
            ),
            (
                "client_requests_in_flight",
                "Calls that are not over.",
                self.in_flight(),
            ),
            (
                "client_connections_opened_total",
                "Connections opened.",
                self.opened,
            ),
            (
                "client_connections_reused_total",
                "Uses of connections at rest.",
                self.reused,
            ),
            (
                "client_connections",
                "Connections now.",
                self.connections as u64,
            ),
            (
                "client_connections_idle",
                "Connections at rest.",
                self.idle as u64,
            ),
            ("client_bytes_sent_total", "Bytes sent.", self.sent),
            (
                "client_bytes_received_total",
                "Bytes received.",
                self.received,
            ),
        ];
        for (name, help, value) in rows {
            single(name, help, value, &mut out);
        }
        out
    }
}
