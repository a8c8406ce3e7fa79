//! Key differences, and when which is said to be used.

use super::basis::{Basis, DEFAULT, FULL, Verdict};
use crate::cells::{Task, Transport};
use crate::report::Report;
use Basis::{Clause, Figure};
use Verdict::{Depends, True};

pub(super) fn differences(row: &str, column: &str) -> Option<Basis> {
    Some(match (row, column) {
        ("HTTP", "request-response") => Clause(
            Depends,
            "RFC 9110 §3.4, and a response may last as long as it likes: streams of chunks and events are HTTP.",
        ),
        ("HTTP", "stateless") => Clause(True, "RFC 9110 §3.3: no request needs the one before."),
        ("HTTP", "universal browser support") => Clause(True, "Browsers are clients of HTTP."),
        ("WebSocket", "full-duplex") => Figure(|it| both(it, Transport::WebSocket), DEFAULT),
        ("WebSocket", "persistent connections") => Clause(
            True,
            "RFC 6455 §1.1; what a client missed while it was away is not in the protocol.",
        ),
        ("WebSocket", "real-time communication") => Figure(feeds, FULL),
        ("gRPC", "binary protocol") => Clause(
            True,
            "Frames of HTTP/2 (RFC 9113 §4.1), a prefix of five bytes, and usually Protocol Buffers.",
        ),
        ("gRPC", "type-safe") => Clause(
            True,
            "Both sides are generated from one description; it does not travel with the messages.",
        ),
        ("gRPC", "high performance") => Figure(fast, DEFAULT),
        ("gRPC", "streaming support") => Figure(|it| both(it, Transport::Grpc), DEFAULT),
        _ => return None,
    })
}

pub(super) fn uses(row: &str, column: &str) -> Option<Basis> {
    Some(match (row, column) {
        ("HTTP", "REST APIs" | "web services") => Clause(
            True,
            "Caches, proxies, status codes and every client know it (RFC 9110 §1.1, RFC 9111). Over HTTP/2 where there is TLS: its heads are smaller, and nothing else changes.",
        ),
        ("HTTP", "simple integrations" | "simple request-response") => Clause(
            True,
            "curl and a page's fetch are enough. GraphQL and Connect's unary calls are such requests, too.",
        ),
        ("WebSocket", "real-time features" | "live updates") => Figure(one_way, DEFAULT),
        ("WebSocket", "gaming") => Figure(lossy, FULL),
        ("WebSocket", "live chat" | "collaborative editing") => {
            Figure(|it| both(it, Transport::WebSocket), DEFAULT)
        }
        ("gRPC", "microservices" | "internal APIs") => Figure(services, DEFAULT),
        ("gRPC", "high-throughput systems") => Figure(fast, DEFAULT),
        _ => return None,
    })
}

fn both(report: &Report, transport: Transport) -> Option<(Verdict, String)> {
    let row = report.find(transport, Task::BothWays, "1KiB", false)?;
    let (rate, server) = (row.throughput?, row.server_cpu?);
    let why = format!(
        "{rate:.0} messages of 1 KiB a second each way on one connection, {server:.1} us of the server for each."
    );
    Some((True, why))
}

fn feeds(report: &Report) -> Option<(Verdict, String)> {
    let row = |what: &str, loss: f64| {
        let mut rows = report.network.iter();
        rows.find(|it| it.what == what && (it.loss - loss).abs() < 1e-9)
    };
    let good = row("feed on a WebSocket", 0.0)?.times?.p50 / 1e3;
    let bad = row("feed on a WebSocket", 3.0)?.times?.p99 / 1e3;
    let events = row("feed by SSE", 3.0)?;
    let why = format!(
        "At 20 ms one way a message is there in {good:.0} ms; with 3 % loss one in a hundred needs {bad:.0} ms, as TCP keeps the order. SSE: {}. After a cut the WebSocket had lost {} messages, and SSE {}.",
        events.text(),
        row("feed on a WebSocket", 3.0)?.missing?,
        events.missing?
    );
    Some((Depends, why))
}

fn lossy(report: &Report) -> Option<(Verdict, String)> {
    let (_, why) = feeds(report)?;
    let why = format!(
        "{why} Games that would rather lose a position than wait for it need datagrams (WebRTC, WebTransport)."
    );
    Some((Depends, why))
}

fn one_way(report: &Report) -> Option<(Verdict, String)> {
    let rate = |transport| {
        let row = report.find(transport, Task::FanOut, "1KiB", false)?;
        Some((row.latency?.p50 / 1e3, row.connections?))
    };
    let (socket, count) = rate(Transport::WebSocket)?;
    let (events, _) = rate(Transport::Events)?;
    let why = format!(
        "One publication of 1 KiB reached {count} clients in {socket:.1} ms, by SSE in {events:.1} ms. If only the server speaks, SSE does it over plain HTTP and comes back behind the last event by itself."
    );
    Some((Depends, why))
}

fn fast(report: &Report) -> Option<(Verdict, String)> {
    let row = |transport| {
        let row = report.find(transport, Task::Request, "1KiB", false)?;
        Some((row.throughput?, row.server_cpu?))
    };
    let (grpc, http, socket) = (
        row(Transport::Grpc)?,
        row(Transport::Http1)?,
        row(Transport::WebSocket)?,
    );
    let stream = report
        .find(Transport::Grpc, Task::Pushes, "1KiB", false)?
        .throughput?;
    let why = format!(
        "Unary calls of 1 KiB: {:.0} a second, {:.1} us of the server each; HTTP/1.1 {:.0} and {:.1}, WebSocket {:.0} and {:.1}. A stream of gRPC: {stream:.0} messages a second. Streams are where it is fast, not unary calls.",
        grpc.0, grpc.1, http.0, http.1, socket.0, socket.1
    );
    Some((Depends, why))
}

fn services(report: &Report) -> Option<(Verdict, String)> {
    let row = |transport| {
        let row = report.find(transport, Task::Request, "1KiB", false)?;
        Some((
            row.sent?.overhead() + row.received?.overhead(),
            row.server_cpu?,
        ))
    };
    let (grpc, connect) = (row(Transport::Grpc)?, row(Transport::Connect)?);
    let why = format!(
        "For types, deadlines, cancellation and streams that are the same in every language. It is not the bytes: {:.0} around a call, {:.0} for Connect with JSON, and {:.1} and {:.1} us of the server.",
        grpc.0, connect.0, grpc.1, connect.1
    );
    Some((True, why))
}
