//! The bytes of one request and its response on a warm connection, counted at the socket.

use std::path::Path;

use compare::cells::{Cell, Task, Transport};
use compare::measure::{self, Bytes};
use compare::payload::Payload;
use compare::process::Server;

fn start() -> Server {
    Server::start(Path::new(env!("CARGO_BIN_EXE_compare")), "127.0.0.1:0").unwrap()
}

fn bytes(server: &Server, transport: Transport, payload: Payload, secure: bool) -> (Bytes, Bytes) {
    let cell = Cell {
        transport,
        task: Task::Request,
        payload,
        secure,
    };
    let target = server.place.target(secure).unwrap();
    measure::bytes(cell, &target, 10).unwrap()
}

const LENGTH: &str = "Content-Length: 16\r\n";
const JSON: &str = "Content-Type: application/json\r\n";
const AGENT: &str = "User-Agent: barewire/0.1.0\r\n";
const ACCEPT: &str = "Accept: */*\r\n";
const CODINGS: &str = "Accept-Encoding: gzip, deflate\r\n";
const DATE: &str = "Date: Mon, 30 Nov 2026 12:00:00 GMT\r\n";

/// Bytes from the client and from the server, for 16 bytes each way.
fn expected(transport: Transport) -> (usize, usize) {
    // Ports of relays have five digits, as those that a system gives out.
    let host = "Host: 127.0.0.1:40000\r\n";
    let request = [
        "POST /echo HTTP/1.1\r\n",
        host,
        AGENT,
        ACCEPT,
        CODINGS,
        JSON,
        LENGTH,
        "\r\n",
    ];
    let response = ["HTTP/1.1 200 OK\r\n", DATE, JSON, LENGTH, "\r\n"];
    let sum = |parts: &[&str]| parts.iter().map(|it| it.len()).sum::<usize>() + 16;
    match transport {
        Transport::Http1 | Transport::Http1Fresh | Transport::Pipelined => {
            (sum(&request), sum(&response))
        }
        // A head of 2 bytes, and a mask of 4 from the client (RFC 6455 §5.2).
        Transport::WebSocket => (2 + 4 + 16, 2 + 16),
        // That in a DATA frame (RFC 9113 §4.1).
        Transport::WebSocketHttp2 => (9 + 2 + 4 + 16, 9 + 2 + 16),
        // Numbers of 16 digits are below the length from which messages are compressed.
        Transport::WebSocketDeflate => (2 + 4 + 16, 2 + 16),
        // HEADERS and DATA; the fields are indices in HPACK's table, but for three of the request
        // that are literals of one octet more.
        Transport::Http2 => (9 + 18 + 9 + 16, 9 + 8 + 9 + 16),
        // The POST and its 204, and the event: `data: `, two line breaks, a chunk's head and end.
        Transport::Events => (sum(&request) + 2, 60 + 34),
        // The GET that waits as well.
        Transport::LongPolling => (sum(&request) + 124, 60 + 128),
        // The prefix of 5 bytes, and 2 of Protocol Buffers; trailers in a frame of their own.
        Transport::Grpc => (9 + 23 + 9 + 5 + 2 + 16, 9 + 2 + 9 + 5 + 2 + 16 + 9 + 2),
        // Trailers are a frame in the content.
        Transport::GrpcWeb => (263, 156),
        // `{"body":"..."}` in a POST whose fields name the protocol.
        Transport::Connect => (231, 135),
        // The document goes with each request.
        Transport::GraphQl => (329, 176),
        Transport::GraphQlWs => (148, 103),
    }
}

#[test]
fn one_exchange_on_a_warm_connection_has_exactly_these_bytes() {
    let server = start();
    for transport in Transport::ALL {
        let (sent, received) = bytes(&server, transport, Payload::Tiny, false);
        let (up, down) = expected(transport);
        // Ids of operations grow, and its client pings behind some of its messages.
        let more = match transport {
            Transport::GraphQlWs => 4.0,
            _ => 0.0,
        };
        for (bytes, wanted) in [(sent, up as f64), (received, down as f64)] {
            let is_right = bytes.wire >= wanted && bytes.wire <= wanted + more;
            assert!(is_right, "{transport:?}: {wanted}, {bytes:?}");
        }
    }
}

#[test]
fn tls_adds_22_bytes_to_each_record_and_nothing_else() {
    let server = start();
    for transport in Transport::ALL {
        let plain = bytes(&server, transport, Payload::Tiny, false);
        let secured = bytes(&server, transport, Payload::Tiny, true);
        // Each of its exchanges has a handshake, whose length the signature varies.
        if transport == Transport::Http1Fresh {
            let handshake = secured.0.wire + secured.1.wire - plain.0.wire - plain.1.wire;
            assert!((1_000.0..2_000.0).contains(&handshake), "{handshake}");
            continue;
        }
        for (plain, secured) in [(plain.0, secured.0), (plain.1, secured.1)] {
            let other = secured.wire - plain.wire - secured.tls;
            let most = if transport == Transport::GraphQlWs {
                4.0
            } else {
                1e-9
            };
            assert!(other.abs() <= most, "{transport:?}: {plain:?}, {secured:?}");
            assert!(
                secured.tls > 0.0 && secured.tls <= 44.0,
                "{transport:?}: {secured:?}"
            );
        }
    }
}

#[test]
fn windows_and_compression_stay_within_their_bounds() {
    let server = start();
    // 64 KiB in four DATA frames or more, and updates of two windows now and then.
    let (sent, received) = bytes(&server, Transport::Http2, Payload::Large, false);
    for bytes in [sent, received] {
        assert!((60.0..200.0).contains(&bytes.overhead()), "{bytes:?}");
    }
    // Digits are at least 3.3 of 8 bits; none of the texts came within the window.
    let (sent, received) = bytes(&server, Transport::WebSocketDeflate, Payload::Kib, false);
    for bytes in [sent, received] {
        assert!((440.0..800.0).contains(&bytes.wire), "{bytes:?}");
    }
}
