//! The counters of a client.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;

use super::call::Call;
use crate::coding::decode::NAMES;
use crate::http::Status;
use crate::net::exposition::{family, histogram, labelled, single};
use crate::wire::durations::{BUCKETS, Durations, bucket_of};

const CODES: usize = 500;

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
    decoded: [[AtomicU64; 2]; NAMES.len()],
    is_of_loop: bool,
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
            decoded: Default::default(),
            is_of_loop: false,
        }
    }
}

fn get(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

impl Counters {
    /// Those of a loop, on whose thread alone they count.
    pub(super) fn of_loop() -> Self {
        Self {
            is_of_loop: true,
            ..Self::default()
        }
    }

    fn add(&self, counter: &AtomicU64, n: u64) {
        if n == 0 {
        } else if self.is_of_loop {
            counter.store(get(counter) + n, Ordering::Relaxed); // without a locked bus
        } else {
            counter.fetch_add(n, Ordering::Relaxed);
        }
    }

    pub(super) fn add_all(&self, others: &Self) {
        let lists = [
            (&self.by_status[..], &others.by_status[..]),
            (&self.buckets[..], &others.buckets[..]),
        ];
        let decoded = self.decoded.as_flattened().iter();
        let decoded = decoded.zip(others.decoded.as_flattened());
        let listed = lists.into_iter().flat_map(|(to, from)| to.iter().zip(from));
        for (to, from) in listed.chain(decoded) {
            self.add(to, get(from));
        }
        let singles = [
            (&self.ended, &others.ended), // in front of those that have begun
            (&self.started, &others.started),
            (&self.errors, &others.errors),
            (&self.nanos, &others.nanos),
            (&self.opened, &others.opened),
            (&self.reused, &others.reused),
            (&self.sent, &others.sent),
            (&self.received, &others.received),
        ];
        for (to, from) in singles {
            self.add(to, get(from));
        }
    }

    pub(super) fn start(&self) {
        self.add(&self.started, 1);
    }

    pub(super) fn end(&self, call: &mut Call, is_answered: bool) {
        for (name, coded, plain) in call.decoded() {
            let at = NAMES.iter().position(|it| *it == name);
            if let Some([of_coded, of_plain]) = at.and_then(|at| self.decoded.get(at)) {
                self.add(of_coded, coded as u64);
                self.add(of_plain, plain as u64);
            }
        }
        self.add(&self.errors, u64::from(!is_answered));
        self.add(&self.ended, 1);
    }

    pub(super) fn answered(&self, status: Status, took: Duration) {
        let at = usize::from(status.code()).saturating_sub(100); // 100 to 599
        if let Some(count) = self.by_status.get(at) {
            self.add(count, 1);
        }
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        if let Some(bucket) = self.buckets.get(bucket_of(nanos)) {
            self.add(bucket, 1);
        }
        self.add(&self.nanos, nanos);
    }

    pub(super) fn opened(&self) {
        self.add(&self.opened, 1);
    }

    pub(super) fn reused(&self) {
        self.add(&self.reused, 1);
    }

    pub(super) fn carried(&self, sent: u64, received: u64) {
        self.add(&self.sent, sent);
        self.add(&self.received, received);
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
        let decoded = NAMES.iter().zip(&self.decoded);
        let decoded = decoded.map(|(coding, [coded, plain])| DecodedBytes {
            coding,
            coded: get(coded),
            plain: get(plain),
        });
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
            decoded: decoded.filter(|it| it.coded > 0).collect(),
        }
    }
}

/// The bytes of the contents that came in one coding (RFC 9110 §8.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DecodedBytes {
    /// Its name: `gzip`, `br`, `zstd`, `deflate`.
    pub coding: &'static str,
    /// Bytes as they came.
    pub coded: u64,
    /// Bytes that they were decoded to.
    pub plain: u64,
}

/// The counters of a client, all its clones together.
///
/// ```
/// use barewire::client::Client;
///
/// let metrics = Client::new().metrics();
/// assert_eq!((metrics.successful(), metrics.failed()), (0, 0));
/// println!("{}", metrics.to_prometheus());
/// ```
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
    decoded: Vec<DecodedBytes>,
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

    /// Decoded bytes by content coding, once their call is over; none that is nothing.
    pub fn decoded(&self) -> &[DecodedBytes] {
        &self.decoded
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
        for (what, help) in [
            ("coded", "Bytes of coded contents, as they came."),
            ("plain", "Bytes that these were decoded to."),
        ] {
            let name = alloc::format!("client_coding_{what}_bytes_total");
            family(&name, help, &mut out);
            for it in &self.decoded {
                let labels = format_args!("coding=\"{}\"", it.coding);
                let value = if what == "coded" { it.coded } else { it.plain };
                labelled(&name, labels, value, &mut out);
            }
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
