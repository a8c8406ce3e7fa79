//! The matrix of four protocols, and the six rows of HTTP/1.1 against WebSocket.

use super::basis::{Basis, DEFAULT, FULL, Verdict};
use super::summary;
use crate::cells::{Task, Transport};
use crate::report::Report;
use Basis::{Clause, Figure};
use Verdict::{Depends, False, True};

pub(super) fn matrix(row: &str, column: &str) -> Option<Basis> {
    Some(match (row, column) {
        ("connection", "HTTP/1.1" | "HTTP/2") => Clause(
            True,
            "RFC 9110 §3.3: each request is understood in isolation. Its connection is kept all the same, and for HTTP/2 it has state of its own (HPACK's table, RFC 7541 §2.3.2; windows).",
        ),
        ("connection", "WebSocket") => Clause(
            True,
            "RFC 6455 §1.2: after the handshake the connection is the conversation. What was said before is the application's to keep: a server that restarts loses it.",
        ),
        ("connection", "gRPC") => Clause(
            Depends,
            "A unary call is as stateless as a request. A streaming call is a conversation on one connection, and as stateful as a WebSocket (gRPC over HTTP/2, Requests).",
        ),
        ("communication", "HTTP/1.1") => Figure(streams_http1, DEFAULT),
        ("communication", "HTTP/2") => Clause(
            Depends,
            "RFC 9113 §8.1: request and response, as in HTTP/1.1, but both may flow at one time, on which gRPC is built. fetch in browsers does not read a response while it sends.",
        ),
        ("communication", "WebSocket") => Figure(|it| both_ways(it, Transport::WebSocket), DEFAULT),
        ("communication", "gRPC") => Figure(|it| both_ways(it, Transport::Grpc), DEFAULT),
        ("data format", "HTTP/1.1" | "HTTP/2") => Clause(
            True,
            "RFC 9110 §8.3: content is of any media type. The heads are text in HTTP/1.1 (RFC 9112 §2.1) and binary in HTTP/2 (RFC 9113 §4.1).",
        ),
        ("data format", "WebSocket") => Clause(
            True,
            "RFC 6455 §5.6: text messages, which are UTF-8, and binary ones.",
        ),
        ("data format", "gRPC") => Clause(
            Depends,
            "Protocol Buffers are usual, not required: the content type names the codec (application/grpc+json). Connect speaks JSON to the same services.",
        ),
        ("overhead", "HTTP/1.1") => summary::overhead(Transport::Http1, "high"),
        ("overhead", "HTTP/2") => summary::overhead(Transport::Http2, "medium"),
        ("overhead", "WebSocket") => summary::overhead(Transport::WebSocket, "low"),
        ("overhead", "gRPC") => summary::overhead(Transport::Grpc, "low"),
        ("browser support", "HTTP/1.1") => Clause(True, "Every browser, without and with TLS."),
        ("browser support", "HTTP/2") => Clause(
            Depends,
            "Browsers speak it over TLS alone, where ALPN agrees on it (RFC 9113 §3.2): a plain server gets HTTP/1.1.",
        ),
        ("browser support", "WebSocket") => Clause(
            True,
            "WHATWG WebSockets: every browser. Pages cannot set fields of the handshake, so that a token goes in the URL, a cookie or the first message.",
        ),
        ("browser support", "gRPC") => Clause(
            True,
            "Pages see neither trailers nor frames, which gRPC needs (gRPC-Web, Protocol differences). A proxy is one way; a server that also speaks gRPC-Web or Connect on the same port, as barewire's do, is another.",
        ),
        ("type safety", "HTTP/1.1" | "HTTP/2") => Clause(
            Depends,
            "The protocol knows none. OpenAPI or GraphQL's schema (GraphQL §3) bring types to plain HTTP, and Connect generates clients that speak it.",
        ),
        ("type safety", "WebSocket") => Clause(
            True,
            "RFC 6455 §5.6 knows text and bytes. What they mean is agreed elsewhere.",
        ),
        ("type safety", "gRPC") => Clause(
            True,
            "Both sides are generated from one description. It holds as long as both have the same: an unknown field is skipped, a missing one is its default (Protocol Buffers, Updating A Message Type).",
        ),
        ("streaming", "HTTP/1.1") => Figure(streams_http1, DEFAULT),
        ("streaming", "HTTP/2") => Figure(|it| streams(it, Transport::Http2), DEFAULT),
        ("streaming", "WebSocket") => Figure(|it| streams(it, Transport::WebSocket), DEFAULT),
        ("streaming", "gRPC") => Figure(|it| streams(it, Transport::Grpc), DEFAULT),
        ("multiplexing", "HTTP/1.1") => Clause(
            True,
            "RFC 9112 §9.3.2: responses come in the order of the requests. Clients open several connections instead, browsers six.",
        ),
        ("multiplexing", "HTTP/2") => Figure(multiplexes, FULL),
        ("multiplexing", "WebSocket") => Clause(
            Depends,
            "Messages are in order (RFC 6455 §5.4). Over HTTP/2 (RFC 8441) many WebSockets share a connection, and subprotocols put ids on messages, as graphql-transport-ws does.",
        ),
        ("multiplexing", "gRPC") => Figure(multiplexes, FULL),
        ("compression", "HTTP/1.1") => Clause(
            True,
            "RFC 9110 §8.4.1: gzip, and br, zstd, deflate by the same negotiation. Of content alone: heads are never compressed.",
        ),
        ("compression", "HTTP/2") => Figure(hpack, DEFAULT),
        ("compression", "WebSocket") => Figure(deflates, DEFAULT),
        ("compression", "gRPC") => Clause(
            Depends,
            "The framing has a flag for it (Compressed-Flag), heads have HPACK; messages are compressed only where both sides turn it on.",
        ),
        _ => return None,
    })
}

