//! GraphQL's transports: any messages, and what the application does about them.
//!
//! The first byte chooses protocol, limits, and whether the client is accepted later. Each line that follows is one message, for the
//! server and for the client.

use barewire::graphql::http::Received;
use barewire::graphql::socket::{Client, ClientEvent, Protocol, Server, ServerEvent};
use barewire::graphql::{Limits, OperationType, Request};
use barewire::http::{Field, Fields, Method};
use barewire::wire::Instant;

fn limits(manner: u8) -> Limits {
    let limits = Limits::DEFAULT.with_batch(3).with_uploads(3);
    match manner & 2 {
        0 => limits,
        _ => limits
            .with_operations(2)
            .with_subscriptions(1)
            .with_id(4)
            .with_nesting(5),
    }
}

/// What is written is JSON, and for one reader only.
fn is_message(out: &str) {
    if !out.is_empty() {
        let value: serde_json::Value = serde_json::from_str(out).expect("one message");
        assert!(value["type"].is_string(), "{out}");
    }
}

/// Accepts, executes and ends; a close is for good.
fn server(protocol: Protocol, limits: &Limits, is_later: bool, lines: &[&str]) {
    let mut server = Server::new(protocol, Instant::START, limits);
    let mut running: Vec<String> = Vec::new();
    let (mut over, mut undecided) = (None, None);
    for line in lines {
        let mut out = String::new();
        if undecided == Some(0) {
            server.accept(None, &mut out);
            assert_eq!(server.is_ready(), over.is_none());
            is_message(&out);
            out.clear();
        }
        undecided = undecided.and_then(|left: u8| left.checked_sub(1));
        match server.receive(line, limits, &mut out) {
            Ok(Some(ServerEvent::Init { .. })) if is_later => undecided = Some(2),
            Ok(Some(ServerEvent::Init { .. })) => {
                assert!(server.accept(None, &mut out));
            }
            Ok(Some(ServerEvent::Subscribe {
                id,
                request,
                replaces,
            })) => {
                assert_eq!(running.contains(&id.to_string()), replaces);
                running.retain(|it| **it != *id);
                same_when_written(&request, limits);
                match request.operation_type() {
                    // What only asks is answered.
                    Some(OperationType::Query) => {
                        assert!(server.next(&id, "{\"data\":1}", &mut out));
                        is_message(&out);
                        out.clear();
                        assert!(server.complete(&id, &mut out));
                    }
                    _ => running.push(id.into_owned()),
                }
            }
            Ok(Some(ServerEvent::Complete { id })) => {
                assert!(running.contains(&id.to_string()));
                running.retain(|it| **it != *id);
            }
            Ok(_) => {}
            Err(closing) => {
                assert!(*over.get_or_insert(closing.code) == closing.code);
                assert!(closing.reason.len() <= 123);
                running.clear();
            }
        }
        is_message(&out);
        assert_eq!(server.operations(), running.len());
        assert!(running.len() <= limits.operations);
        assert_eq!(
            server.held(),
            running.iter().map(String::len).sum::<usize>()
        );
    }
}

fn client(protocol: Protocol, limits: &Limits, lines: &[&str]) {
    let mut client = Client::new(protocol);
    let mut out = String::new();
    client.init(None, Instant::START, limits, &mut out);
    let mut running: Vec<u64> = Vec::new();
    for line in lines {
        is_message(&out);
        out.clear();
        match client.receive(line, limits, &mut out) {
            Ok(Some(ClientEvent::Acknowledged { .. })) => {
                assert!(client.subscribe(1, &Request::new("{a}"), &mut out));
                is_message(&out);
                out.clear();
                assert!(client.subscribe(2, &Request::new("{a}"), &mut out));
                running = Vec::from([1, 2]);
            }
            Ok(Some(ClientEvent::Next { id, .. })) => assert!(running.contains(&id)),
            Ok(Some(ClientEvent::Error { id, .. } | ClientEvent::Complete { id })) => {
                assert!(running.contains(&id));
                running.retain(|it| *it != id);
            }
            Ok(_) => {}
            Err(_) => running.clear(),
        }
    }
    is_message(&out);
}

fn same_when_written(request: &Request<'_>, limits: &Limits) {
    let mut out = String::new();
    request.write(&mut out);
    let limits = limits.with_message(usize::MAX);
    assert_eq!(
        Request::parse(out.as_bytes(), &limits).as_ref(),
        Ok(request),
        "{out}"
    );
}

fn http(limits: &Limits, text: &[u8]) {
    for kind in ["application/json", "multipart/form-data; boundary=x"] {
        let fields = [
            Field::new("content-type", kind),
            Field::new("apollo-require-preflight", "1"),
        ];
        let fields = Fields::new(&fields);
        if let Ok(received) = Received::read(Method::POST, None, fields, text, limits) {
            let _ = received.media_type();
            for request in received.requests() {
                same_when_written(request, limits);
            }
        }
    }
    if let Ok(query) = str::from_utf8(text) {
        let read = Received::read(Method::GET, Some(query), Fields::new(&[]), b"", limits);
        if let Ok(received) = read {
            let kind = received.requests()[0].operation_type();
            assert!(received.media_type().is_err() || kind != Some(OperationType::Mutation));
        }
    }
}

/// Messages to both sides, and bodies.
pub fn session(data: &[u8]) {
    let Some((&manner, text)) = data.split_first() else {
        return;
    };
    let limits = limits(manner);
    http(&limits, text);
    let protocol = match manner & 1 {
        0 => Protocol::TransportWs,
        _ => Protocol::Legacy,
    };
    if let Ok(text) = str::from_utf8(text) {
        let lines: Vec<&str> = text.lines().collect();
        server(protocol, &limits, manner & 4 != 0, &lines);
        client(protocol, &limits, &lines);
    }
}
