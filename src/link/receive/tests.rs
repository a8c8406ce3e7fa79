use super::*;
use crate::http::{Fields, Method, OwnedScratch, RequestHead, ResponseHead, Target, Version};
use crate::link::{Body, Limits, UsageError};
use alloc::vec::Vec;

/// Feeds a request, and answers it if one was seen.
fn serve(link: &mut Link, out: &mut Vec<u8>) -> Option<u32> {
    let mut input = *b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let (limits, mut scratch, mut shown) = (Limits::DEFAULT, OwnedScratch::new(8), None);
    let lent = CallContext {
        now: Instant::START,
        date: None,
        mask_key: [0; 4],
        limits: &limits,
        scratch: scratch.lend(),
        shown: &mut shown,
    };
    let received = link.receive(&mut input, lent, out).unwrap();
    let Step::Event(Event::Request { .. }) = received.step else {
        return None;
    };
    let head = ResponseHead::new(crate::http::Status::OK, Fields::EMPTY);
    let (body, now) = (Body::Whole(b""), Instant::START);
    link.respond(link.stream(), &head, body, None, now, out)
        .unwrap();
    Some(link.stream())
}

/// Receives input in pieces; gives the result and the output.
fn take(link: &mut Link, pieces: &[&[u8]]) -> (Result<(), ProtocolError>, Vec<u8>) {
    let (limits, mut scratch, mut shown) = (Limits::DEFAULT, OwnedScratch::new(8), None);
    let (mut out, mut input) = (Vec::new(), Vec::new());
    for piece in pieces {
        input.extend_from_slice(piece);
        let lent = CallContext {
            now: Instant::START,
            date: None,
            mask_key: [0; 4],
            limits: &limits,
            scratch: scratch.lend(),
            shown: &mut shown,
        };
        let used = link.receive(&mut input, lent, &mut out).map(|it| it.used);
        match used {
            Ok(used) => drop(input.drain(..used)),
            Err(violation) => return (Err(violation), out),
        }
    }
    (Ok(()), out)
}

#[test]
fn a_hello_of_tls_gets_an_alert() {
    let hello: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    for cut in 0..hello.len() {
        for mut link in [
            Link::server(Instant::START),
            Link::server_http1(Instant::START),
        ] {
            let (refused, out) = take(&mut link, &[&hello[..cut], &hello[cut..]]);
            assert_eq!(
                (refused, &*out),
                (Err(ProtocolError::Tls), HANDSHAKE_FAILURE)
            );
            assert_eq!(link.closing(), Some(Closing::Linger));
        }
    }
    let (refused, out) = take(
        &mut Link::server(Instant::START),
        &[b"\x16\x16 nonsense\r\n\r\n"],
    );
    assert!(matches!(refused, Err(ProtocolError::Http1(_))));
    assert!(out.starts_with(b"HTTP/1.1 400 "));
}

#[test]
fn what_was_agreed_on_is_not_guessed() {
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let mut link = Link::server_http1(Instant::START);
    let (refused, out) = take(&mut link, &[preface]);
    assert!(matches!(refused, Err(ProtocolError::Http1(_))));
    assert!(out.starts_with(b"HTTP/1.1 505 "));
    let mut link = Link::server_http2(Instant::START);
    let (refused, _) = take(&mut link, &[b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"]);
    assert!(matches!(refused, Err(ProtocolError::Http2(_))));
    let mut link = Link::server_http2(Instant::START);
    assert_eq!(take(&mut link, &[preface]).0, Ok(()));
}

#[test]
fn a_connection_ends_before_the_number_of_an_exchange_comes_again() {
    let mut link = Link::server(Instant::START);
    link.exchange.id = LAST_NUMBER - 2;
    let mut out = Vec::new();
    assert_eq!(serve(&mut link, &mut out), Some(LAST_NUMBER - 1));
    assert_eq!((link.closing(), out.is_empty()), (None, false));
    out.clear();
    assert_eq!(serve(&mut link, &mut out), Some(LAST_NUMBER));
    assert!(out.windows(17).any(|it| it == b"Connection: close"));
    assert!(link.closing().is_some());
    assert_eq!(serve(&mut link, &mut out), None);
}

#[test]
fn a_body_of_no_bytes_ends_with_the_head() {
    for body in [Body::Whole(b""), Body::Shared(&bytes::Bytes::new())] {
        let (mut link, mut out) = (Link::client(Instant::START), Vec::new());
        let host = [crate::http::Field::new("host", "a")];
        let head = RequestHead {
            method: Method::POST,
            target: Target::parse(b"/", Method::POST).unwrap(),
            version: Version::Http11,
            protocol: None,
            fields: Fields::new(&host),
        };
        let sent = link.request(&head, Some(body), Instant::START, &mut out);
        assert_eq!(sent, Ok(1));
        assert!(out.ends_with(b"Content-Length: 0\r\n\r\n"));
    }
}

#[test]
fn a_client_says_which_request_is_its_last() {
    let mut link = Link::client(Instant::START);
    link.exchange.id = LAST_NUMBER - 1;
    let host = [crate::http::Field::new("Host", "a")];
    let head = RequestHead {
        method: Method::GET,
        target: Target::parse(b"/", Method::GET).unwrap(),
        version: Version::Http11,
        protocol: None,
        fields: Fields::new(&host),
    };
    let mut out = Vec::new();
    let sent = link.request(&head, None, Instant::START, &mut out);
    assert_eq!(sent, Ok(LAST_NUMBER));
    assert!(out.windows(17).any(|it| it == b"Connection: close"));
    let again = link.request(&head, None, Instant::START, &mut out);
    assert!(matches!(again, Err(UsageError::Http1(_))), "{again:?}");
}