pub(super) fn against(row: &str, column: &str) -> Option<Basis> {
    Some(match (row, column) {
        ("connection type", "HTTP/1.1") => Clause(
            Depends,
            "Request and response, and persistent as well: connections are kept unless one side says close (RFC 9112 §9.3).",
        ),
        ("connection type", "WebSocket") => Clause(
            True,
            "RFC 6455 §1.1: one connection for as long as both like. Proxies end silent ones, so that they need pings.",
        ),
        ("overhead per message", "HTTP/1.1") => summary::overhead(Transport::Http1, "high"),
        ("overhead per message", "WebSocket") => Figure(frame, DEFAULT),
        ("real-time support", "HTTP/1.1") => Figure(polling, DEFAULT),
        ("real-time support", "WebSocket") => {
            Figure(|it| streams(it, Transport::WebSocket), DEFAULT)
        }
        ("server initiated", "HTTP/1.1") => Clause(
            Depends,
            "A server cannot begin (RFC 9110 §3.4). On a response that stays open it says what it likes: event streams are that (WHATWG HTML §9.2).",
        ),
        ("server initiated", "WebSocket") => Clause(
            True,
            "RFC 6455 §1.2: either side sends a message at any time.",
        ),
        ("protocol switching", "HTTP/1.1") => Clause(
            False,
            "Upgrade is a field of HTTP/1.1 (RFC 9110 §7.8, status 101): a WebSocket begins by it.",
        ),
        ("protocol switching", "WebSocket") => Figure(switches, DEFAULT),
        ("firewall friendly", "HTTP/1.1") => Clause(
            True,
            "Ports 80 and 443, which are open wherever the web is.",
        ),
        ("firewall friendly", "WebSocket") => Clause(
            Depends,
            "The ports are those of HTTP (RFC 6455 §1.8). A proxy that does not know Upgrade breaks ws, and idle limits cut silent connections; wss passes as other TLS does.",
        ),
        _ => return None,
    })
}

fn streams_http1(report: &Report) -> Option<(Verdict, String)> {
    let row = report.find(Transport::Http1, Task::Pushes, "1KiB", false)?;
    let events = report.find(Transport::Events, Task::Pushes, "1KiB", false)?;
    let (chunks, events) = (row.throughput?, events.throughput?);
    let why = format!(
        "A response in chunks (RFC 9112 §7.1) carried {chunks:.0} messages of 1 KiB a second, an event stream {events:.0}. What a client of HTTP/1.1 cannot is to hear while it speaks."
    );
    Some((Depends, why))
}

fn streams(report: &Report, transport: Transport) -> Option<(Verdict, String)> {
    let row = report.find(transport, Task::Pushes, "1KiB", false)?;
    let (rate, bytes) = (row.throughput?, row.received?.wire);
    let name = transport.name();
    let why = format!(
        "{name} carried {rate:.0} pushed messages of 1 KiB a second, each {bytes:.0} bytes on the wire."
    );
    Some((True, why))
}

