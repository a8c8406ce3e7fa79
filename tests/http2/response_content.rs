//! The content of a response, for every pair of method and status, on both
//! versions and in both roles.
#![cfg(feature = "alloc")]

use crate::http2_support::{self, END_STREAM, HEADERS, Seen, Side};
use barewire::http::{
    CallContext, Content, ContentFraming, Field, Fields, Method, OwnedScratch, RequestHead,
    ResponseContent, ResponseHead, SentLength, Status, Target, Version,
};
use barewire::http1::{self, BodyLength, Connection, Event};
use barewire::http2;
use barewire::wire::{Instant, Role, Step};

const NOW: Instant = Instant::START;
const METHODS: [&str; 5] = ["GET", "HEAD", "POST", "CONNECT", "X"];
const BODY: &[u8] = b"hello";

/// What an application may say of the length of its content.
const LENGTHS: [BodyLength; 3] = [
    BodyLength::Unknown,
    BodyLength::Known(0),
    BodyLength::Known(BODY.len() as u64),
];

fn pairs() -> impl Iterator<Item = (&'static str, Status, BodyLength)> {
    METHODS.into_iter().flat_map(|method| {
        (200..=599).flat_map(move |code| {
            LENGTHS.map(move |length| (method, Status::new(code).unwrap(), length))
        })
    })
}

/// What must be in the head, and whether the content goes out.
fn expected(content: ResponseContent, status: Status, length: BodyLength) -> (Option<u64>, bool) {
    let known = match length {
        BodyLength::Known(known) => Some(known),
        BodyLength::Unknown => None,
    };
    let told = match content.length {
        SentLength::Never => None,
        SentLength::Zero => Some(0),
        // No content is no length of what was not modified.
        SentLength::OfRepresentation if status.code() == 304 => known.filter(|&n| n > 0),
        SentLength::OfContent | SentLength::OfRepresentation => known,
    };
    (told, content.may_follow)
}

/// Whether a machine refuses the response before anything of it is sent.
fn is_refused(content: ResponseContent, length: BodyLength) -> bool {
    let has_content = matches!(length, BodyLength::Known(1..));
    has_content && matches!(content.length, SentLength::Never | SentLength::Zero)
}

fn receive<'b>(
    machine: &mut Connection,
    input: &'b mut [u8],
    scratch: &'b mut OwnedScratch,
    out: &mut Vec<u8>,
) -> (usize, Step<Event<'b>>) {
    let lent = CallContext {
        now: NOW,
        date: None,
        mask_key: [0; 4],
        limits: &http1::Limits::DEFAULT,
        scratch: scratch.lend(),
    };
    let received = machine.receive(input, lent, out).unwrap();
    (received.used, received.step)
}

