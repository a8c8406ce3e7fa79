//! Calls of streams.

use std::io::{Read, Write};

use super::scene::{envelope, scene, send, stream};
use crate::app_support::read_until;
use crate::grpc_http2::Peer;
use crate::http2_support::END_STREAM;

const OK: (u8, &str) = (2, "{}");

fn all(expected: &[(u8, &str)]) -> Vec<(u8, String)> {
    expected
        .iter()
        .map(|(flag, text)| (*flag, (*text).into()))
        .collect()
}

#[test]
fn a_server_stream_ends_with_a_message() {
    let running = scene();
    let answer = stream(&running, "Count", "X-Echo: 7\r\n", &envelope(0, b"n"));
    assert_eq!(
        answer.field("content-type"),
        Some("application/connect+proto")
    );
    assert_eq!(answer.field("x-echo"), Some("7"));
    let end = (2, r#"{"metadata":{"x-last":["7"]}}"#);
    assert_eq!(
        answer.envelopes(),
        all(&[(0, "n0"), (0, "n1"), (0, "n2"), end])
    );
    let failed = stream(&running, "Count", "", &envelope(0, b"fail"));
    let end = (2, r#"{"error":{"code":"data_loss","message":"enough"}}"#);
    assert_eq!(failed.envelopes(), all(&[(0, "fail0"), (0, "fail1"), end]));
    let refused = stream(&running, "Count", "", &envelope(0, b"code 5"));
    let error = r#"{"error":{"code":"not_found","message":"code \"5\"","details":[{"type":"a.B","value":"AQI"}]}}"#;
    assert_eq!(refused.envelopes(), all(&[(2, error)]));
}

#[test]
fn a_client_stream_is_answered_by_one_message() {
    let running = scene();
    let content = [envelope(0, b"a"), envelope(0, b""), envelope(0, b"bc")].concat();
    let answer = stream(&running, "Sum", "", &content);
    assert_eq!(answer.envelopes(), all(&[(0, "abc"), OK]));
    assert_eq!(
        stream(&running, "Sum", "", b"").envelopes(),
        all(&[(0, ""), OK])
    );
}

#[test]
fn streams_both_ways_need_http2() {
    let running = scene();
    assert_eq!(stream(&running, "Echo", "", &envelope(0, b"a")).status, 505);
    let mut peer = Peer::connect(&running);
    let fields = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", "/test.Test/Echo"),
        (":authority", "a"),
        ("content-type", "application/connect+proto"),
    ];
    let id = peer.raw(&fields, 0);
    peer.data(id, 0, &envelope(0, b"a"));
    // The first answer comes while the request is open.
    peer.until(|seen| {
        let has = |it: &crate::http2_support::Seen| matches!(it, crate::http2_support::Seen::Data(of, data) if *of == id && !data.is_empty());
        seen.iter().any(has)
    });
    peer.data(id, END_STREAM, &envelope(0, b"b"));
    let answer = peer.answer(id);
    let expected = [envelope(0, b"a"), envelope(0, b"b"), envelope(2, b"{}")].concat();
    assert_eq!((answer.status, answer.body), (200, expected));
}

#[test]
fn faulty_envelopes_end_the_call() {
    let running = scene();
    let code = |method: &str, fields: &str, content: &[u8]| {
        let answer = stream(&running, method, fields, content);
        let last = answer.envelopes().pop().unwrap();
        assert_eq!(last.0, 2);
        last.1.split('"').nth(5).unwrap().to_owned()
    };
    let one = envelope(0, b"a");
    assert_eq!(code("Count", "", b""), "unimplemented");
    assert_eq!(code("Count", "", &one.repeat(2)), "unimplemented");
    assert_eq!(code("Count", "", &envelope(1, b"a")), "internal");
    assert_eq!(
        code(
            "Count",
            "Connect-Content-Encoding: identity\r\n",
            &envelope(1, b"a")
        ),
        "internal"
    );
    assert_eq!(code("Count", "", &envelope(2, b"{}")), "internal");
    assert_eq!(code("Count", "", &envelope(4, b"a")), "internal");
    assert_eq!(code("Count", "", &one[..5]), "internal");
    assert_eq!(
        code("Count", "", &envelope(0, &[b'a'; 1001])),
        "resource_exhausted"
    );
    assert_eq!(
        code("Sum", "", &[one, envelope(0, &[b'a'; 1001])].concat()),
        "resource_exhausted"
    );
    assert_eq!(
        code("Count", "Connect-Content-Encoding: foo\r\n", b""),
        "unimplemented"
    );
    assert_eq!(
        code("Count", "Connect-Timeout-Ms: x\r\n", b""),
        "invalid_argument"
    );
    assert_eq!(
        code("Count", "Connect-Timeout-Ms: 0\r\n", b""),
        "deadline_exceeded"
    );
    assert_eq!(
        code("Count", "Connect-Protocol-Version: 2\r\n", b""),
        "invalid_argument"
    );
}

#[test]
fn a_stream_in_pieces_is_the_same() {
    let running = scene();
    let content = [envelope(0, b"ab"), envelope(0, b"c")].concat();
    for cut in 1..content.len() {
        let mut client = running.connect();
        let head = "POST /test.Test/Sum HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/connect+json\r\nTransfer-Encoding: chunked\r\n\r\n";
        client.write_all(head.as_bytes()).unwrap();
        for piece in [&content[..cut], &content[cut..]] {
            client
                .write_all(format!("{:x}\r\n", piece.len()).as_bytes())
                .unwrap();
            client.write_all(&[piece, b"\r\n"].concat()).unwrap();
        }
        client.write_all(b"0\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).unwrap();
        let expected = [envelope(0, b"abc"), envelope(2, b"{}")].concat();
        let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
        assert!(
            text(&answer).contains(&text(&expected)),
            "{}",
            text(&answer)
        );
    }
}

#[cfg(feature = "gzip")]
#[test]
fn envelopes_are_compressed_one_by_one() {
    use super::scene::{packed, service, unpacked};
    use crate::app_support::Running;
    let running = Running::start(barewire::app::App::new().grpc(service().compress()));
    let fields = "Connect-Content-Encoding: gzip\r\nConnect-Accept-Encoding: gzip\r\n";
    let content = [envelope(1, &packed(b"a")), envelope(0, b"b")].concat();
    let answer = stream(&running, "Sum", fields, &content);
    assert_eq!(answer.field("connect-content-encoding"), Some("gzip"));
    let [1, a, b, c, d, rest @ ..] = &answer.content[..] else {
        panic!()
    };
    let (message, end) = rest.split_at(u32::from_be_bytes([*a, *b, *c, *d]) as usize);
    assert_eq!(
        (unpacked(message), end),
        (b"ab".to_vec(), &envelope(2, b"{}")[..])
    );
    let bomb = stream(
        &running,
        "Sum",
        fields,
        &envelope(1, &packed(&[0; 100_000])),
    );
    assert!(bomb.envelopes()[0].1.contains("resource_exhausted"));
}

#[test]
fn a_page_can_read_a_stream_as_it_comes() {
    let running = scene();
    let mut client = running.connect();
    let content = envelope(0, b"n");
    let head = format!(
        "POST /test.Test/Count HTTP/1.1\r\nHost: a\r\nContent-Type: application/connect+json\r\nContent-Length: {}\r\n\r\n",
        content.len()
    );
    client
        .write_all(&[head.as_bytes(), &content].concat())
        .unwrap();
    let head = read_until(&mut client, "\r\n\r\n");
    assert!(
        head.to_lowercase()
            .contains("content-type: application/connect+json\r\n"),
        "{head}"
    );
    let after = send(
        &running,
        "POST /test.Test/Count",
        "Content-Type: application/connect+foo\r\n",
        b"",
    );
    assert_eq!(after.status, 415);
}