fn both_ways(report: &Report, transport: Transport) -> Option<(Verdict, String)> {
    let row = report.find(transport, Task::BothWays, "1KiB", false)?;
    let rate = row.throughput?;
    let why = format!("With sixteen messages of 1 KiB under way each way: {rate:.0} a second.");
    Some((True, why))
}

fn multiplexes(report: &Report) -> Option<(Verdict, String)> {
    let page = |what: &str, loss: f64| {
        let row = report.network.iter();
        let mut row = row.filter(|it| it.what == what && (it.loss - loss).abs() < 1e-9);
        Some(row.next()?.times?.p50 / 1e3)
    };
    let (one, six) = (
        "48 answers, one HTTP/2 connection",
        "48 answers, six HTTP/1.1 connections",
    );
    let [a, b, c, d] = [
        page(one, 0.0)?,
        page(six, 0.0)?,
        page(one, 3.0)?,
        page(six, 3.0)?,
    ];
    let verdict = if a < b { True } else { False };
    let why = format!(
        "48 answers at 40 ms: {a:.0} ms on one HTTP/2 connection, {b:.0} ms on six of HTTP/1.1. With 3 % loss {c:.0} and {d:.0} ms: on one connection every stream waits for the lost segment."
    );
    Some((verdict, why))
}

fn hpack(report: &Report) -> Option<(Verdict, String)> {
    let one = report.find(Transport::Http1, Task::Request, "1KiB", false)?;
    let two = report.find(Transport::Http2, Task::Request, "1KiB", false)?;
    let (one, sent, received) = (
        one.sent?.overhead() + one.received?.overhead(),
        two.sent?,
        two.received?,
    );
    let blocks = sent.header_blocks + received.header_blocks;
    let why = format!(
        "On a warm connection the fields of both directions are {blocks:.0} bytes; all heads of HTTP/1.1 are {one:.0}. Content is compressed by gzip and the like, as in HTTP/1.1."
    );
    Some((Depends, why))
}

fn deflates(report: &Report) -> Option<(Verdict, String)> {
    let plain = report.find(Transport::WebSocket, Task::Pushes, "1KiB", false)?;
    let deflated = report.find(Transport::WebSocketDeflate, Task::Pushes, "1KiB", false)?;
    let why = format!(
        "permessage-deflate (RFC 7692): 1 KiB of numbers is {:.0} bytes instead of {:.0}, for {:.1} instead of {:.1} us of the server.",
        deflated.received?.wire, plain.received?.wire, deflated.server_cpu?, plain.server_cpu?
    );
    Some((True, why))
}

fn frame(report: &Report) -> Option<(Verdict, String)> {
    let row = report.find(Transport::WebSocket, Task::Request, "1KiB", false)?;
    let (up, down) = (row.sent?.overhead(), row.received?.overhead());
    let why = format!(
        "RFC 6455 §5.2: 2 to 10 bytes, and 4 more from the client. 1 KiB costs {up:.0} bytes from the client and {down:.0} from the server. TLS adds 22 for each record."
    );
    Some((Verdict::of(up <= 14.0 && down <= 10.0), why))
}

fn polling(report: &Report) -> Option<(Verdict, String)> {
    let events = report.find(Transport::Events, Task::Pushes, "1KiB", false)?;
    let polls = report.find(Transport::LongPolling, Task::Pushes, "1KiB", false)?;
    let sum = |row: &crate::measure::Figures| Some(row.sent?.overhead() + row.received?.overhead());
    let why = format!(
        "Event streams need none: {:.0} bytes around a push of 1 KiB, and {:.0} by long polling.",
        sum(events)?,
        sum(polls)?
    );
    Some((False, why))
}

fn switches(report: &Report) -> Option<(Verdict, String)> {
    let http = report
        .find(Transport::Http1, Task::Connect, "16B", false)?
        .round_trips?;
    let socket = report
        .find(Transport::WebSocket, Task::Connect, "16B", false)?
        .round_trips?;
    let why = format!(
        "By the handshake (RFC 6455 §4), which takes a round trip: {socket:.0} until the first answer, {http:.0} for a request."
    );
    Some((True, why))
}
