//! Subscriptions over event streams.

use barewire::client::{
    Client, EventSourceFault, EventSourceLimits, GraphQl, GraphQlError, GraphQlEvent,
    GraphQlOptions, GraphQlTransport,
};
use std::time::Duration;

use super::scripted::{answer, http};

/// A stream that ends with its connection.
fn stream(events: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n{events}"
    )
}

fn options() -> GraphQlOptions {
    let limits = EventSourceLimits::DEFAULT.with_reconnection(Duration::ZERO);
    GraphQlOptions::new()
        .transport(GraphQlTransport::Events)
        .event_limits(limits)
}

#[test]
fn a_stream_is_asked_for_again_until_it_is_complete() {
    let (url, server) = http(vec![
        stream(": hello\n\nevent: next\ndata: {\"data\":{\"a\":1}}\n\n"),
        stream("event: next\ndata: {\"data\":{\"a\":2}}\n\nevent: complete\ndata:\n\n"),
    ]);
    let client = GraphQl::with(&Client::new(), &url, options()).unwrap();
    let mut events = client.subscribe("subscription { a }").unwrap();
    let mut next = || {
        Some(match events.next()?.unwrap() {
            GraphQlEvent::Next(response) => response.json()?.to_owned(),
            GraphQlEvent::Resubscribed => "again".to_owned(),
            _ => "other".to_owned(),
        })
    };
    assert_eq!(next().as_deref(), Some(r#"{"a":1}"#));
    assert_eq!(next().as_deref(), Some("again"));
    assert_eq!(next().as_deref(), Some(r#"{"a":2}"#));
    assert_eq!(next(), None);
    for seen in server.join().unwrap() {
        assert_eq!(seen.line(), "POST /graphql HTTP/1.1");
        assert!(seen.has("accept: text/event-stream"));
        assert_eq!(seen.body, r#"{"query":"subscription { a }"}"#);
    }
}

#[test]
fn a_refusal_is_told_with_what_the_server_says() {
    let refusal = r#"{"errors":[{"message":"no"}]}"#;
    let (url, server) = http(vec![answer("400 Bad Request", "application/json", refusal)]);
    let client = GraphQl::with(&Client::new(), &url, options()).unwrap();
    let mut events = client.subscribe("subscription { a }").unwrap();
    let error = events.next().unwrap().unwrap_err();
    let GraphQlError::Events { fault, body, .. } = error else {
        panic!()
    };
    assert_eq!((fault, &*body), (EventSourceFault::Status(400), refusal));
    assert!(events.next().is_none());
    server.join().unwrap();
}
