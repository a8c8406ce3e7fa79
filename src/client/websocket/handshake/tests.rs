use super::*;
use crate::client::connecting::Connection;
use crate::link::{EndReason, Event, Limits};
use crate::wire::Instant;

const ACCEPT: &str = "CdXSYUsvsaMthlEXWDNURGWA/1o=";

/// Begins a handshake with a key that is known.
fn begin(request: &WebSocketRequest) -> (Connection, WebSocketHandshake) {
    let mut connection = Connection::http1(Limits::DEFAULT, Instant::START)
        .with_entropy(|into: &mut [u8]| into.fill(7));
    let handshake = WebSocketHandshake::begin(connection.wire(), request).unwrap();
    (connection, handshake)
}

/// The result of an answer: the subprotocol, what came, and how it ended.
type Told = (
    Option<Result<Option<String>, Refused>>,
    Vec<u8>,
    Option<EndReason>,
);

fn answer(connection: &mut Connection, handshake: &WebSocketHandshake, pieces: &[&[u8]]) -> Told {
    let mut told: Told = (None, Vec::new(), None);
    for piece in pieces {
        let mut piece = piece.to_vec();
        connection.receive(
            &mut piece,
            Instant::START,
            |wire, stream, event| match event {
                Event::Response { head, .. } => {
                    assert_eq!(stream, handshake.stream());
                    told.0 = Some(handshake.complete(wire, &head));
                }
                Event::Message { payload, .. } => told.1.extend_from_slice(payload),
                Event::Ended(why) => told.2 = Some(why),
                _ => {}
            },
        );
    }
    told
}

#[test]
fn the_request_says_what_was_asked_for() {
    let mut request = WebSocketRequest::new("a.example:8080", "/x?y=1");
    request.protocols = alloc::vec!["v2".into(), "v1".into()];
    request.fields.push("Authorization", "Bearer t").unwrap();
    let (mut connection, _) = begin(&request);
    let text = String::from_utf8(connection.output().clone()).unwrap();
    assert_eq!(
        text,
        "GET /x?y=1 HTTP/1.1\r\nHost: a.example:8080\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: BwcHBwcHBwcHBwcHBwcHBw==\r\n\
             Sec-WebSocket-Protocol: v2, v1\r\nAuthorization: Bearer t\r\n\
             Connection: upgrade\r\n\r\n"
    );
}

#[test]
fn however_the_answer_is_cut_what_follows_it_is_the_first_frame() {
    let whole = alloc::format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {ACCEPT}\r\nSec-WebSocket-Protocol: v1\r\n\r\n\x01\x03Hel"
    );
    let whole = [whole.as_bytes(), b"\x80\x02lo\x89\x00"].concat();
    let mut request = WebSocketRequest::new("a", "/");
    request.protocols = alloc::vec!["v2".into(), "v1".into()];
    for cut in 0..whole.len() {
        let (mut connection, handshake) = begin(&request);
        connection.output().clear();
        let (front, back) = whole.split_at(cut);
        let told = answer(&mut connection, &handshake, &[front, back]);
        assert_eq!(told.0, Some(Ok(Some("v1".into()))));
        assert_eq!((told.1, told.2), (b"Hello".to_vec(), None), "{cut}");
        // The pong is masked, with a mask from the source.
        assert_eq!(&**connection.output(), b"\x8a\x80\x07\x07\x07\x07");
        connection.output().clear();
        let wire = connection.wire();
        let sent = wire.send_message(handshake.stream(), crate::websocket::Kind::Text, b"a");
        assert!(sent.is_taken());
        assert_eq!(&**connection.output(), b"\x81\x81\x07\x07\x07\x07f");
    }
}

#[test]
fn an_answer_to_another_question_switches_nothing() {
    let request = WebSocketRequest::new("a", "/");
    for (lines, expected) in [
        (
            "101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAA",
            Refused::Accept,
        ),
        (
            "101 S\r\nUpgrade: websocket\r\nConnection: Upgrade",
            Refused::Accept,
        ),
        (
            "101 S\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: A",
            Refused::Upgrade,
        ),
        (
            "401 U\r\nContent-Length: 0",
            Refused::Status(crate::http::Status::UNAUTHORIZED),
        ),
    ] {
        let (mut connection, handshake) = begin(&request);
        let text = alloc::format!("HTTP/1.1 {lines}\r\n\r\n");
        let told = answer(&mut connection, &handshake, &[text.as_bytes()]);
        assert_eq!(told.0, Some(Err(expected)));
        connection.output().clear();
        let wire = connection.wire();
        let sent = wire.send_message(handshake.stream(), crate::websocket::Kind::Text, b"a");
        assert!(!sent.is_taken());
        assert!(connection.output().is_empty());
    }
}

#[test]
fn what_is_wrong_is_said_before_anything_is_sent() {
    let mut reserved = WebSocketRequest::new("a", "/");
    reserved.fields.push("sec-webSocket-key", "x").unwrap();
    let mut twice = WebSocketRequest::new("a", "/");
    twice.protocols = alloc::vec!["v1".into(), "v1".into()];
    let mut blank = WebSocketRequest::new("a", "/");
    blank.protocols = alloc::vec!["v 1".into()];
    let requests = [
        reserved,
        twice,
        blank,
        WebSocketRequest::new("a", "x"),
        WebSocketRequest::new("a", "*"),
        WebSocketRequest::new("a", "/ b"),
        WebSocketRequest::new("a b", "/"),
    ];
    for request in requests {
        let mut connection = Connection::http1(Limits::DEFAULT, Instant::START);
        let begun = WebSocketHandshake::begin(connection.wire(), &request);
        assert!(begun.is_err(), "{request:?}");
        assert!(connection.output().is_empty(), "{request:?}");
    }
}

#[test]
fn over_http2_it_is_an_extended_connect_where_the_server_takes_it() {
    let now = Instant::START;
    let request = WebSocketRequest::new("a", "/chat");
    let mut connection = Connection::http2(Limits::DEFAULT, now);
    connection.receive(&mut b"\0\0\0\x04\0\0\0\0\0".to_vec(), now, |_, _, _| {});
    let refused = WebSocketHandshake::begin(connection.wire(), &request).unwrap_err();
    assert!(refused.is_unknown_over_http2());
    let mut connection = Connection::http2(Limits::DEFAULT, now);
    let settings = b"\0\0\x06\x04\0\0\0\0\0\0\x08\0\0\0\x01";
    connection.receive(&mut settings.to_vec(), now, |_, _, _| {});
    let handshake = WebSocketHandshake::begin(connection.wire(), &request).unwrap();
    let answer = b"\0\0\x01\x01\x04\0\0\0\x01\x88\0\0\x04\0\0\0\0\0\x01\x81\x02hi";
    let mut told = Vec::new();
    connection.receive(&mut answer.to_vec(), now, |wire, _, event| match event {
        Event::Response { head, .. } => {
            assert_eq!(handshake.complete(wire, &head), Ok(None));
        }
        Event::Message { payload, .. } => told.extend_from_slice(payload),
        _ => {}
    });
    assert_eq!(told, b"hi");
    connection.output().clear();
    let wire = connection.wire();
    let sent = wire.send_message(handshake.stream(), crate::websocket::Kind::Text, b"a");
    assert!(sent.is_taken());
    let out = connection.output();
    assert_eq!(&out[..9], b"\0\0\x07\0\0\0\0\0\x01");
    assert_eq!(&out[9..11], b"\x81\x81");
}
