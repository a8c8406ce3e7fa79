//! Documents and variables that are to cost a server too much.

use barewire::graphql::Limits;

use super::scene::{STRICT, begun, hear, post, running, running_with, say, subscribe};

/// A selection of so many aliases of one field.
fn aliases(count: usize) -> String {
    let fields: Vec<_> = (0..count).map(|at| format!("a{at}:hello")).collect();
    format!("{{ {} }}", fields.join(" "))
}

fn nested(open: &str, close: &str, depth: usize) -> String {
    open.repeat(depth) + "1" + &close.repeat(depth)
}

/// Asks over HTTP: the status, and the errors.
fn answer(limits: Limits, body: &str) -> (u16, String) {
    let answer = post(&running_with(limits), STRICT, body);
    (answer.status, answer.body)
}

#[test]
fn documents_are_bounded_by_their_bytes_and_then_by_the_executor() {
    let many = format!(r#"{{"query":"{}"}}"#, aliases(10_000));
    let (status, body) = answer(Limits::DEFAULT, &many);
    assert_eq!(status, 413);
    assert!(body.contains("the document is too long"), "{body}");
    // Where the bytes are allowed, its complexity is not.
    let wide = Limits::DEFAULT.with_document(1 << 20);
    let (status, body) = answer(wide, &many);
    assert_eq!(status, 400, "{body}");
    assert!(body.contains("too complex"), "{body}");
    let deep = format!(r#"{{"query":"{}"}}"#, "{ hello ".repeat(8_000));
    let (status, body) = answer(Limits::DEFAULT, &deep);
    assert_eq!(status, 400, "{body}");
    let deep = nested("[", "]", 10_000);
    let deep = format!(r#"{{"query":"{{ slept(millis: {deep}) }}"}}"#);
    let (status, body) = answer(Limits::DEFAULT, &deep);
    assert_eq!(status, 400, "{body}");
}

#[test]
fn variables_are_bounded_by_bytes_and_depth() {
    let with =
        |variables: &str| format!(r#"{{"query":"{{ hello }}","variables":{{"a":{variables}}}}}"#);
    assert_eq!(answer(Limits::DEFAULT, &with(&nested("[", "]", 60))).0, 200);
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let (status, body) = answer(Limits::DEFAULT, &with(&nested(open, close, 10_000)));
        assert_eq!(status, 400);
        assert!(body.contains("nested too deeply"), "{body}");
    }
    let members: Vec<_> = (0..60_000).map(|at| format!(r#""a{at}":[{{}}]"#)).collect();
    let bomb = with(&format!("{{{}}}", members.join(",")));
    let bounded = Limits::DEFAULT.with_message(64 << 10);
    assert_eq!(answer(bounded, &bomb).0, 413);
    // Those that the document does not declare are nothing to the executor.
    assert_eq!(answer(Limits::DEFAULT, &bomb).0, 200);
}

#[test]
fn batches_and_ids_are_bounded() {
    let two = r#"[{"query":"{ hello }"},{"query":"{ hello }"}]"#;
    assert_eq!(answer(Limits::DEFAULT.with_batch(2), two).0, 200);
    assert_eq!(answer(Limits::DEFAULT.with_batch(1), two).0, 400);
    assert_eq!(answer(Limits::DEFAULT.with_batch(1), "[]").0, 400);
}

#[test]
fn a_websocket_ends_where_the_conversation_is_at_fault_and_not_where_a_document_is() {
    let running = running();
    let mut stream = begun(&running);
    for document in [aliases(10_000), aliases(201), "{ hello ".repeat(4_000)] {
        say(&mut stream, &subscribe("1", &document));
        let error = hear(&mut stream).unwrap();
        assert!(error.starts_with(r#"{"id":"1","type":"error""#), "{error}");
    }
    say(&mut stream, &subscribe("1", "{ hello }"));
    assert!(hear(&mut stream).unwrap().contains("world"));
    for (message, code) in [
        (
            r#"{"id":7,"type":"subscribe","payload":{"query":"{ hello }"}}"#.into(),
            4400,
        ),
        (
            r#"{"id":"1","type":"subscribe","payload":{"query":7}}"#.into(),
            4400,
        ),
        (subscribe(&"7".repeat(129), "{ hello }"), 4400),
        (nested(r#"{"payload":"#, "}", 1_000), 4400),
        (subscribe("1", &" ".repeat(1_100_000)), 1009),
    ] {
        let mut stream = begun(&running);
        say(&mut stream, &message);
        assert_eq!(hear(&mut stream).unwrap_err().0, code);
    }
}

#[test]
fn one_client_has_so_many_operations_at_one_time() {
    let limits = Limits::DEFAULT.with_operations(3).with_subscriptions(2);
    let running = running_with(limits);
    let mut stream = begun(&running);
    for id in ["1", "2"] {
        say(&mut stream, &subscribe(id, "subscription { silence }"));
    }
    say(&mut stream, &subscribe("3", "subscription { silence }"));
    assert!(hear(&mut stream).unwrap().contains("LIMIT_EXCEEDED"));
    say(&mut stream, &subscribe("3", "{ slept(millis: 100) }"));
    say(&mut stream, &subscribe("4", "{ hello }"));
    assert!(
        hear(&mut stream)
            .unwrap()
            .contains(r#"{"id":"4","type":"error""#)
    );
    assert!(
        hear(&mut stream)
            .unwrap()
            .contains(r#"{"id":"3","type":"next""#)
    );
}
