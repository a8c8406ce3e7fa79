//! The recorded cases of event streams, as a source that blocks reads them.

use barewire::client::{Client, EventSource, EventSourceOptions};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::hostile::{Act, Hostile};

/// A chunked stream, in chunks of some hundred bytes.
fn chunked(body: &[u8]) -> Act {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
    let mut pieces = vec![head.as_bytes().to_vec()];
    for piece in body.chunks(300) {
        let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
        chunk.extend_from_slice(piece);
        chunk.extend_from_slice(b"\r\n");
        pieces.push(chunk);
    }
    pieces.push(b"0\r\n\r\n".to_vec());
    Act::Pieces(pieces)
}

#[test]
fn every_case_arrives_over_a_socket_as_the_standard_has_it() {
    let text = include_str!("../../data/sse-cases.jsonl");
    let cases: Vec<Value> = text
        .lines()
        .map(|it| serde_json::from_str(it).unwrap())
        .collect();
    assert_eq!(cases.len(), 54);
    let body = |case: &Value| {
        STANDARD
            .decode(case["input_b64"].as_str().unwrap())
            .unwrap()
    };
    let server = Hostile::start(cases.iter().map(|case| chunked(&body(case))));
    let client = Client::new();
    for case in &cases {
        let name = case["id"].as_str().unwrap();
        // A POST is not resumed, so that the end of the case is the end of the source.
        let request = client.post(&server.url);
        let mut source = EventSource::new(request, EventSourceOptions::new()).unwrap();
        let mut got = Vec::new();
        while let Some(Ok(event)) = source.next() {
            got.push(serde_json::json!({
                "event": event.event,
                "data": event.data,
                "lastEventId": event.last_event_id,
            }));
        }
        assert_eq!(Value::Array(got), case["expect"], "{name}");
        assert_eq!(
            source.last_event_id(),
            case["final_last_event_id"],
            "{name}"
        );
    }
}
