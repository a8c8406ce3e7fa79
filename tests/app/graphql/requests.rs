//! Requests over HTTP.

use barewire::graphql::Limits;

use super::scene::{JSON, STRICT, post, running, running_with};

#[test]
fn requests_are_answered_with_the_status_that_they_have_earned() {
    let running = running();
    let hello = r#"{"data":{"hello":"world"}}"#;
    let answer = post(&running, STRICT, r#"{"query":"{ hello }"}"#);
    let shown = (answer.status, &*answer.body);
    assert_eq!(shown, (200, hello));
    let content_type = "application/graphql-response+json; charset=utf-8";
    assert_eq!(answer.header("content-type"), content_type);
    for (fields, body, status, part) in [
        (JSON, r#"{"documentId":"hello"}"#, 200, hello),
        (
            STRICT,
            r#"{"query":"{ none }"}"#,
            400,
            r#"{"errors":[{"message":"Unknown field"#,
        ),
        (
            JSON,
            r#"{"query":"{ none }"}"#,
            200,
            r#"{"errors":[{"message":"Unknown field"#,
        ),
        (STRICT, r#"{"query":"{ broken }"}"#, 200, r#""data":null"#),
        (
            STRICT,
            r#"{"query":"{ slept(millis: 2) }"}"#,
            200,
            r#"{"data":{"slept":2}}"#,
        ),
        (
            STRICT,
            r#"{"query":"{ never }"}"#,
            504,
            r#""code":"TIMEOUT""#,
        ),
        (
            STRICT,
            r#"{"query":"{ panics }"}"#,
            500,
            r#""code":"INTERNAL_SERVER_ERROR""#,
        ),
        (
            STRICT,
            r#"{"query":"mutation { set(to: 7) }"}"#,
            200,
            r#"{"data":{"set":7}}"#,
        ),
        (
            JSON,
            r#"{"query":"{ hello }","variables":7}"#,
            400,
            "variables",
        ),
        (JSON, "{", 400, "not JSON"),
        (JSON, r#"[{"query":"{ hello }"}]"#, 400, "batches"),
        (
            "Content-Type: text/plain\r\n",
            r#"{"query":"{ hello }"}"#,
            415,
            "content type",
        ),
        ("", r#"{"query":"{ hello }"}"#, 415, "content type"),
    ] {
        let answer = post(&running, fields, body);
        assert_eq!(answer.status, status, "{body}: {answer:?}");
        assert!(answer.body.contains(part), "{body}: {answer:?}");
    }
    assert_eq!(running.get("/graphql?query=%7Bhello%7D").body, hello);
    let refused = running.get("/graphql?query=mutation%7Bset(to:7)%7D");
    assert_eq!((refused.status, &*refused.header("allow")), (405, "POST"));
    assert_eq!(running.get("/graphql").status, 400);
    let patch = running.exchange("PATCH /graphql HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(patch.status, 405);
    assert!(patch.header("allow").contains("GET, "), "{patch:?}");
    // curl offers HTTP/2 in this way.
    let upgrade = "GET /graphql?query=%7Bhello%7D HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n\
                   Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\n\r\n";
    assert_eq!(running.exchange(upgrade).body, hello);
}

#[test]
fn a_batch_is_answered_in_its_order() {
    let running = running_with(Limits::DEFAULT.with_batch(3));
    let body = r#"[{"query":"{ slept(millis: 3) }"},{"query":"{ none }"},{"query":"{ hello }"}]"#;
    let answer = post(&running, JSON, body);
    let (first, last) = (
        r#"[{"data":{"slept":3}},{"errors""#,
        r#"{"data":{"hello":"world"}}]"#,
    );
    assert_eq!(answer.status, 200);
    assert!(
        answer.body.starts_with(first) && answer.body.ends_with(last),
        "{answer:?}"
    );
}
