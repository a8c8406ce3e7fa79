//! Metrics as text, in Prometheus' exposition format 0.0.4.

use alloc::string::String;

use super::metrics::{Kind, MetricsSnapshot, Number};
use crate::net::exposition::{family, histogram, labelled, single};
use crate::net::{HandshakeCounts, MemoryUse};

impl MetricsSnapshot {
    /// The numbers in Prometheus' text format, version 0.0.4.
    pub fn to_prometheus(&self) -> String {
        let mut out = String::new();
        put(self, &mut out);
        out
    }
}

/// Writes all numbers of `snapshot`.
fn put(snapshot: &MetricsSnapshot, out: &mut String) {
    family(
        "http_requests_total",
        "Requests answered, by method and status.",
        out,
    );
    for it in &snapshot.requests {
        let labels = format_args!("method=\"{}\",status=\"{}\"", it.method, it.status.code());
        labelled("http_requests_total", labels, it.count, out);
    }
    single(
        "http_requests_successful_total",
        "Status below 400.",
        snapshot.successful(),
        out,
    );
    single(
        "http_requests_failed_total",
        "Status 400 or above.",
        snapshot.failed(),
        out,
    );
    let help = "From a request's head to its reply's.";
    histogram(DURATIONS, help, &snapshot.durations, out);
    let help = "Average of the durations above, in seconds.";
    let average = snapshot.durations.average().as_secs_f64();
    single("http_request_duration_average_seconds", help, average, out);
    family("sessions_total", "Sessions opened, by kind.", out);
    for kind in Kind::ALL {
        let labels = format_args!("kind=\"{}\"", kind.as_str());
        labelled("sessions_total", labels, snapshot.sessions_total(kind), out);
    }
    family("sessions_active", "Sessions open now, by kind.", out);
    for kind in Kind::ALL {
        let labels = format_args!("kind=\"{}\"", kind.as_str());
        labelled(
            "sessions_active",
            labels,
            snapshot.sessions_active(kind),
            out,
        );
    }
    for Number { name, help, value } in snapshot.numbers() {
        single(name, help, value, out);
    }
    memory(snapshot, out);
    handshakes(snapshot, out);
}

const DURATIONS: &str = "http_request_duration_seconds";

/// Families with a line for each loop: name, help, and what reads the value.
type Row<T> = (&'static str, &'static str, fn(&T) -> u64);

fn of_loops<T>(rows: &[Row<T>], loops: &[T], out: &mut String) {
    for (name, help, read) in rows {
        family(name, help, out);
        for (at, one) in loops.iter().enumerate() {
            labelled(name, format_args!("loop=\"{at}\""), read(one), out);
        }
    }
}

fn handshakes(snapshot: &MetricsSnapshot, out: &mut String) {
    let rows: [Row<HandshakeCounts>; 5] = [
        (
            "handshakes_in_flight",
            "Handshakes of transports that run now.",
            HandshakeCounts::in_flight,
        ),
        (
            "handshakes_started_total",
            "Handshakes of transports that have begun.",
            HandshakeCounts::started,
        ),
        (
            "handshakes_completed_total",
            "Handshakes that came to an agreement.",
            HandshakeCounts::completed,
        ),
        (
            "handshakes_failed_total",
            "Handshakes that failed or took too long.",
            HandshakeCounts::failed,
        ),
        (
            "handshakes_refused_total",
            "Handshakes ended to make room for others.",
            HandshakeCounts::refused,
        ),
    ];
    of_loops(&rows, &snapshot.handshakes, out);
}

fn memory(snapshot: &MetricsSnapshot, out: &mut String) {
    let rows: [Row<MemoryUse>; 9] = [
        ("memory_held_bytes", "Memory held for peers.", |it| {
            it.held() as u64
        }),
        ("memory_peak_bytes", "The most at one time.", |it| {
            it.peak() as u64
        }),
        ("memory_limit_bytes", "How much there may be.", |it| {
            it.limit() as u64
        }),
        ("memory_promised_bytes", "Windows that peers have.", |it| {
            it.promised() as u64
        }),
        (
            "memory_largest_connection_bytes",
            "The most of one connection, when memory was short last.",
            |it| it.of_connection() as u64,
        ),
        (
            "memory_largest_address_bytes",
            "The most of one address, when memory was short last.",
            |it| it.of_address() as u64,
        ),
        (
            "memory_evicted_total",
            "Connections ended to make room.",
            MemoryUse::evicted,
        ),
        (
            "memory_starved_total",
            "Connections that waited for memory.",
            MemoryUse::starved,
        ),
        (
            "memory_refused_total",
            "Refused because there was no memory in time.",
            MemoryUse::refused,
        ),
    ];
    of_loops(&rows, &snapshot.memory, out);
}

#[cfg(test)]
mod tests {
    use crate::app::Metrics;
    use crate::http::{Method, Status};
    use crate::net::{Limits, Loop, Scripted};
    use core::time::Duration;

    #[test]
    fn every_sample_has_its_family_and_buckets_add_up() {
        let metrics = Metrics::default();
        let block = metrics.join();
        for time in [Duration::from_millis(1), Duration::from_secs(100)] {
            block.answered(Method::GET, Status::OK);
            block.took(time, 1);
        }
        let events = Loop::with_poller(Scripted::new(), Limits::DEFAULT).unwrap();
        metrics.join_handshakes(events.handshakes());
        let text = metrics.snapshot().to_prometheus();
        assert!(text.contains("barewire_handshakes_started_total{loop=\"0\"} 0\n"));
        assert!(text.contains("barewire_http_requests_total{method=\"GET\",status=\"200\"} 2\n"));
        assert!(text.contains("_bucket{le=\"0.001\"} 1\n"));
        assert!(text.contains("_bucket{le=\"60\"} 1\n"));
        assert!(text.contains("_bucket{le=\"+Inf\"} 2\n"));
        assert!(text.contains("barewire_http_request_duration_seconds_count 2\n"));
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert!(value.parse::<f64>().is_ok(), "{line}");
            let name = name.split('{').next().unwrap();
            let base = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|end| name.strip_suffix(end));
            let family = std::format!("# TYPE {} ", base.unwrap_or(name));
            assert!(text.contains(&family), "{line}");
        }
    }
}
