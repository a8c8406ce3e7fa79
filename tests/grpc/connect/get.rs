//! Unary calls by GET.

use super::scene::{Response, scene, send};

fn read(query: &str, fields: &str) -> Response {
    send(
        &scene(),
        &format!("GET /test.Test/Read?{query}"),
        fields,
        b"",
    )
}

#[test]
fn a_query_is_a_call() {
    for query in [
        "connect=v1&encoding=json&message=hello",
        "message=hello&encoding=json",
        "encoding=proto&base64=1&message=aGVsbG8",
        "encoding=proto&base64=1&message=aGVsbG8%3D&connect=v1&page=7",
        "encoding=json&message=%68ell%6f&base64=2",
    ] {
        let answer = read(query, "X-Echo: 7\r\n");
        assert_eq!((answer.status, answer.text()), (200, "hello"), "{query}");
        assert_eq!(answer.field("cache-control"), Some("max-age=60"));
        assert_eq!(answer.field("trailer-x-last"), Some("7"));
        let codec = if query.contains("json") {
            "application/json"
        } else {
            "application/proto"
        };
        assert_eq!(answer.field("content-type"), Some(codec));
    }
    let head = send(
        &scene(),
        "HEAD /test.Test/Read?encoding=json&message=hello",
        "",
        b"",
    );
    assert_eq!(
        (head.status, head.text(), head.field("content-length")),
        (200, "", Some("5"))
    );
}

#[test]
fn a_faulty_query_is_an_invalid_argument() {
    for (query, reason) in [
        ("encoding=json", "no message"),
        ("encoding=json&message=%ff", "UTF-8"),
        ("encoding=json&message=%4", "UTF-8"),
        ("encoding=proto&base64=1&message=%21", "base64"),
        ("connect=v2&encoding=json&message=a", "v1"),
    ] {
        let answer = read(query, "");
        assert_eq!(answer.status, 400, "{query}");
        assert!(answer.text().starts_with(r#"{"code":"invalid_argument""#));
        assert!(answer.text().contains(reason), "{}", answer.text());
    }
    for query in [
        "",
        "message=a",
        "encoding=foo&message=a",
        "encoding=a/b&message=",
    ] {
        assert_eq!(read(query, "").status, 415, "{query}");
    }
    assert_eq!(
        read("encoding=json&message=a&compression=br", "").status,
        501
    );
    assert_eq!(
        read("encoding=json&message=a", "Connect-Timeout-Ms: x\r\n").status,
        400
    );
    let long = "a".repeat(1001);
    assert_eq!(
        read(&format!("encoding=json&message={long}"), "").status,
        429
    );
}

#[test]
fn an_error_by_get_is_the_one_by_post() {
    let answer = read("encoding=json&message=code%205", "");
    assert_eq!(answer.status, 404);
    assert!(answer.text().contains("not_found"));
}

#[test]
fn only_what_has_no_side_effects_is_served() {
    let running = scene();
    let answer = send(
        &running,
        "GET /test.Test/Tell?encoding=json&message=a",
        "",
        b"",
    );
    assert_eq!(
        (answer.status, answer.field("allow")),
        (405, Some("OPTIONS, POST"))
    );
    let put = send(&running, "PUT /test.Test/Read", "", b"");
    assert_eq!(put.status, 405);
}

#[cfg(feature = "gzip")]
#[test]
fn a_message_in_a_query_may_be_compressed() {
    use super::scene::packed;
    use barewire::grpc::{Encoding, connect::Query};
    let asked = |message: Vec<u8>| {
        let mut query = String::new();
        let encoding = Some(Encoding::Gzip);
        let codec = "json".into();
        Query {
            codec,
            message,
            encoding,
            is_versioned: true,
        }
        .write(&mut query);
        read(&query, "")
    };
    let answer = asked(packed(b"hello"));
    assert_eq!((answer.status, answer.text()), (200, "hello"));
    assert_eq!(asked(packed(&[0; 100_000])).status, 429);
    assert_eq!(asked(Vec::new()).status, 200, "nothing is not unpacked");
}
