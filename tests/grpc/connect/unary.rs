//! Unary calls by POST.

use std::io::{Read, Write};

use barewire::app::{App, Service};
use barewire::grpc::{Code, connect};

use super::scene::{scene, send, service, tell};
use crate::app_support::{Running, read_until};
use crate::grpc_http2::Peer;
use crate::http2_support::END_STREAM;

#[test]
fn a_call_is_plain_http() {
    let running = scene();
    for codec in ["json", "proto"] {
        let fields = format!("Content-Type: application/{codec}\r\nX-Echo: 7\r\n");
        let answer = send(&running, "POST /test.Test/Tell", &fields, b"hello");
        assert_eq!((answer.status, answer.text()), (200, "hello"));
        assert_eq!(
            answer.field("content-type"),
            Some(&*format!("application/{codec}"))
        );
        assert_eq!(answer.field("content-length"), Some("5"));
        assert_eq!(
            (answer.field("x-echo"), answer.field("trailer-x-last")),
            (Some("7"), Some("7"))
        );
    }
    let empty = tell(&running, "", b"");
    assert_eq!((empty.status, empty.text()), (200, ""));
    let late = send(
        &running,
        "POST /test.Test/Later",
        "Content-Type: application/proto\r\n",
        b"hi",
    );
    assert_eq!((late.status, late.text()), (200, "hi"));
}

#[test]
fn a_connection_is_kept_after_an_error() {
    let running = scene();
    let mut stream = running.connect();
    let request = |content: &str| {
        let length = content.len();
        format!(
            "POST /test.Test/Tell HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{content}"
        )
    };
    stream
        .write_all((request("code 5") + &request("hello")).as_bytes())
        .unwrap();
    let first = read_until(&mut stream, "}]}");
    assert!(first.starts_with("HTTP/1.1 404 "), "{first}");
    let second = read_until(&mut stream, "hello");
    assert!(second.starts_with("HTTP/1.1 200 "), "{second}");
}

#[test]
fn every_code_has_its_status_and_its_json() {
    let running = scene();
    for code in Code::ALL.into_iter().skip(1) {
        let number = code.number();
        let answer = tell(
            &running,
            "X-Echo: 7\r\n",
            format!("code {number}").as_bytes(),
        );
        assert_eq!(answer.status, connect::http_status(code).code());
        assert_eq!(answer.field("content-type"), Some("application/json"));
        let expected = format!(
            r#"{{"code":"{}","message":"code \"{number}\"","details":[{{"type":"a.B","value":"AQI"}}]}}"#,
            connect::code_name(code)
        );
        assert_eq!(answer.text(), expected);
        assert_eq!(
            (answer.field("x-echo"), answer.field("trailer-x-last")),
            (Some("7"), Some("7"))
        );
    }
}

#[test]
fn other_content_types_are_415_and_the_answer_says_which_would_do() {
    let running = scene();
    let types = "application/grpc, application/grpc-web, application/proto, application/json";
    for other in [
        "",
        "Content-Type: \r\n",
        "Content-Type: text/plain\r\n",
        "Content-Type: application/x-www-form-urlencoded\r\n",
        "Content-Type: application/foo\r\n",
        "Content-Type: application/connect+json\r\n",
        "Content-Type: application/vnd.api+json\r\n",
    ] {
        let answer = send(&running, "POST /test.Test/Tell", other, b"hi");
        assert_eq!(
            (answer.status, answer.field("accept-post")),
            (415, Some(types)),
            "{other}"
        );
    }
    let types = "application/grpc, application/grpc-web, application/connect+proto, application/connect+json";
    let answer = send(
        &running,
        "POST /test.Test/Count",
        "Content-Type: application/json\r\n",
        b"",
    );
    assert_eq!(
        (answer.status, answer.field("accept-post")),
        (415, Some(types))
    );
    for good in [
        "APPLICATION/JSON",
        "application/json;charset=utf-8",
        "application/Proto ; a=b",
    ] {
        let fields = format!("Content-Type: {good}\r\n");
        assert_eq!(
            send(&running, "POST /test.Test/Tell", &fields, b"hi").status,
            200,
            "{good}"
        );
    }
}

