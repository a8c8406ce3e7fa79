//! Metrics as text, in Prometheus' exposition format 0.0.4.

use alloc::string::String;

use super::codings::CodingCount;
use super::metrics::{Kind, MetricsSnapshot, Number};
use crate::net::exposition::{family, histogram, labelled, single};
use crate::net::{CompressionCounts, HandshakeCounts, MemoryUse, Resource, ResourceCounts};

impl MetricsSnapshot {
    /// The numbers in Prometheus' text format, version 0.0.4.
    pub fn to_prometheus(&self) -> String {
        let mut out = String::new();
        put(self, &mut out);
        out
    }
}

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
    snapshot.channels.put(out);
    codings(snapshot, out);
    memory(snapshot, out);
    handshakes(snapshot, out);
    compression(snapshot, out);
    resources(snapshot, out);
}

const DURATIONS: &str = "http_request_duration_seconds";

fn codings(snapshot: &MetricsSnapshot, out: &mut String) {
    let rows: [Row<CodingCount>; 2] = [
        (
            "coding_plain_bytes_total",
            "Bytes of what was coded, before it was or once it is decoded.",
            |it| it.plain,
        ),
        (
            "coding_coded_bytes_total",
            "Bytes that it was coded to.",
            |it| it.coded,
        ),
    ];
    for (name, help, read) in rows {
        family(name, help, out);
        for it in &snapshot.codings {
            let (kind, direction) = (it.kind.as_str(), it.direction.as_str());
            let labels = format_args!(
                "kind=\"{kind}\",coding=\"{}\",direction=\"{direction}\"",
                it.coding
            );
            labelled(name, labels, read(it), out);
        }
    }
}

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

fn compression(snapshot: &MetricsSnapshot, out: &mut String) {
    let rows: [Row<CompressionCounts>; 7] = [
        (
            "websocket_inflated_messages_total",
            "WebSocket messages received compressed.",
            |it| it.inflated().messages,
        ),
        (
            "websocket_inflated_compressed_bytes_total",
            "Bytes of these as they came.",
            |it| it.inflated().compressed_bytes,
        ),
        (
            "websocket_inflated_plain_bytes_total",
            "Bytes of these once inflated.",
            |it| it.inflated().plain_bytes,
        ),
        (
            "websocket_deflated_messages_total",
            "WebSocket messages compressed to be sent, those to many once.",
            |it| it.deflated().messages,
        ),
        (
            "websocket_deflated_plain_bytes_total",
            "Bytes of these before.",
            |it| it.deflated().plain_bytes,
        ),
        (
            "websocket_deflated_compressed_bytes_total",
            "Bytes of these as they were sent.",
            |it| it.deflated().compressed_bytes,
        ),
        (
            "websocket_left_plain_messages_total",
            "WebSocket messages too short to be compressed, or no shorter by it.",
            |it| it.deflated().left_plain,
        ),
    ];
    of_loops(&rows, &snapshot.compression, out);
}

/// A family with a line for each resource: name, help, and what reads the value.
type ResourceRow = (
    &'static str,
    &'static str,
    fn(&ResourceCounts, Resource) -> u64,
);

fn resources(snapshot: &MetricsSnapshot, out: &mut String) {
    let rows: [ResourceRow; 2] = [
        (
            "resources_active",
            "What there is a share of, such as timers and futures: how many there are.",
            ResourceCounts::active,
        ),
        (
            "resources_refused_total",
            "Those that were refused, as a share was used up.",
            ResourceCounts::refused,
        ),
    ];
    for (name, help, read) in rows {
        family(name, help, out);
        for (at, one) in snapshot.resources.iter().enumerate() {
            for resource in Resource::ALL {
                let labels = format_args!("loop=\"{at}\",resource=\"{}\"", resource.name());
                labelled(name, labels, read(one, resource), out);
            }
        }
    }
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
mod tests;
