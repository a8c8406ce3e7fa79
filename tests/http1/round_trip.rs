//! What one side writes, the other reads: a client and a server connection,
//! with their bytes cut at random on the way.
#![cfg(feature = "alloc")]

use crate::http1_driver::{Driver, Handler, describe};
use barewire::http::{
    Field, Fields, Method, RequestHead, ResponseContent, ResponseHead, Status, Target, Version,
};
use barewire::http1::BodyLength;
use barewire::wire::{Instant, Role};
use bytes::Bytes;
use proptest::prelude::*;

const NOW: Instant = Instant::START;

fn name() -> impl Strategy<Value = String> {
    "[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}".prop_filter("the machine's own", |name| {
        let own = [
            "te",
            "host",
            "date",
            "expect",
            "upgrade",
            "connection",
            "keep-alive",
        ];
        !own.iter().any(|own| name.eq_ignore_ascii_case(own))
    })
}

fn value() -> impl Strategy<Value = String> {
    "([!-~\u{80}-\u{ff}]([ \t!-~\u{80}-\u{ff}]{0,20}[!-~])?)?"
}

fn fields() -> impl Strategy<Value = Vec<(String, String)>> {
    proptest::collection::vec((name(), value()), 0..6)
}

fn body() -> impl Strategy<Value = Vec<Vec<u8>>> {
    proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..50), 0..4)
}

fn list(fields: &[(String, String)]) -> Vec<Field<'_>> {
    fields
        .iter()
        .map(|(name, value)| Field::new(name, value))
        .collect()
}

/// Feeds `bytes` in pieces of at most `size`.
fn feed(driver: &mut Driver, bytes: &[u8], size: usize) {
    bytes.chunks(size).for_each(|piece| driver.feed(piece));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn requests_arrive_as_they_were_sent(
        path in "/[a-z0-9/%._~-]{0,20}", query in proptest::option::of("[a-z=&?/]{0,9}"),
        fields in fields(), body in body(), known: bool, trailers in fields(), size in 1..40_usize,
    ) {
        let mut client = Driver::new(Role::Client, Handler::Echo);
        let mut all = vec![Field::new("Host", "example.org")];
        all.extend(list(&fields));
        let head = RequestHead {
            method: Method::POST,
            target: Target::Origin { path: &path, query: query.as_deref() },
            version: Version::Http11,
            protocol: None,
            fields: Fields::new(&all),
        };
        let total: usize = body.iter().map(Vec::len).sum();
        let length = if known { BodyLength::Known(total as u64) } else { BodyLength::Unknown };
        let mut wire = Vec::new();
        client.connection.send_request(&head, Some(length), NOW, &mut wire).unwrap();
        if length != BodyLength::Known(0) {
            for piece in &body {
                client.connection.send_body(piece, &mut wire).unwrap();
            }
            let trailers = list(&trailers);
            client.connection.send_end(Fields::new(&trailers), NOW, &mut wire).unwrap();
        }

        let mut server = Driver::new(Role::Server, Handler::Echo);
        feed(&mut server, &wire, size);
        prop_assert_eq!(server.transcript.error, None);
        let events = server.transcript.events.clone();
        let mut sent = all.clone();
        let number = total.to_string();
        sent.push(match known {
            true => Field::new("Content-Length", &number),
            false => Field::new("Transfer-Encoding", "chunked"),
        });
        let expected = format!("request POST {:?} Http11 {}", head.target, describe(Fields::new(&sent)));
        prop_assert_eq!(&events[0], &expected);
        let ends = if known { Vec::new() } else { list(&trailers) };
        let expected = format!("end {}", describe(Fields::new(&ends)));
        prop_assert_eq!(&events[1], &expected);
        prop_assert_eq!(&server.transcript.bodies, &[body.concat()]);

        // And the echo comes back.
        let echo = server.transcript.out.clone();
        feed(&mut client, &echo, size);
        prop_assert_eq!(client.transcript.error, None);
        prop_assert_eq!(&client.transcript.bodies, &[body.concat()]);
        prop_assert!(client.connection.is_idle() && server.connection.is_idle());
    }

    #[test]
    fn responses_arrive_as_they_were_sent(
        code in 200..=599_u16, fields in fields(), body in body(), known: bool, size in 1..40_usize,
    ) {
        let status = Status::new(code).unwrap();
        prop_assume!(ResponseContent::of(Method::GET, status).may_follow);
        let mut server = Driver::new(Role::Server, Handler::Echo);
        server.connection = request_read();
        let all = list(&fields);
        let head = ResponseHead::new(status, Fields::new(&all));
        let total: usize = body.iter().map(Vec::len).sum();
        let length = if known { BodyLength::Known(total as u64) } else { BodyLength::Unknown };
        let mut wire = Vec::new();
        server.connection.send_response(&head, length, None, NOW, &mut wire).unwrap();
        for piece in &body {
            server.connection.send_body_shared(Bytes::copy_from_slice(piece), &mut wire).unwrap();
        }
        server.connection.send_end(Fields::EMPTY, NOW, &mut wire).unwrap();

        // In one go the same bytes go out.
        if known {
            let (mut whole, mut shared) = (Vec::new(), Vec::new());
            request_read().send_whole(&head, &body.concat(), None, NOW, &mut whole).unwrap();
            request_read().send_whole_shared(&head, body.concat().into(), None, NOW, &mut shared).unwrap();
            prop_assert_eq!((&whole, &shared), (&wire, &wire));
        }

        let mut client = Driver::new(Role::Client, Handler::Echo);
        let host = [Field::new("Host", "a")];
        let request = RequestHead {
            method: Method::GET,
            target: Target::Origin { path: "/", query: None },
            version: Version::Http11,
            protocol: None,
            fields: Fields::new(&host),
        };
        client.connection.send_request(&request, None, NOW, &mut Vec::new()).unwrap();
        feed(&mut client, &wire, size);
        prop_assert_eq!(client.transcript.error, None);
        let start = format!("response {code} Http11 [");
        prop_assert!(client.transcript.events[0].starts_with(&start));
        for field in &all {
            let shown = format!("{}: {}", String::from_utf8_lossy(field.name), field.value.escape_ascii());
            prop_assert!(client.transcript.events[0].contains(&shown));
        }
        prop_assert_eq!(&client.transcript.bodies, &[body.concat()]);
    }
}

/// A server connection that owes a response.
fn request_read() -> barewire::http1::Connection {
    let mut connection = barewire::http1::Connection::new(Role::Server, NOW);
    let mut scratch = barewire::http::OwnedScratch::new(4);
    let lent = barewire::http::CallContext {
        now: NOW,
        date: None,
        mask_key: [0; 4],
        limits: &barewire::http1::Limits::DEFAULT,
        scratch: scratch.lend(),
    };
    let mut input = *b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    connection
        .receive(&mut input, lent, &mut Vec::new())
        .unwrap();
    assert!(connection.awaits_response());
    connection
}
