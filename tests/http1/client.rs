//! What a client connection does with requests and responses.
#![cfg(feature = "alloc")]

use core::time::Duration;

use crate::http1_driver::{Driver, Handler, ask};
use barewire::http::{
    CallContext, Field, Fields, InvalidField, Method, OwnedScratch, RequestHead, Target, Version,
};
use barewire::http1::{BodyLength, Closing, Connection, Limits, ProtocolError, UsageError};
use barewire::websocket::handshake::{Key, Offer};
use barewire::wire::{Instant, Role};

const NOW: Instant = Instant::START;
const HOST: &[Field<'_>] = &[Field::new("Host", "a")];

fn get<'b>(fields: &'b [Field<'b>]) -> RequestHead<'b> {
    RequestHead {
        method: Method::GET,
        target: Target::Origin {
            path: "/",
            query: None,
        },
        version: Version::Http11,
        protocol: None,
        fields: Fields::new(fields),
    }
}

fn client() -> Driver {
    Driver::new(Role::Client, Handler::Echo)
}

fn send(
    driver: &mut Driver,
    head: &RequestHead<'_>,
    length: Option<BodyLength>,
) -> Result<(), UsageError> {
    let out = &mut driver.transcript.out;
    driver
        .connection
        .send_request(head, length, driver.now, out)
}

#[test]
fn a_request_says_what_its_head_says() {
    let fields = [Field::new("Host", "a:1"), Field::new("Accept", "*/*")];
    for (method, target, line) in [
        (
            Method::GET,
            Target::Origin {
                path: "/p",
                query: Some("q=1"),
            },
            "GET /p?q=1",
        ),
        (
            Method::GET,
            Target::Origin {
                path: "/p",
                query: Some(""),
            },
            "GET /p?",
        ),
        (Method::OPTIONS, Target::Asterisk, "OPTIONS *"),
        (Method::CONNECT, Target::Authority("b:443"), "CONNECT b:443"),
        (
            Method::Extension("BREW"),
            Target::Absolute {
                scheme: "http",
                authority: "b",
                path: "/",
                query: None,
            },
            "BREW http://b/",
        ),
    ] {
        let mut driver = client();
        let head = RequestHead {
            method,
            target,
            fields: Fields::new(&fields),
            ..get(&[])
        };
        send(&mut driver, &head, None).unwrap();
        let sent = String::from_utf8(driver.finish().out).unwrap();
        assert_eq!(
            sent,
            format!("{line} HTTP/1.1\r\nHost: a:1\r\nAccept: */*\r\n\r\n")
        );
    }
}

#[test]
fn request_bodies_are_framed_by_what_was_announced() {
    for (length, framing, body) in [
        (BodyLength::Known(5), "Content-Length: 5", "hello"),
        (
            BodyLength::Unknown,
            "Transfer-Encoding: chunked",
            "5\r\nhello\r\n0\r\n\r\n",
        ),
    ] {
        let mut driver = client();
        let head = RequestHead {
            method: Method::POST,
            ..get(HOST)
        };
        send(&mut driver, &head, Some(length)).unwrap();
        driver
            .connection
            .send_body(b"hello", &mut driver.transcript.out)
            .unwrap();
        driver
            .connection
            .send_end(Fields::EMPTY, NOW, &mut driver.transcript.out)
            .unwrap();
        let sent = String::from_utf8(driver.transcript.out.clone()).unwrap();
        assert_eq!(
            sent,
            format!("POST / HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n{body}")
        );
        driver.feed(b"HTTP/1.1 204 No Content\r\n\r\n");
        assert!(driver.connection.is_idle(), "and it serves another one");
    }
    let mut driver = client();
    send(&mut driver, &get(HOST), Some(BodyLength::Known(0))).unwrap();
    assert!(
        driver
            .transcript
            .out
            .ends_with(b"Content-Length: 0\r\n\r\n")
    );
    driver.feed(b"HTTP/1.1 204 No Content\r\n\r\n");
    assert!(driver.connection.is_idle());
}

#[test]
fn a_request_cannot_be_split_or_lack_its_host() {
    let refused = |head: &RequestHead<'_>| {
        let mut driver = client();
        let misuse = send(&mut driver, head, None).unwrap_err();
        assert!(driver.transcript.out.is_empty());
        misuse
    };
    assert_eq!(refused(&get(&[])), UsageError::Host);
    let twice = &[Field::new("Host", "a"), Field::new("host", "a")];
    assert_eq!(refused(&get(twice)), UsageError::Host);
    let split = &[Field::new("Host", "a\r\nX: y")];
    assert_eq!(
        refused(&get(split)),
        UsageError::InvalidField(InvalidField::Value)
    );
    let framing = &[Field::new("Host", "a"), Field::new("Content-Length", "5")];
    assert_eq!(refused(&get(framing)), UsageError::ForbiddenField);
    for (path, query) in [
        ("/a b", None),
        ("a", None),
        ("", None),
        ("/a?b", None),
        ("/a#b", None),
        ("/", Some("a b")),
        ("/", Some("a\r\n")),
        ("/\u{e9}", None),
    ] {
        let head = RequestHead {
            target: Target::Origin { path, query },
            ..get(HOST)
        };
        assert_eq!(refused(&head), UsageError::RequestLine, "{path} {query:?}");
    }
    for method in ["", "G T", "GET\r\n", "G{"] {
        let head = RequestHead {
            method: Method::Extension(method),
            ..get(HOST)
        };
        assert_eq!(refused(&head), UsageError::RequestLine, "{method}");
    }
    let head = RequestHead {
        target: Target::Asterisk,
        ..get(HOST)
    };
    assert_eq!(refused(&head), UsageError::RequestLine);
    let head = RequestHead {
        method: Method::CONNECT,
        ..get(HOST)
    };
    assert_eq!(refused(&head), UsageError::RequestLine);
}

#[test]
fn one_request_is_under_way_at_a_time() {
    let mut driver = client();
    send(&mut driver, &get(HOST), None).unwrap();
    assert_eq!(send(&mut driver, &get(HOST), None), Err(UsageError::State));
    driver.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
    send(&mut driver, &get(HOST), None).unwrap();
}

#[test]
fn interim_responses_are_told_and_the_final_one_follows() {
    let input = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 X\r\n\r\n";
    let transcript = ask(&[input], Method::GET, false);
    let kinds: Vec<&str> = transcript
        .events
        .iter()
        .map(|e| &e[..e.len().min(12)])
        .collect();
    assert_eq!(
        kinds,
        ["interim 103 ", "interim 100 ", "response 204", "end []"]
    );
}

#[test]
fn a_switch_that_was_not_offered_is_refused() {
    let switch =
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nraw";
    assert_eq!(
        ask(&[switch], Method::GET, false).error,
        Some(ProtocolError::StatusLine)
    );
    let transcript = ask(&[switch], Method::GET, true);
    assert_eq!((transcript.done, &transcript.rest[..]), (true, &b"raw"[..]));
    assert!(transcript.out.ends_with(b"Connection: upgrade\r\n\r\n"));
}

#[test]
fn an_offer_of_a_websocket_is_sent_as_the_handshake_gives_it() {
    let offer = Offer::new(Key::new([7; 16]));
    let handshake = offer.fields();
    let mut fields = vec![Field::new("Host", "a")];
    fields.extend_from_slice(handshake.as_slice());
    let mut driver = client();
    send(&mut driver, &get(&fields), None).unwrap();
    let sent = String::from_utf8(driver.finish().out).unwrap();
    assert_eq!(sent.matches("Connection:").count(), 1, "{sent}");
    assert!(sent.contains("\r\nConnection: upgrade\r\n"), "{sent}");
}

#[test]
fn a_tunnel_begins_behind_any_2xx_to_connect() {
    let opened = ask(
        &[b"HTTP/1.1 204 X\r\nContent-Length: 3\r\n\r\nraw"],
        Method::CONNECT,
        false,
    );
    assert_eq!((opened.done, &opened.rest[..]), (true, &b"raw"[..]));
    let refused = ask(
        &[b"HTTP/1.1 407 X\r\nContent-Length: 2\r\n\r\nno"],
        Method::CONNECT,
        false,
    );
    assert_eq!(refused.bodies, [b"no".to_vec()]);
}

#[test]
fn the_response_to_head_has_no_body_whatever_it_says() {
    let input = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
    let transcript = ask(&[input], Method::HEAD, false);
    assert_eq!(
        (transcript.error, transcript.bodies),
        (None, vec![Vec::new()])
    );
}

#[test]
fn a_body_may_last_as_long_as_the_connection() {
    let transcript = ask(&[b"HTTP/1.0 200 OK\r\n\r\nhel", b"lo"], Method::GET, false);
    assert_eq!(transcript.bodies, [b"hello".to_vec()]);
    assert_eq!(
        (transcript.error, transcript.closing),
        (None, Some(Closing::Now))
    );
}

#[test]
fn an_end_before_the_whole_response_is_incomplete() {
    for input in [
        &b""[..],
        b"HTTP/1.1 200",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n",
    ] {
        let transcript = ask(&[input], Method::GET, false);
        assert_eq!(
            transcript.error,
            Some(ProtocolError::Incomplete),
            "{}",
            input.escape_ascii()
        );
    }
}

#[test]
fn what_nobody_asked_for_ends_the_connection_without_an_event() {
    let mut driver = client();
    driver.feed(b"HTTP/1.1 408 Request Timeout\r\n\r\n");
    let transcript = driver.finish();
    assert!(transcript.events.is_empty() && transcript.out.is_empty());
    assert_eq!(
        (transcript.done, transcript.closing),
        (true, Some(Closing::Now))
    );
}

#[test]
fn the_server_decides_whether_the_connection_lives_on() {
    for (head, closing) in [
        ("HTTP/1.1 204 X\r\n\r\n", None),
        (
            "HTTP/1.1 204 X\r\nConnection: x, close\r\n\r\n",
            Some(Closing::Now),
        ),
        ("HTTP/1.0 204 X\r\n\r\n", Some(Closing::Now)),
        ("HTTP/1.0 204 X\r\nConnection: keep-alive\r\n\r\n", None),
    ] {
        let mut driver = client();
        send(&mut driver, &get(HOST), None).unwrap();
        driver.feed(head.as_bytes());
        assert_eq!(driver.connection.closing(), closing, "{head}");
    }
}

#[test]
fn a_response_before_the_end_of_the_request_ends_the_connection() {
    let mut driver = client();
    send(&mut driver, &get(HOST), Some(BodyLength::Unknown)).unwrap();
    driver.feed(b"HTTP/1.1 413 X\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(driver.connection.closing(), Some(Closing::Now));
}

#[test]
fn shutdown_says_close_with_the_last_request() {
    let mut driver = client();
    send(&mut driver, &get(HOST), None).unwrap();
    driver.connection.shutdown();
    driver.feed(b"HTTP/1.1 204 X\r\n\r\n");
    assert_eq!(driver.connection.closing(), Some(Closing::Now));
    assert_eq!(send(&mut driver, &get(HOST), None), Err(UsageError::State));
}

#[test]
fn response_timeout_ends_the_wait_for_a_server_that_never_answers() {
    let mut driver = client();
    send(&mut driver, &get(HOST), None).unwrap();
    let due = NOW + Duration::from_secs(60);
    assert_eq!(driver.connection.deadline(&Limits::DEFAULT), Some(due));
    let mut scratch = OwnedScratch::new(0);
    let lent = CallContext {
        now: due,
        date: None,
        mask_key: [0; 4],
        limits: &Limits::DEFAULT,
        scratch: scratch.lend(),
    };
    let sent = driver.transcript.out.len();
    let elapsed = driver.connection.elapsed(lent, &mut driver.transcript.out);
    assert_eq!(elapsed.unwrap_err(), ProtocolError::ResponseTimeout);
    assert_eq!(driver.transcript.out.len(), sent);
    assert_eq!(driver.connection.closing(), Some(Closing::Now));
}

#[test]
fn a_client_has_no_response_to_send() {
    let mut connection = Connection::new(Role::Client, NOW);
    let mut out = Vec::new();
    assert_eq!(
        connection.accept_body(NOW, &mut out),
        Err(UsageError::State)
    );
    assert_eq!(
        connection.send_switching(Fields::EMPTY, &mut out),
        Err(UsageError::State)
    );
    let mut server = Connection::new(Role::Server, NOW);
    let sent = server.send_request(&get(HOST), None, NOW, &mut out);
    assert_eq!((sent, out.len()), (Err(UsageError::State), 0));
}

#[test]
fn folded_fields_are_unfolded_however_they_are_cut() {
    let input = b"HTTP/1.1 200 OK\r\nX: a\r\n\tb\r\n  c\r\nContent-Length:\r\n 2\r\n\r\nhi";
    let whole = ask(&[input], Method::GET, false);
    assert_eq!(
        (whole.error, &whole.bodies[..]),
        (None, &[b"hi".to_vec()][..])
    );
    assert!(whole.events[0].contains("[X: a   b    c, Content-Length: 2]"));
    for at in 0..input.len() {
        let (a, b) = input.split_at(at);
        assert_eq!(ask(&[a, b], Method::GET, false), whole, "{at}");
    }
    let bytes: Vec<&[u8]> = input.chunks(1).collect();
    assert_eq!(ask(&bytes, Method::GET, false), whole);
}

#[test]
fn folds_without_end_and_before_any_field_are_refused() {
    for n in [64, 65] {
        let input = format!("HTTP/1.1 204 X\r\nX:{}\r\n\r\n", "\r\n y".repeat(n));
        let whole = ask(&[input.as_bytes()], Method::GET, false);
        assert_eq!(
            whole.error,
            (n > 64).then_some(ProtocolError::Folding),
            "{n}"
        );
        let bytes: Vec<&[u8]> = input.as_bytes().chunks(1).collect();
        assert_eq!(ask(&bytes, Method::GET, false), whole, "{n}");
    }
    let first = ask(&[b"HTTP/1.1 204 X\r\n X: y\r\n\r\n"], Method::GET, false);
    assert_eq!(first.error, Some(ProtocolError::Folding));
}