fn head(method: &'static str, fields: &'static [Field<'static>]) -> RequestHead<'static> {
    let method = Method::new(method.as_bytes()).unwrap();
    let target = match method {
        Method::CONNECT => "a:1",
        _ => "/",
    };
    RequestHead {
        method,
        target: Target::parse(target.as_bytes(), method).unwrap(),
        version: Version::Http11,
        protocol: None,
        fields: Fields::new(fields),
    }
}

#[test]
fn http1_sends_and_receives_what_each_pair_may_carry() {
    const HOST: &[Field<'static>] = &[Field::new("Host", "a:1")];
    for (method, status, length) in pairs() {
        let pair = format!("{method} {status} {length:?}");
        let content = ResponseContent::of(Method::new(method.as_bytes()).unwrap(), status);
        let mut client = Connection::new(Role::Client, NOW);
        let mut server = Connection::new(Role::Server, NOW);
        let (mut asked, mut wire, mut scratch) = (Vec::new(), Vec::new(), OwnedScratch::new(8));
        client
            .send_request(&head(method, HOST), None, NOW, &mut asked)
            .unwrap();
        receive(&mut server, &mut asked, &mut scratch, &mut wire);

        let response = ResponseHead::new(status, Fields::EMPTY);
        let sent = server.send_response(&response, length, None, NOW, &mut wire);
        if content.framing == ContentFraming::Tunnel {
            assert_eq!(sent, Err(http1::UsageError::Status), "{pair}");
            server.send_switching(Fields::EMPTY, &mut wire).unwrap();
        } else if is_refused(content, length) {
            assert_eq!(sent, Err(http1::UsageError::BodyTooLong), "{pair}");
            continue;
        } else {
            assert_eq!(sent, Ok(()), "{pair}");
            if length != BodyLength::Known(0) {
                server.send_body(BODY, &mut wire).unwrap();
            }
            server.send_end(Fields::EMPTY, NOW, &mut wire).unwrap();
            assert!(server.closing().is_some() || server.is_idle(), "{pair}");
        }

        let text = String::from_utf8(wire.clone()).unwrap();
        let (told, carries) = expected(content, status, length);
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("Content-Length: "));
        assert_eq!(line.map(|n| n.parse().unwrap()), told, "{pair}: {text}");
        let body = text.split_once("\r\n\r\n").unwrap().1;
        assert_eq!(
            body.is_empty(),
            !carries || length == BodyLength::Known(0),
            "{pair}"
        );

        // The client reads the same.
        let (mut out, mut at, mut got) = (Vec::new(), 0, Vec::new());
        loop {
            let (used, step) = receive(&mut client, &mut wire[at..], &mut scratch, &mut out);
            at += used;
            match step {
                Step::Event(Event::Response {
                    content: Content::Whole(piece),
                    ..
                })
                | Step::Event(Event::Body(piece)) => got.extend_from_slice(piece),
                Step::Event(_) => {}
                _ => break,
            }
        }
        assert_eq!(at, wire.len(), "{pair}");
        let is_sent = carries && length != BodyLength::Known(0);
        assert_eq!(got, if is_sent { BODY } else { b"" }, "{pair}");
        let tunnel = content.framing == ContentFraming::Tunnel;
        assert_eq!(client.is_switched(), tunnel, "{pair}");
        assert!(
            tunnel || client.closing().is_some() || client.is_idle(),
            "{pair}"
        );
    }
}

#[test]
fn http2_sends_and_receives_what_each_pair_may_carry() {
    let mut server = Side::new(Role::Server, http2::Limits::DEFAULT);
    let mut client = Side::new(Role::Client, http2::Limits::DEFAULT);
    let opening = core::mem::take(&mut client.out);
    server.feed(&opening);
    client.feed(&core::mem::take(&mut server.out));
    for (method, status, length) in pairs() {
        let pair = format!("{method} {status} {length:?}");
        let content = ResponseContent::of(Method::new(method.as_bytes()).unwrap(), status);
        const HOST: &[Field<'static>] = &[Field::new("Host", "a:1")];
        let request = head(method, HOST);
        let id = client
            .machine
            .send_request(&request, None, &mut client.out)
            .unwrap();
        server.feed(&core::mem::take(&mut client.out));
        server.out.clear();

        let response = ResponseHead::new(status, Fields::EMPTY);
        let machine = &mut server.machine;
        let said = Some(match length {
            BodyLength::Known(length) => http2::BodyLength::Known(length),
            BodyLength::Unknown => http2::BodyLength::Unknown,
        });
        let sent = machine.send_response(id, &response, said, None, &mut server.out);
        let tunnel = content.framing == ContentFraming::Tunnel;
        if tunnel && length != BodyLength::Unknown {
            assert_eq!(sent, Err(http2::UsageError::Status), "{pair}");
        } else if is_refused(content, length) {
            assert_eq!(sent, Err(http2::UsageError::BodyTooLong), "{pair}");
        } else {
            assert_eq!(sent, Ok(()), "{pair}");
        }
        if sent.is_err() {
            let code = http2::ErrorCode::CANCEL;
            machine.send_reset(id, code, NOW, &mut server.out).unwrap();
            client.feed(&core::mem::take(&mut server.out));
            continue;
        }
        if length != BodyLength::Known(0) {
            let sent = machine.send_data(id, BODY, false, NOW, &mut server.out);
            assert_eq!(sent, Ok(BODY.len()), "{pair}");
            machine
                .send_end(id, Fields::EMPTY, &mut server.out)
                .unwrap();
        }
        assert!(!machine.is_open(id), "{pair}");

        let frames = server.sent_kept();
        let (told, carries) = expected(content, status, length);
        let carries = carries || tunnel;
        let is_sent = carries && length != BodyLength::Known(0);
        let first = &frames[0];
        assert_eq!(first.kind, HEADERS, "{pair}");
        assert_eq!(first.flags & END_STREAM == 0, is_sent, "{pair}");
        assert_eq!(frames.len() > 1, is_sent, "{pair}: {frames:?}");

        let seen = client.feed(&core::mem::take(&mut server.out));
        let told_by_head = http2_support::fields(&seen, id)
            .iter()
            .find(|(name, _)| name == "content-length")
            .map(|(_, value)| value.parse().unwrap());
        assert_eq!(told_by_head, told, "{pair}");
        assert!(http2_support::ended(&seen, id), "{pair}");
        let got = http2_support::content(&seen, id);
        assert_eq!(got, if is_sent { BODY } else { b"" }, "{pair}");
        assert!(
            !seen.iter().any(|it| matches!(it, Seen::Reset(..))),
            "{pair}"
        );
        assert!(!client.machine.is_open(id), "{pair}");
    }
}

/// What a peer says against the rules is read by them all the same.
#[test]
fn an_http2_client_frames_what_it_receives_by_the_pair() {
    let opened = |method: &str| {
        let mut client = Side::client();
        let id = client.ask(method, "/", None, &[], None);
        (client, id)
    };
    let response = |status: &str, flags: u8| {
        let list = [(":status", status), ("content-length", "5")];
        let block = http2_support::block(&list);
        http2_support::frame(HEADERS, http2_support::END_HEADERS | flags, 1, &block)
    };
    let data = |data: &[u8]| http2_support::frame(http2_support::DATA, END_STREAM, 1, data);

    for (method, status) in [
        ("HEAD", "200"),
        ("GET", "304"),
        ("GET", "204"),
        ("HEAD", "205"),
    ] {
        // The length is that of other content: an empty frame ends it as well.
        for bytes in [
            response(status, END_STREAM),
            [response(status, 0), data(b"")].concat(),
        ] {
            let (mut client, id) = opened(method);
            let seen = client.feed(&bytes);
            assert!(
                http2_support::ended(&seen, id),
                "{method} {status} {seen:?}"
            );
        }
        let (mut client, _) = opened(method);
        let seen = client.feed(&[response(status, 0), data(b"hello")].concat());
        assert!(
            matches!(seen.last(), Some(Seen::Reset(1, 1, false))),
            "{seen:?}"
        );
    }
    // 205 is framed by its fields.
    let (mut client, id) = opened("GET");
    let seen = client.feed(&[response("205", 0), data(b"hello")].concat());
    assert!(http2_support::ended(&seen, id), "{seen:?}");
}

/// A length in a 2xx to CONNECT is ignored (RFC 9110 §9.3.6).
#[test]
fn an_http2_tunnel_has_no_length() {
    let mut client = Side::client();
    const HOST: &[Field<'static>] = &[Field::new("Host", "a:1")];
    let request = head("CONNECT", HOST);
    let length = Some(http2::BodyLength::Unknown);
    let machine = &mut client.machine;
    let id = machine
        .send_request(&request, length, &mut client.out)
        .unwrap();
    let block = http2_support::block(&[(":status", "200"), ("content-length", "1")]);
    let mut bytes = http2_support::frame(HEADERS, http2_support::END_HEADERS, id, &block);
    bytes.extend(http2_support::frame(http2_support::DATA, 0, id, b"hello"));
    let seen = client.feed(&bytes);
    assert_eq!(http2_support::content(&seen, id), b"hello");
    assert!(
        !seen.iter().any(|it| matches!(it, Seen::Reset(..))),
        "{seen:?}"
    );
}