#[test]
fn other_methods_are_405() {
    let running = scene();
    let fields = "Content-Type: application/json\r\n";
    for method in ["GET", "DELETE", "PUT"] {
        let answer = send(&running, &format!("{method} /test.Test/Tell"), fields, b"");
        assert_eq!(answer.status, 405, "{method}");
        assert!(
            answer.field("allow").unwrap().contains("POST"),
            "{}",
            answer.head
        );
    }
}

#[test]
fn what_no_service_has_is_404() {
    let running = scene();
    let fields = "Content-Type: application/json\r\n";
    for path in ["/test.Test/None", "/none.None/Tell", "/test.Test/Tell/x"] {
        assert_eq!(
            send(&running, &format!("POST {path}"), fields, b"").status,
            404,
            "{path}"
        );
    }
}

#[test]
fn a_timeout_has_at_most_ten_digits() {
    let running = scene();
    for (value, status, text) in [
        ("1000000", 200, "hi"),
        ("9999999999", 200, "hi"),
        (
            "0",
            504,
            r#"{"code":"deadline_exceeded","message":"deadline has passed"}"#,
        ),
        (
            "12345678901",
            400,
            r#"{"code":"invalid_argument","message":"malformed connect-timeout-ms"}"#,
        ),
        (
            "-1",
            400,
            r#"{"code":"invalid_argument","message":"malformed connect-timeout-ms"}"#,
        ),
        (
            "1s",
            400,
            r#"{"code":"invalid_argument","message":"malformed connect-timeout-ms"}"#,
        ),
    ] {
        let answer = tell(&running, &format!("Connect-Timeout-Ms: {value}\r\n"), b"hi");
        assert_eq!((answer.status, answer.text()), (status, text), "{value}");
    }
}

#[test]
fn a_deadline_ends_a_method_that_gives_no_answer() {
    let later = std::sync::Mutex::new(Vec::new());
    let service = Service::new("slow.Slow").unary_later("Wait", move |_: Vec<u8>, _call, it| {
        later
            .lock()
            .unwrap()
            .push(it as barewire::app::DeferredResponse<Vec<u8>>);
    });
    let running = Running::start(App::new().grpc(service));
    let fields = "Content-Type: application/json\r\nConnect-Timeout-Ms: 20\r\n";
    let answer = send(&running, "POST /slow.Slow/Wait", fields, b"{}");
    assert_eq!(answer.status, 504);
    assert!(answer.text().contains("deadline_exceeded"));
}

#[test]
fn the_version_may_be_absent_and_can_be_demanded() {
    let running = scene();
    assert_eq!(
        tell(&running, "Connect-Protocol-Version: 1\r\n", b"").status,
        200
    );
    let other = tell(&running, "Connect-Protocol-Version: 2\r\n", b"");
    assert_eq!(other.status, 400);
    assert!(other.text().contains("invalid_argument"));
    let running = Running::start(App::new().grpc(service().require_connect_protocol_version()));
    assert_eq!(
        tell(&running, "Connect-Protocol-Version: 1\r\n", b"").status,
        200
    );
    let absent = tell(&running, "", b"");
    assert_eq!(absent.status, 400);
    assert!(absent.text().contains("invalid_argument"));
    let get = send(
        &running,
        "GET /test.Test/Read?encoding=json&message=a",
        "",
        b"",
    );
    assert_eq!(get.status, 400);
    let get = send(
        &running,
        "GET /test.Test/Read?connect=v1&encoding=json&message=a",
        "",
        b"",
    );
    assert_eq!(get.status, 200);
}

