//! HTTP/1.1: the law of splits in both roles, and whatever our encoder agrees
//! to send.

use super::http1_driver::{Driver, Handler, Transcript};
use super::input::{Input, pieces};
use barewire::http::{Field, Fields, Method, RequestHead, Target, Version};
use barewire::http1::{BodyLength, Closing, Limits, ProtocolError};
use barewire::wire::{Instant, Role};

const SMALL: Limits = Limits::DEFAULT
    .with_head(512)
    .with_fields(8)
    .with_target(64)
    .with_chunk_extensions(16)
    .with_trailers(128)
    .with_drain(64);

/// The most that may lie unread: a head, a body that comes whole, trailers.
const MOST: usize = 512 + 64 + 128 + 64;

fn driver(flags: u8) -> Driver {
    let limits = if flags & 1 == 0 {
        Limits::DEFAULT
    } else {
        SMALL
    };
    let handler = if flags & 2 == 0 {
        Handler::Echo
    } else {
        Handler::Early
    };
    if flags & 4 == 0 {
        return Driver::with_limits(Role::Server, handler, limits);
    }
    let mut driver = Driver::with_limits(Role::Client, Handler::Echo, limits);
    let method = match flags >> 3 & 3 {
        0 => Method::GET,
        1 => Method::HEAD,
        2 => Method::POST,
        _ => Method::CONNECT,
    };
    let target = match method {
        Method::CONNECT => Target::Authority("a:443"),
        _ => Target::Origin {
            path: "/",
            query: None,
        },
    };
    let list = [Field::new("Host", "a"), Field::new("Upgrade", "x")];
    let head = RequestHead {
        method,
        target,
        version: Version::Http11,
        protocol: None,
        fields: Fields::new(&list[..1 + usize::from(flags & 0x20 != 0)]),
    };
    let sent = driver
        .connection
        .send_request(&head, None, Instant::START, &mut Vec::new());
    sent.expect("a correct request");
    driver
}

fn transcript<'d>(flags: u8, all: impl IntoIterator<Item = &'d [u8]>) -> Transcript {
    let mut driver = driver(flags);
    for piece in all {
        driver.feed(piece);
        let ended = driver.transcript.error.is_some() || driver.transcript.done;
        let waits = ended || driver.connection.is_switched();
        if flags & 1 != 0 && !waits && driver.transcript.closing.is_none() {
            assert!(
                driver.unread.len() <= MOST,
                "{} bytes kept",
                driver.unread.len()
            );
        }
    }
    if flags & 0x40 != 0 {
        driver.eof();
    }
    driver.finish()
}

/// Any cut gives the same transcript.
pub fn receive(data: &[u8]) {
    let mut input = Input::new(data);
    let (flags, manner) = (input.byte(), input.byte());
    let bytes = input.rest();
    let mut cut = transcript(flags, pieces(bytes, manner));
    let whole = transcript(flags, [bytes]);
    let ends = (cut.closing, whole.closing);
    if flags & 2 != 0 && ends == (Some(Closing::Linger), Some(Closing::Now)) {
        // Who answers early and closes has to linger for content that is still
        // to come, and for none that has come with the head.
        cut.closing = whole.closing;
    }
    assert_eq!(cut, whole, "{}", bytes.escape_ascii());
}

/// A request that the client's machine agrees to send arrives as it was sent,
/// or is refused for a limit or for what it means: it never turns into another
/// one, and never into two.
pub fn roundtrip(data: &[u8]) {
    let mut input = Input::new(data);
    let (flags, manner) = (input.byte(), input.byte());
    let (method, path, query) = (input.text(), input.text(), input.text());
    let list: Vec<(String, String)> = (0..flags & 7)
        .map(|_| (input.text(), input.text()))
        .collect();
    let ends: Vec<(String, String)> = (0..flags >> 3 & 1)
        .map(|_| (input.text(), input.text()))
        .collect();
    let known = flags & 0x10 != 0;
    let mut body = Vec::new();
    while !input.is_empty() {
        body.push(input.run());
    }
    let Some(method) = Method::new(method.as_bytes()) else {
        return;
    };
    let mut all = vec![Field::new("Host", "example.org")];
    all.extend(list.iter().map(|(name, value)| Field::new(name, value)));
    let target = Target::Origin {
        path: &path,
        query: (flags & 0x20 != 0).then_some(&query),
    };
    let head = RequestHead {
        method,
        target,
        version: Version::Http11,
        protocol: None,
        fields: Fields::new(&all),
    };
    let total: usize = body.iter().map(|piece| piece.len()).sum();
    let length = if known {
        BodyLength::Known(total as u64)
    } else {
        BodyLength::Unknown
    };
    let mut client = Driver::new(Role::Client, Handler::Echo);
    let mut wire = Vec::new();
    let machine = &mut client.connection;
    if machine
        .send_request(&head, Some(length), Instant::START, &mut wire)
        .is_err()
    {
        assert!(wire.is_empty(), "refused, but written");
        return;
    }
    if length != BodyLength::Known(0) {
        for piece in &body {
            machine
                .send_body(piece, &mut wire)
                .expect("a body was announced");
        }
        let ends: Vec<Field<'_>> = ends.iter().map(|(n, v)| Field::new(n, v)).collect();
        let now = Instant::START;
        if machine
            .send_end(Fields::new(&ends), now, &mut wire)
            .is_err()
        {
            machine
                .send_end(Fields::EMPTY, now, &mut wire)
                .expect("an end without trailers");
        }
    }
    let mut server = Driver::new(Role::Server, Handler::Echo);
    pieces(&wire, manner)
        .into_iter()
        .for_each(|piece| server.feed(piece));
    let seen = server.transcript;
    if let Some(violation) = seen.error {
        let fair = matches!(
            violation,
            ProtocolError::Expectation
                | ProtocolError::HeadTooLarge
                | ProtocolError::TargetTooLong
                | ProtocolError::MethodTooLong
                | ProtocolError::TooManyFields
        );
        assert!(fair, "{violation:?} in {}", wire.escape_ascii());
        return;
    }
    let start = format!("request {method:?} {target:?} Http11 [");
    assert_eq!(seen.events.len(), 2, "{:?}", seen.events);
    assert!(
        seen.events[0].starts_with(&start),
        "{} {start}",
        seen.events[0]
    );
    for field in &all {
        let name = String::from_utf8_lossy(field.name);
        let shown = format!("{name}: {}", field.value.escape_ascii());
        assert!(
            seen.events[0].contains(&shown),
            "{shown} not in {}",
            seen.events[0]
        );
    }
    assert_eq!(seen.bodies, [body.concat()]);
}
