//! Operations whose responses are events.

use core::time::Duration;
use std::io::{Read, Write};
use std::net::TcpStream;

use barewire::graphql::Limits;

use super::scene::{JSON, post, running, running_with};
use crate::app_support::{Running, read_until};

/// Asks with HTTP/1.0, so that the stream comes as it is.
fn events(running: &Running, request: &str) -> TcpStream {
    let mut stream = running.connect();
    stream.write_all(request.as_bytes()).unwrap();
    let head = read_until(&mut stream, "\r\n\r\n");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(head.contains("text/event-stream"), "{head}");
    stream
}

#[test]
fn operations_are_event_streams_of_their_own() {
    let running = running();
    let query = "subscription%7Bcountdown(from:2)%7D";
    let request = format!(
        "GET /graphql?query={query} HTTP/1.0\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n"
    );
    let mut stream = events(&running, &request);
    let mut all = String::new();
    stream.read_to_string(&mut all).unwrap();
    let next = |left| format!("event: next\ndata: {{\"data\":{{\"countdown\":{left}}}}}\n\n");
    assert_eq!(all, next(1) + &next(0) + "event: complete\ndata: \n\n");
    let refused = running.get(&format!("/graphql?query={query}"));
    assert_eq!(refused.status, 406);
}

#[test]
fn one_event_stream_has_all_operations_of_a_token() {
    let running = running();
    let put = running.exchange("PUT /graphql HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    assert_eq!((put.status, put.body.len()), (201, 32));
    let header = format!("X-GraphQL-Event-Stream-Token: {}\r\n", put.body);
    let ask = |id: &str, query: &str| {
        let body = format!(r#"{{"query":"{query}","extensions":{{"operationId":"{id}"}}}}"#);
        post(&running, &format!("{JSON}{header}"), &body).status
    };
    assert_eq!(ask("early", "{ hello }"), 202);
    let request =
        format!("GET /graphql HTTP/1.0\r\nHost: a\r\nAccept: text/event-stream\r\n{header}\r\n");
    let mut stream = events(&running, &request);
    let complete = |id: &str| format!("event: complete\ndata: {{\"id\":\"{id}\"}}\n\n");
    let first = read_until(&mut stream, &complete("early"));
    let payload = r#"{"id":"early","payload":{"data":{"hello":"world"}}}"#;
    assert_eq!(
        first,
        format!("event: next\ndata: {payload}\n\n{}", complete("early"))
    );
    assert_eq!(ask("1", "subscription { silence }"), 202);
    assert_eq!(ask("1", "{ hello }"), 409);
    let stop = format!("DELETE /graphql?operationId=1 HTTP/1.1\r\nHost: a\r\n{header}\r\n");
    assert_eq!(running.exchange(&stop).status, 200);
    assert_eq!(ask("1", "subscription { countdown(from: 2) }"), 202);
    let rest = read_until(&mut stream, &complete("1"));
    assert_eq!(rest.matches("event: next").count(), 2, "{rest}");
    let unknown = format!("{JSON}X-GraphQL-Event-Stream-Token: none\r\n");
    assert_eq!(
        post(&running, &unknown, r#"{"query":"{ hello }"}"#).status,
        404
    );
}

#[test]
fn a_token_whose_stream_does_not_come_is_forgotten() {
    let limits = Limits::DEFAULT.with_init_time(Duration::from_millis(5));
    let running = running_with(limits);
    let put = "PUT /graphql HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";
    for _ in 0..2 {
        let token = running.exchange(put).body;
        let stop = format!(
            "DELETE /graphql?operationId=1 HTTP/1.1\r\nHost: a\r\n\
             X-GraphQL-Event-Stream-Token: {token}\r\n\r\n"
        );
        while running.exchange(&stop).status != 404 {}
    }
}

#[test]
fn a_stream_has_so_many_operations_at_one_time() {
    let limits = Limits::DEFAULT.with_operations(2).with_subscriptions(1);
    let running = running_with(limits);
    let put = running.exchange("PUT /graphql HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    let header = format!("{JSON}X-GraphQL-Event-Stream-Token: {}\r\n", put.body);
    for (id, query, status) in [
        (1, "subscription { silence }", 202),
        (2, "subscription { silence }", 429),
        (3, "{ hello }", 202),
        (4, "{ hello }", 429),
    ] {
        let body = format!(r#"{{"query":"{query}","extensions":{{"operationId":"{id}"}}}}"#);
        let answer = post(&running, &header, &body);
        assert_eq!(answer.status, status, "{query}: {answer:?}");
    }
}