#[test]
fn a_message_over_the_limit_is_429_and_one_at_it_is_not() {
    let running = scene();
    assert_eq!(tell(&running, "", &[b'a'; 1000]).status, 200);
    let over = tell(&running, "", &[b'a'; 1001]);
    assert_eq!(over.status, 429);
    assert!(over.text().contains("resource_exhausted"));
    // Chunked, the length is not known before.
    let mut stream = running.connect();
    let head = "POST /test.Test/Tell HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    stream
        .write_all(&[b"7d0\r\n", &[b'a'; 2000][..], b"\r\n0\r\n\r\n"].concat())
        .unwrap();
    let answer = read_until(&mut stream, "}");
    assert!(answer.starts_with("HTTP/1.1 429 "), "{answer}");
}

#[test]
fn content_in_pieces_is_one_message() {
    let running = scene();
    let mut stream = running.connect();
    let head = "POST /test.Test/Tell HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    for piece in ["1\r\nh\r\n", "4\r\nello\r\n", "0\r\n\r\n"] {
        stream.write_all(piece.as_bytes()).unwrap();
    }
    let answer = read_until(&mut stream, "hello");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[test]
fn a_panic_is_an_internal_error() {
    let running = scene();
    let fields = "Content-Type: application/json\r\n";
    let answer = send(&running, "POST /test.Test/Panic", fields, b"{}");
    assert_eq!(answer.status, 500);
    assert_eq!(
        answer.text(),
        r#"{"code":"internal","message":"the method failed"}"#
    );
}

#[test]
fn an_unknown_encoding_is_unimplemented_and_the_answer_says_which_are_known() {
    let running = scene();
    let answer = tell(&running, "Content-Encoding: foo\r\n", b"hi");
    assert_eq!(answer.status, 501);
    assert!(answer.text().contains("unimplemented") && answer.text().contains("identity"));
    assert!(answer.field("accept-encoding").is_some());
    assert_eq!(
        tell(&running, "Content-Encoding: identity\r\n", b"hi").status,
        200
    );
}

#[cfg(feature = "gzip")]
#[test]
fn content_is_compressed_both_ways_where_both_sides_want_it() {
    use super::scene::{packed, unpacked};
    let running = Running::start(App::new().grpc(service().compress()));
    let message = [b'a'; 900];
    let answer = tell(&running, "Content-Encoding: gzip\r\n", &packed(&message));
    assert_eq!(
        answer.field("content-encoding"),
        Some("gzip"),
        "it reads what it sends"
    );
    assert_eq!(unpacked(&answer.content), message);
    let plain = tell(
        &running,
        "Content-Encoding: gzip\r\nAccept-Encoding: br\r\n",
        &packed(&message),
    );
    assert_eq!(
        (plain.field("content-encoding"), &plain.content[..]),
        (None, &message[..])
    );
    for refused in ["gzip;q=0", "gzip; q=0.000", "br, identity"] {
        let fields = format!("Accept-Encoding: {refused}\r\n");
        assert_eq!(
            tell(&running, &fields, b"hi").field("content-encoding"),
            None,
            "{refused}"
        );
    }
    assert_eq!(
        tell(&running, "Accept-Encoding: br, gzip;q=0.5\r\n", b"hi").field("content-encoding"),
        Some("gzip")
    );
    assert_eq!(
        tell(&running, "Content-Encoding: gzip\r\n", b"").status,
        200,
        "nothing is not unpacked"
    );
    let bomb = tell(
        &running,
        "Content-Encoding: gzip\r\n",
        &packed(&[0; 100_000]),
    );
    assert_eq!(bomb.status, 429);
    assert_eq!(
        tell(&running, "Content-Encoding: gzip\r\n", b"no gzip").status,
        500
    );
    let error = tell(&running, "Accept-Encoding: gzip\r\n", b"code 5");
    assert_eq!((error.status, error.field("content-encoding")), (404, None));
}

/// It is unpacked once, and the calls' own limits hold for what it is then.
#[cfg(feature = "gzip")]
#[test]
fn content_that_middleware_has_decompressed_is_read_as_it_is() {
    use super::scene::{envelope, packed, stream, unpacked};
    use barewire::app::Decompression;

    let app = App::new().with(Decompression::new());
    let running = Running::start(app.grpc(service().compress()));
    let message = [b'a'; 900];
    let coded = "Content-Encoding: gzip\r\n";
    let answer = tell(&running, coded, &packed(&message));
    assert_eq!((answer.status, &answer.content[..]), (200, &message[..]));
    let both = format!("{coded}Accept-Encoding: gzip\r\n");
    let answer = tell(&running, &both, &packed(&message));
    assert_eq!(unpacked(&answer.content), message);
    let bomb = tell(&running, coded, &packed(&[0; 100_000]));
    assert!([413, 429].contains(&bomb.status), "{}", bomb.head);
    assert_eq!(tell(&running, coded, b"no gzip").status, 400);
    // Envelopes are not the middleware's.
    let running = Running::start(App::new().with(Decompression::new()).grpc(service()));
    let fields = "Connect-Content-Encoding: gzip\r\n";
    let answer = stream(&running, "Sum", fields, &envelope(1, &packed(b"hi")));
    assert_eq!(answer.envelopes()[0].1, "hi");
}

#[test]
fn a_call_over_http2_is_the_same() {
    let running = scene();
    let mut peer = Peer::connect(&running);
    let fields = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", "/test.Test/Tell"),
        (":authority", "a"),
        ("content-type", "application/proto"),
        ("connect-protocol-version", "1"),
    ];
    for (content, status) in [("hello", 200), ("code 5", 404), ("", 200)] {
        let id = peer.raw(&fields, 0);
        peer.data(id, END_STREAM, content.as_bytes());
        let answer = peer.answer(id);
        assert_eq!(answer.status, status);
        if status == 200 {
            assert_eq!(answer.body, content.as_bytes());
        }
    }
}

#[test]
fn pages_of_other_origins_may_call_behind_cors() {
    let cors = barewire::app::Cors::origins(["https://example.com"]).expose("trailer-x-last");
    let running = Running::start(App::new().with(cors).grpc(service()));
    let asks = "Origin: https://example.com\r\nAccess-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: content-type, connect-protocol-version\r\n";
    let preflight = send(&running, "OPTIONS /test.Test/Tell", asks, b"");
    assert_eq!(preflight.status, 204);
    assert!(
        preflight
            .field("access-control-allow-headers")
            .unwrap()
            .contains("connect-protocol-version")
    );
    for content in ["hi", "code 5"] {
        let answer = tell(
            &running,
            "Origin: https://example.com\r\n",
            content.as_bytes(),
        );
        assert_eq!(
            answer.field("access-control-allow-origin"),
            Some("https://example.com")
        );
        assert_eq!(
            answer.field("access-control-expose-headers"),
            Some("trailer-x-last")
        );
    }
}

#[test]
fn a_head_without_content_reads_like_a_form_to_nobody() {
    // A page may send these without a preflight.
    let running = scene();
    let mut stream = running.connect();
    let request = "POST /test.Test/Tell HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 415 "), "{answer}");
}

#[test]
fn metadata_of_one_name_keeps_its_values() {
    let service = Service::new("test.Test").unary(
        "Tell",
        |_: Vec<u8>, call: &mut barewire::app::Call<'_>| {
            let values: Vec<Vec<u8>> = call.headers().get_all("x-two").map(Into::into).collect();
            for value in &values {
                let value = std::str::from_utf8(value).unwrap();
                call.send_metadata("x-two", value).unwrap();
                call.send_trailer("x-two", value).unwrap();
            }
            Ok(Vec::new())
        },
    );
    let running = Running::start(App::new().grpc(service));
    let answer = tell(&running, "X-Two: a\r\nX-Two: b\r\n", b"");
    let expected = "x-two: a\r\nx-two: b\r\ntrailer-x-two: a\r\ntrailer-x-two: b\r\n";
    assert!(
        (answer.head.to_lowercase() + "\r\n").contains(expected),
        "{}",
        answer.head
    );
}
