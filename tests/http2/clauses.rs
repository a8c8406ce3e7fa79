//! RFC 9113 clause by clause: what is wrong, and what becomes of it.
#![cfg(feature = "alloc")]

use crate::http2_support::*;
use barewire::hpack;
use barewire::http::{
    CallContext, Content, Field, Fields, Method, OwnedScratch, RequestHead, ResponseHead, Status,
    Target, Version,
};
use barewire::http2::{
    BodyLength, Connection, ErrorCode, Event, Limits, PREFACE, ProtocolError, UsageError,
};
use barewire::wire::{Instant, Role, Slice, Step};

const NOW: Instant = Instant::START;

/// Bytes after the opening that end the connection.
#[track_caller]
fn connection_error(bytes: &[u8], violation: ProtocolError) {
    let mut side = Side::server();
    let events = side.feed(bytes);
    assert_eq!(events.last(), Some(&Seen::Failed(violation)));
    assert_eq!(
        side.goaway(),
        (violation.code().code(), violation.reason().into())
    );
    let again = side.feed(&get(99));
    assert_eq!(again, [Seen::Failed(violation)], "it stays so");
    assert_eq!(side.sent(), []);
}

/// Bytes after the opening that end stream 1 and nothing else.
#[track_caller]
fn stream_error(bytes: &[u8], code: u32) {
    let mut side = Side::server();
    let known = side.feed(bytes);
    let reset = side.sent().into_iter().find(|sent| sent.kind == RST_STREAM);
    let reset = reset.unwrap_or_else(|| panic!("no reset: {known:?}"));
    assert_eq!((reset.stream, reset.number()), (1, code));
    if known
        .iter()
        .any(|event| matches!(event, Seen::Request { stream: 1, .. }))
    {
        assert!(known.contains(&Seen::Reset(1, code, false)), "{known:?}");
    }
    let next = side.feed(&get(101));
    assert!(
        matches!(next[..], [Seen::Request { stream: 101, .. }]),
        "{next:?}"
    );
}

fn head(fields: &[(&str, &str)]) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(fields))
}

/// A GET with one more field.
fn get_with(name: &str, value: &str) -> Vec<u8> {
    head(&[&GET[..], &[(name, value)]].concat())
}

const RESPONSE: ResponseHead<'static> = ResponseHead::new(Status::OK, Fields::EMPTY);

fn request_to<'a>(method: Method<'a>, path: &'a str, fields: Fields<'a>) -> RequestHead<'a> {
    RequestHead {
        method,
        target: Target::Origin { path, query: None },
        version: Version::Http11,
        protocol: None,
        fields,
    }
}

const HOST: [Field<'static>; 1] = [Field::new("Host", "a")];

#[test]
fn s3_4_the_preface_is_exact_and_settings_follow() {
    let mut side = Side::new(Role::Server, Limits::DEFAULT);
    assert_eq!(
        side.feed(b"GET / HTTP/1.1\r\n"),
        [Seen::Failed(ProtocolError::Preface)]
    );
    let mut side = Side::new(Role::Server, Limits::DEFAULT);
    let events = side.feed(&[PREFACE, &get(1)[..]].concat());
    assert_eq!(events, [Seen::Failed(ProtocolError::FirstFrame)]);
    let mut side = Side::new(Role::Server, Limits::DEFAULT);
    let events = side.feed(&[PREFACE, &frame(SETTINGS, ACK, 0, b"")[..]].concat());
    assert_eq!(events, [Seen::Failed(ProtocolError::FirstFrame)]);
}

#[test]
fn s3_4_a_client_sends_preface_and_settings_first() {
    let side = Side::new(Role::Client, Limits::DEFAULT);
    assert!(side.out.starts_with(PREFACE));
    assert_eq!(frames(&side.out)[0].kind, SETTINGS);
    let side = Side::new(Role::Server, Limits::DEFAULT);
    let sent = frames(&side.out);
    assert_eq!((sent[0].kind, sent[1].kind), (SETTINGS, WINDOW_UPDATE));
}

#[test]
fn s4_1_unknown_frames_flags_and_the_reserved_bit_are_ignored() {
    let mut side = Side::server();
    let mut bytes = frame(0x16, 0, 0, b"12345678");
    bytes.extend(frame(PING, 0x16, 0, b"12345678"));
    let mut ping = frame(PING, 0, 0, b"12345678");
    ping[5] = 0x80;
    bytes.extend(ping);
    assert_eq!(side.feed(&bytes).len(), 2);
    assert_eq!(side.sent().len(), 2);
}

#[test]
fn s4_2_sizes() {
    let mut side = Side::server();
    side.feed(&post(1));
    assert_eq!(side.feed(&frame(DATA, 0, 1, &[0; 16_384])).len(), 1);
    connection_error(
        &frame(DATA, 0, 1, &[0; 16_385]),
        ProtocolError::FrameTooLarge,
    );
    connection_error(
        &frame(HEADERS, 0, 1, &[0; 16_385]),
        ProtocolError::FrameTooLarge,
    );
}

#[test]
fn s4_3_header_blocks() {
    let bad = hpack::ProtocolError::Truncated;
    connection_error(
        &frame(HEADERS, END_HEADERS, 1, b"\x40"),
        ProtocolError::Compression(bad),
    );
    let begun = frame(HEADERS, 0, 1, &block(&GET));
    let interrupted = |next: Vec<u8>| [begun.clone(), next].concat();
    for next in [
        frame(PRIORITY, 0, 1, &[0, 0, 0, 3, 1]),
        frame(PING, 0, 0, b"12345678"),
        get(3),
        frame(0x16, 0, 0, b""),
        frame(CONTINUATION, END_HEADERS, 3, b""),
        frame(DATA, 0, 1, b"x"),
    ] {
        connection_error(&interrupted(next), ProtocolError::BlockInterrupted);
    }
}

#[test]
fn s5_1_idle_streams() {
    for bytes in [
        frame(DATA, END_STREAM, 1, b"test"),
        number(RST_STREAM, 1, 8),
        number(WINDOW_UPDATE, 1, 100),
    ] {
        connection_error(&bytes, ProtocolError::IdleStream);
    }
    let bytes = frame(CONTINUATION, END_HEADERS, 1, &block(&GET));
    connection_error(&bytes, ProtocolError::UnexpectedContinuation);
}

#[test]
fn s5_1_half_closed_remote_streams() {
    stream_error(&[get(1), frame(DATA, END_STREAM, 1, b"x")].concat(), 5);
    stream_error(&[get(1), get(1)].concat(), 5);
    let mut side = Side::server();
    let fine = [
        get(1),
        number(WINDOW_UPDATE, 1, 1),
        number(RST_STREAM, 1, 8),
    ]
    .concat();
    assert_eq!(side.feed(&fine).len(), 2);
}

#[test]
fn s5_1_streams_that_the_peer_has_reset_are_closed() {
    let reset = [post(1), number(RST_STREAM, 1, 8)].concat();
    for next in [frame(DATA, 0, 1, b"x"), get(1)] {
        connection_error(&[&reset[..], &next].concat(), ProtocolError::ClosedStream);
    }
}

#[test]
fn s5_1_streams_that_came_to_their_end_are_closed() {
    for next in [frame(DATA, 0, 1, b"x"), get(1)] {
        let mut side = Side::server();
        side.feed(&get(1));
        let out = &mut side.out;
        side.machine
            .send_response(1, &RESPONSE, None, None, out)
            .unwrap();
        assert_eq!(side.machine.streams(), 0);
        assert_eq!(side.feed(&number(WINDOW_UPDATE, 1, 5)), []);
        assert_eq!(side.feed(&number(RST_STREAM, 1, 8)), []);
        assert_eq!(
            side.feed(&next),
            [Seen::Failed(ProtocolError::ClosedStream)]
        );
    }
}

#[test]
fn s5_1_frames_on_streams_that_we_have_reset_are_ignored() {
    let mut side = Side::server();
    side.feed(&post(1));
    let cancel = barewire::http2::ErrorCode::CANCEL;
    side.machine
        .send_reset(1, cancel, NOW, &mut side.out)
        .unwrap();
    let trailers = frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(&[("a", "b")]));
    for bytes in [
        frame(DATA, 0, 1, &[0; 9000]),
        trailers,
        number(WINDOW_UPDATE, 1, 5),
    ] {
        assert_eq!(side.feed(&bytes), []);
    }
    // What they took of the connection's window is given back.
    side.out.clear();
    side.feed(&post(3));
    for n in 0..100 {
        assert_eq!(side.feed(&frame(DATA, 0, 3, &[0; 9000])).len(), 1, "{n}");
    }
    let misuse = side.machine.send_reset(1, cancel, NOW, &mut side.out);
    assert_eq!(misuse, Err(UsageError::NoStream));
}

#[test]
fn s5_1_1_stream_numbers_are_odd_and_grow() {
    connection_error(&get(2), ProtocolError::StreamOrder);
    connection_error(&[get(5), get(3)].concat(), ProtocolError::StreamOrder);
    connection_error(
        &frame(HEADERS, END_HEADERS, 0, &block(&GET)),
        ProtocolError::StreamId,
    );
}

#[test]
fn s5_3_priority_is_ignored() {
    let mut side = Side::server();
    let mut bytes = frame(PRIORITY, 0, 7, &[0x80, 0, 0, 1, 255]);
    bytes.extend(frame(PRIORITY, 0, 1, &[0, 0, 0, 9, 0]));
    bytes.extend(get(1));
    assert_eq!(side.feed(&bytes).len(), 1);
    let depends = [&[0, 0, 0, 1, 9], &block(&GET)[..]].concat();
    stream_error(
        &frame(
            HEADERS,
            END_HEADERS | WITH_PRIORITY | END_STREAM,
            1,
            &depends,
        ),
        1,
    );
    connection_error(&frame(PRIORITY, 0, 0, &[0; 5]), ProtocolError::StreamId);
}

#[test]
fn s5_4_1_goaway_names_the_last_stream() {
    let mut side = Side::server();
    side.feed(&[get(1), get(7), frame(DATA, 0, 0, b"x")].concat());
    let sent = side.sent();
    let last = sent.last().unwrap();
    assert_eq!((last.kind, last.number()), (GOAWAY, 7));
}

#[test]
fn s6_1_data() {
    connection_error(&frame(DATA, 0, 0, b"x"), ProtocolError::StreamId);
    let padded = [post(1), frame(DATA, PADDED, 1, b"\x05test")].concat();
    connection_error(&padded, ProtocolError::Padding);
    let mut side = Side::server();
    let padded = [
        post(1),
        frame(DATA, PADDED | END_STREAM, 1, b"\x04test\0\0\0\0"),
    ]
    .concat();
    let events = side.feed(&padded);
    assert_eq!(
        events[1..],
        [Seen::Data(1, b"test".into()), Seen::End(1, vec![])]
    );
    let only_padding = frame(DATA, PADDED | END_STREAM, 3, b"\x04\0\0\0\0");
    assert_eq!(side.feed(&[post(3), only_padding].concat()).len(), 2);
}

#[test]
fn s6_2_headers() {
    let padded = [&[200][..], &block(&GET)].concat();
    connection_error(
        &frame(HEADERS, PADDED | END_HEADERS, 1, &padded),
        ProtocolError::Padding,
    );
}

#[test]
fn s6_3_to_6_8_lengths_and_streams() {
    for (bytes, violation) in [
        (frame(PRIORITY, 0, 1, &[0; 4]), ProtocolError::FrameSize),
        (frame(RST_STREAM, 0, 0, &[0; 4]), ProtocolError::StreamId),
        (
            [post(1), frame(RST_STREAM, 0, 1, &[0; 3])].concat(),
            ProtocolError::FrameSize,
        ),
        (frame(SETTINGS, 0, 1, b""), ProtocolError::StreamId),
        (frame(SETTINGS, ACK, 0, b"x"), ProtocolError::FrameSize),
        (frame(SETTINGS, 0, 0, b"abc"), ProtocolError::FrameSize),
        (
            frame(SETTINGS, 0, 0, b"\0\x02\0\0\0\x02"),
            ProtocolError::Setting,
        ),
        (
            frame(SETTINGS, 0, 0, b"\0\x04\x80\0\0\0"),
            ProtocolError::SettingWindow,
        ),
        (
            frame(SETTINGS, 0, 0, b"\0\x05\0\0\x3f\xff"),
            ProtocolError::Setting,
        ),
        (
            frame(SETTINGS, 0, 0, b"\0\x05\x01\0\0\0"),
            ProtocolError::Setting,
        ),
        (
            frame(PUSH_PROMISE, END_HEADERS, 1, &[0, 0, 0, 2]),
            ProtocolError::Push,
        ),
        (frame(PING, 0, 1, &[0; 8]), ProtocolError::StreamId),
        (frame(PING, 0, 0, &[0; 6]), ProtocolError::FrameSize),
        (frame(GOAWAY, 0, 1, &[0; 8]), ProtocolError::StreamId),
        (number(WINDOW_UPDATE, 0, 0), ProtocolError::WindowIncrement),
        (
            frame(WINDOW_UPDATE, 0, 0, &[0; 3]),
            ProtocolError::FrameSize,
        ),
        (
            number(WINDOW_UPDATE, 0, 0x7fff_ffff),
            ProtocolError::WindowOverflow,
        ),
        (frame(CONTINUATION, 0, 0, b""), ProtocolError::StreamId),
    ] {
        connection_error(&bytes, violation);
    }
    let ended = [get(1), frame(CONTINUATION, END_HEADERS, 1, b"")].concat();
    connection_error(&ended, ProtocolError::UnexpectedContinuation);
}

#[test]
fn s6_5_3_settings_are_acknowledged_at_once_and_the_last_value_counts() {
    let mut side = Side::server();
    let twice = frame(SETTINGS, 0, 0, b"\0\x04\0\0\0\x64\0\x04\0\0\0\x01");
    assert_eq!(side.feed(&twice), [Seen::Settings]);
    let sent = side.sent();
    assert_eq!(
        (sent[0].kind, sent[0].flags, sent.len()),
        (SETTINGS, ACK, 1)
    );
    side.feed(&get(1));
    assert_eq!(side.machine.capacity(1), 1);
}

#[test]
fn s6_7_pings_are_answered() {
    let mut side = Side::server();
    assert_eq!(
        side.feed(&frame(PING, 0, 0, b"h2spec!!")),
        [Seen::Ping(*b"h2spec!!")]
    );
    let sent = side.sent();
    assert_eq!(
        (sent[0].flags, &sent[0].payload[..]),
        (ACK, &b"h2spec!!"[..])
    );
    assert_eq!(
        side.feed(&frame(PING, ACK, 0, b"invalid!")),
        [Seen::Pong(*b"invalid!")]
    );
    assert_eq!(side.sent(), []);
}

#[test]
fn s6_8_a_server_goes_away_in_two_steps() {
    let mut side = Side::server();
    side.feed(&post(1));
    side.machine.shutdown(NOW, &mut side.out).unwrap();
    let sent = side.sent();
    assert_eq!((sent[0].kind, sent[0].number()), (GOAWAY, 0x7fff_ffff));
    assert_eq!(sent[1].kind, PING);
    let events = side.feed(&get(3));
    assert_eq!(events.len(), 1, "what was on its way is served");
    assert_eq!(side.feed(&frame(PING, ACK, 0, &sent[1].payload)), []);
    let last = side.sent();
    assert_eq!((last[0].kind, last[0].number()), (GOAWAY, 3));
    assert_eq!(side.feed(&[post(5), frame(DATA, 0, 5, b"x")].concat()), []);
    assert_eq!(side.sent(), [], "later ones are not");
    for stream in [1, 3] {
        let out = &mut side.out;
        side.machine
            .send_response(stream, &RESPONSE, None, None, out)
            .unwrap();
        assert!(!side.machine.is_done());
    }
    let events = side.feed(&frame(DATA, END_STREAM, 1, b"x"));
    assert_eq!(events.last(), Some(&Seen::Done));
    assert!(side.machine.is_done() && side.machine.deadline().is_none());
}

#[test]
fn s6_8_a_client_that_leaves_is_told_what_was_served() {
    let mut side = Side::server();
    side.feed(&get(1));
    let events = side.feed(&frame(GOAWAY, 0, 0, &[0; 8]));
    assert_eq!(events, [Seen::GoAway(0, 0, vec![])]);
    let sent = side.sent();
    assert_eq!((sent[0].kind, sent[0].number()), (GOAWAY, 1));
    side.feed(&frame(GOAWAY, 0, 0, &[0; 8]));
    assert_eq!(side.sent(), [], "once");
    assert!(!side.machine.is_done(), "a response is owed");
    let out = &mut side.out;
    side.machine
        .send_response(1, &RESPONSE, None, None, out)
        .unwrap();
    assert!(side.machine.is_done());
}

#[test]
fn s6_8_the_second_step_does_not_wait_for_ever() {
    let mut side = Side::server();
    side.machine.shutdown(NOW, &mut side.out).unwrap();
    side.sent();
    while !side.machine.is_done() {
        side.now = side.machine.deadline().unwrap();
        assert_eq!(side.elapsed(), Ok(None));
    }
    assert_eq!((side.now.as_secs(), side.goaway().0), (1, 0));
}

#[test]
fn s6_9_windows_of_streams() {
    stream_error(&[post(1), number(WINDOW_UPDATE, 1, 0)].concat(), 1);
    stream_error(
        &[post(1), number(WINDOW_UPDATE, 1, 0x7fff_ffff)].concat(),
        3,
    );
    let mut side = Side::server();
    side.consumes = false;
    side.feed(&post(1));
    let data = frame(DATA, 0, 1, &[0; 16_384]);
    assert_eq!(side.feed(&data.repeat(4)).len(), 1, "joined");
    assert_eq!(
        side.feed(&frame(DATA, 0, 1, b"x")),
        [Seen::Reset(1, 3, false)]
    );
    assert_eq!(side.sent().pop().unwrap().kind, RST_STREAM);
}

#[test]
fn s6_9_the_window_of_the_connection() {
    let mut side = Side::server();
    side.consumes = false;
    for n in 0..4 {
        side.feed(&post(n * 2 + 1));
        let data = frame(DATA, 0, n * 2 + 1, &[0; 16_384]);
        assert_eq!(side.feed(&data.repeat(4)).len(), 1, "joined");
    }
    side.feed(&post(99));
    let events = side.feed(&frame(DATA, 0, 99, b"x"));
    assert_eq!(events, [Seen::Failed(ProtocolError::FlowControl)]);
}

#[test]
fn s6_9_1_content_waits_for_the_window() {
    let mut side = Side::server();
    side.feed(&frame(SETTINGS, 0, 0, b"\0\x04\0\0\0\x03"));
    side.feed(&get(1));
    let length = Some(BodyLength::Known(5));
    side.machine
        .send_response(1, &RESPONSE, length, None, &mut side.out)
        .unwrap();
    side.out.clear();
    let sent = side
        .machine
        .send_data(1, b"12345", true, NOW, &mut side.out);
    assert_eq!((sent, side.machine.ready()), (Ok(3), None));
    // It goes below zero and must come up again (§6.9.2).
    side.feed(&frame(SETTINGS, 0, 0, b"\0\x04\0\0\0\x02"));
    assert_eq!((side.machine.capacity(1), side.machine.ready()), (0, None));
    side.feed(&number(WINDOW_UPDATE, 1, 1));
    assert_eq!(side.machine.ready(), None);
    side.feed(&number(WINDOW_UPDATE, 1, 1));
    assert_eq!(
        (side.machine.ready(), side.machine.ready()),
        (Some(1), None)
    );
    let sent = side.machine.send_data(1, b"45", true, NOW, &mut side.out);
    assert_eq!((sent, side.machine.ready()), (Ok(1), None));
    side.feed(&frame(SETTINGS, 0, 0, b"\0\x04\0\0\0\x03"));
    assert_eq!(side.machine.ready(), Some(1));
    let sent = side.machine.send_data(1, b"5", true, NOW, &mut side.out);
    assert_eq!((sent, side.machine.streams()), (Ok(1), 0));
    let data: Vec<_> = side
        .sent()
        .into_iter()
        .filter(|sent| sent.kind == DATA)
        .collect();
    let flags: Vec<_> = data.iter().map(|sent| sent.flags).collect();
    assert_eq!(flags, [0, 0, END_STREAM]);
    assert_eq!(data.iter().flat_map(|sent| &sent.payload).count(), 5);
}

#[test]
fn s6_9_2_an_initial_window_that_overflows_another_is_refused() {
    let grown = [get(1), number(WINDOW_UPDATE, 1, 0x7fff_0000)].concat();
    let more = frame(SETTINGS, 0, 0, b"\0\x04\0\x02\0\0");
    connection_error(&[grown, more].concat(), ProtocolError::SettingWindow);
}

#[test]
fn s8_1_messages() {
    // Trailers without END_STREAM.
    let trailers = frame(HEADERS, END_HEADERS, 1, &block(&[("a", "b")]));
    stream_error(&[post(1), trailers].concat(), 1);
    // Pseudo-header fields in trailers.
    let trailers = frame(
        HEADERS,
        END_HEADERS | END_STREAM,
        1,
        &block(&[(":method", "GET")]),
    );
    stream_error(&[post(1), trailers].concat(), 1);
}

#[test]
fn s8_1_1_content_length_must_be_true() {
    let length = |n: &str, flags| with(1, flags, &[("content-length", n)]);
    stream_error(&length("1", END_STREAM), 1);
    stream_error(
        &[length("1", 0), frame(DATA, END_STREAM, 1, b"test")].concat(),
        1,
    );
    stream_error(
        &[length("9", 0), frame(DATA, END_STREAM, 1, b"test")].concat(),
        1,
    );
    let two = [frame(DATA, 0, 1, b"te"), frame(DATA, END_STREAM, 1, b"st")].concat();
    stream_error(&[&length("3", 0)[..], &two].concat(), 1);
    let trailers = frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(&[("a", "b")]));
    stream_error(&[length("1", 0), trailers].concat(), 1);
    for bad in ["x", "-1", "1, 1", ""] {
        stream_error(&length(bad, 0), 1);
    }
    let mut side = Side::server();
    let seen = side.feed(&[length("4", 0), two].concat());
    let content = [Seen::Data(1, b"test".to_vec()), Seen::End(1, Vec::new())];
    assert!(seen.ends_with(&content), "{seen:?}");
}

#[test]
fn s8_2_fields() {
    for (name, value) in [
        ("X-Upper", "a"),
        ("", "a"),
        ("a b", "c"),
        ("a:b", "c"),
        ("é", "c"),
        ("x", "a\r\nb"),
        ("x", "a\0b"),
        ("x", " a"),
        ("x", "a\t"),
        ("connection", "close"),
        ("keep-alive", "1"),
        ("proxy-connection", "x"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "h2c"),
        ("te", "trailers, deflate"),
        ("host", "other"),
        (":unknown", "x"),
        (":path", "/again"),
        (":status", "200"),
        (":protocol", "websocket"),
    ] {
        stream_error(&get_with(name, value), 1);
    }
    for (name, value) in [
        ("te", "trailers"),
        ("host", "A"),
        ("x", ""),
        ("x", "ä \t b"),
    ] {
        assert_eq!(
            Side::server().feed(&get_with(name, value)).len(),
            1,
            "{name}"
        );
    }
}

#[test]
fn s8_2_3_cookies_are_joined() {
    let mut side = Side::server();
    let cookies = [
        ("cookie", "a=1"),
        ("x", "y"),
        ("cookie", "b=2"),
        ("cookie", "c=3"),
    ];
    let events = side.feed(&with(1, END_STREAM, &cookies));
    let Seen::Request { fields, .. } = &events[0] else {
        panic!("{events:?}");
    };
    let expected = [("cookie", "a=1; b=2; c=3"), ("x", "y")];
    assert_eq!(
        fields[..],
        expected.map(|(n, v)| (n.to_string(), v.to_string()))
    );
}

#[test]
fn s8_3_1_request_pseudo_header_fields() {
    let without = |name: &str| -> Vec<_> {
        GET.iter()
            .copied()
            .filter(|(field, _)| *field != name)
            .collect()
    };
    for name in [":method", ":scheme", ":path", ":authority"] {
        stream_error(&head(&without(name)), 1);
    }
    let changed = |name: &str, value: &'static str| -> Vec<_> {
        let change =
            |(n, v): &(&'static str, &'static str)| (*n, if *n == name { value } else { *v });
        GET.iter().map(change).collect()
    };
    for (name, value) in [
        (":path", ""),
        (":path", "*"),
        (":path", "a"),
        (":path", "http://a/"),
        (":path", "/a b"),
        (":path", "/a#b"),
        (":method", "G ET"),
        (":method", ""),
        (":scheme", ""),
        (":scheme", "1x"),
        (":authority", "user@a"),
        (":authority", ""),
    ] {
        stream_error(&head(&changed(name, value)), 1);
    }
    let late: Vec<_> = [("x", "y")].into_iter().chain(GET).collect();
    stream_error(&head(&late), 1);
    let twice: Vec<_> = GET.into_iter().chain([(":method", "GET")]).collect();
    stream_error(&head(&twice), 1);
    for (list, line) in [
        (changed(":path", "/a?b=c"), "GET a /a?b=c -"),
        (
            vec![
                (":method", "OPTIONS"),
                (":scheme", "http"),
                (":authority", "a"),
                (":path", "*"),
            ],
            "OPTIONS - * -",
        ),
        (
            vec![(":method", "CONNECT"), (":authority", "a:1")],
            "CONNECT a:1  -",
        ),
    ] {
        let events = Side::server().feed(&head(&list));
        let [Seen::Request { head, .. }] = &events[..] else {
            panic!("{events:?}");
        };
        assert_eq!(head, line);
    }
    let no_authority = [&without(":authority")[..], &[("host", "b")]].concat();
    assert_eq!(Side::server().feed(&head(&no_authority)).len(), 1);
    stream_error(&head(&[(":method", "CONNECT"), (":authority", "a")]), 1);
}

#[test]
fn rfc8441_extended_connect() {
    let mut server = Side::server();
    let list = [
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "http"),
        (":authority", "a"),
        (":path", "/chat"),
    ];
    let events = server.feed(&frame(HEADERS, END_HEADERS, 1, &block(&list)));
    let [Seen::Request { head, .. }] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(head, "CONNECT a /chat websocket");
    let mut client = Side::client();
    let mut request = request_to(Method::CONNECT, "/chat", Fields::new(&HOST));
    request.protocol = Some("websocket");
    let unknown = Some(BodyLength::Unknown);
    let sent = client
        .machine
        .send_request(&request, unknown, &mut client.out);
    assert_eq!(sent, Err(UsageError::NoExtendedConnect));
    client.feed(&frame(SETTINGS, 0, 0, b"\0\x08\0\0\0\x01"));
    let sent = client
        .machine
        .send_request(&request, unknown, &mut client.out);
    assert_eq!(sent, Ok(1));
}

#[test]
fn s8_1_a_client_takes_interim_and_final_responses() {
    let mut side = Side::client();
    let request = request_to(Method::GET, "/", Fields::new(&HOST));
    for _ in 0..4 {
        side.machine
            .send_request(&request, None, &mut side.out)
            .unwrap();
    }
    let response = |stream, flags, fields: &[(&str, &str)]| {
        frame(HEADERS, END_HEADERS | flags, stream, &block(fields))
    };
    let mut bytes = response(1, 0, &[(":status", "103")]);
    bytes.extend(response(
        1,
        0,
        &[(":status", "200"), ("content-length", "2")],
    ));
    bytes.extend(frame(DATA, END_STREAM, 1, b"ok"));
    assert_eq!(side.feed(&bytes).len(), 4);
    for (stream, bytes) in [
        (3, response(3, END_STREAM, &[(":status", "100")])),
        (5, frame(DATA, 0, 5, b"x")),
        (7, response(7, 0, &[(":status", "20")])),
    ] {
        assert_eq!(side.feed(&bytes), [Seen::Reset(stream, 1, false)]);
    }
    assert_eq!(
        side.feed(&response(9, 0, &[(":status", "200")])),
        [Seen::Failed(ProtocolError::IdleStream)]
    );
}

#[test]
fn s8_4_a_client_refuses_pushes() {
    let mut side = Side::client();
    let push = frame(PUSH_PROMISE, END_HEADERS, 1, &[0, 0, 0, 2]);
    assert_eq!(side.feed(&push), [Seen::Failed(ProtocolError::Push)]);
}

#[test]
fn s8_1_the_answer_to_head_has_no_content() {
    let mut server = Side::server();
    let list = [&[(":method", "HEAD")][..], &GET[1..]].concat();
    server.feed(&head(&list));
    let length = Some(BodyLength::Known(5));
    server
        .machine
        .send_response(1, &RESPONSE, length, None, &mut server.out)
        .unwrap();
    let sent = server
        .machine
        .send_data(1, b"hello", true, NOW, &mut server.out);
    assert_eq!((sent, server.machine.streams()), (Ok(5), 0));
    let sent = server.sent();
    assert_eq!((sent.len(), sent[0].flags), (1, END_HEADERS | END_STREAM));
    let mut client = Side::client();
    let request = request_to(Method::HEAD, "/", Fields::new(&HOST));
    client
        .machine
        .send_request(&request, None, &mut client.out)
        .unwrap();
    let events = client.feed(&frame(HEADERS, sent[0].flags, 1, &sent[0].payload));
    assert!(
        matches!(events[..], [Seen::Response { end: true, .. }]),
        "{events:?}"
    );
}

#[test]
fn misuse_changes_nothing() {
    let mut side = Side::server();
    side.feed(&[post(1), get(3)].concat());
    let machine = &mut side.machine;
    let fields = [Field::new("x", "a\r\nb")];
    let evil = ResponseHead::new(Status::OK, Fields::new(&fields));
    let mut out = Vec::new();
    let misuse = machine
        .send_response(1, &evil, None, None, &mut out)
        .unwrap_err();
    assert!(matches!(misuse, UsageError::InvalidField(_)));
    for name in [
        "Connection",
        "content-length",
        "Transfer-Encoding",
        "Upgrade",
        "Keep-Alive",
    ] {
        let fields = [Field::new(name, "x")];
        let head = ResponseHead::new(Status::OK, Fields::new(&fields));
        let misuse = machine.send_response(1, &head, None, None, &mut out);
        assert_eq!(misuse, Err(UsageError::ForbiddenField), "{name}");
    }
    let early = ResponseHead::new(Status::EARLY_HINTS, Fields::EMPTY);
    assert_eq!(
        machine.send_response(1, &early, None, None, &mut out),
        Err(UsageError::Status)
    );
    assert_eq!(
        machine.send_informational(1, &RESPONSE, &mut out),
        Err(UsageError::Status)
    );
    assert_eq!(
        machine.send_data(1, b"x", false, NOW, &mut out),
        Err(UsageError::State)
    );
    assert_eq!(
        machine.send_end(1, Fields::EMPTY, &mut out),
        Err(UsageError::State)
    );
    assert_eq!(
        machine.send_response(5, &RESPONSE, None, None, &mut out),
        Err(UsageError::NoStream)
    );
    let mut memory = [0; 30];
    let mut small = Slice::new(&mut memory);
    let none = machine.send_response(1, &RESPONSE, None, None, &mut small);
    assert_eq!((none, small.written().len()), (Err(UsageError::NoRoom), 0));
    assert_eq!(out, b"");
    let length = Some(BodyLength::Known(3));
    machine
        .send_response(1, &RESPONSE, length, None, &mut out)
        .unwrap();
    let again = machine.send_response(1, &RESPONSE, length, None, &mut out);
    assert_eq!(again, Err(UsageError::State));
    out.clear();
    assert_eq!(
        machine.send_data(1, b"long", true, NOW, &mut out),
        Err(UsageError::BodyTooLong)
    );
    assert_eq!(
        machine.send_data(1, b"x", true, NOW, &mut out),
        Err(UsageError::BodyTooShort)
    );
    assert_eq!(
        machine.send_end(1, Fields::EMPTY, &mut out),
        Err(UsageError::BodyTooShort)
    );
    assert_eq!(out, b"");
    assert_eq!(machine.send_data(1, b"all", true, NOW, &mut out), Ok(3));
    let request = request_to(Method::GET, "/", Fields::new(&HOST));
    assert_eq!(
        machine.send_request(&request, None, &mut out),
        Err(UsageError::State)
    );
}

#[test]
fn a_client_honours_the_limit_of_streams_and_goaway() {
    let mut side = Side::client();
    let request = request_to(Method::GET, "/", Fields::new(&HOST));
    side.feed(&frame(SETTINGS, 0, 0, b"\0\x03\0\0\0\x02"));
    for stream in [1, 3] {
        assert_eq!(
            side.machine.send_request(&request, None, &mut side.out),
            Ok(stream)
        );
    }
    let more = side.machine.send_request(&request, None, &mut side.out);
    assert_eq!(more, Err(UsageError::TooManyStreams));
    let events = side.feed(&frame(GOAWAY, 0, 0, b"\0\0\0\x01\0\0\0\0"));
    assert_eq!(
        events,
        [Seen::GoAway(1, 0, vec![]), Seen::Reset(3, 7, true)]
    );
    let more = side.machine.send_request(&request, None, &mut side.out);
    assert_eq!(more, Err(UsageError::GoingAway));
    let answer = frame(
        HEADERS,
        END_HEADERS | END_STREAM,
        1,
        &block(&[(":status", "204")]),
    );
    assert_eq!(side.feed(&answer).last(), Some(&Seen::Done));
}

#[test]
fn s6_8_a_client_that_leaves_still_gets_its_answers() {
    let mut side = Side::server();
    side.feed(&[get(1), get(3)].concat());
    // Zero: the client has seen no stream of the server's.
    let events = side.feed(&frame(GOAWAY, 0, 0, &[0; 8]));
    assert_eq!(events, [Seen::GoAway(0, 0, vec![])]);
    let head = ResponseHead::new(Status::OK, Fields::EMPTY);
    for stream in [1, 3] {
        assert!(!side.machine.is_done());
        side.machine
            .send_response(stream, &head, None, None, &mut side.out)
            .unwrap();
    }
    assert!(side.machine.is_done());
}

#[test]
fn expect_100_continue_is_answered_when_the_body_is_wanted() {
    let mut side = Side::server();
    side.feed(&with(1, 0, &[("expect", "100-continue")]));
    for _ in 0..2 {
        side.machine.accept_body(1, &mut side.out).unwrap();
    }
    let sent = side.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!((sent[0].kind, sent[0].flags), (HEADERS, END_HEADERS));
}

#[test]
fn fields_and_names_are_sent_as_http2_has_them() {
    let mut server = Side::server();
    server.feed(&get(1));
    let long = "X-".repeat(60);
    let fields = [
        Field::new("Content-Type", "text/plain"),
        Field::new(&long, "1"),
    ];
    let head = ResponseHead::new(Status::OK, Fields::new(&fields));
    let unknown = Some(BodyLength::Unknown);
    server
        .machine
        .send_response(1, &head, unknown, None, &mut server.out)
        .unwrap();
    let trailers = [Field::new("Grpc-Status", "0")];
    server
        .machine
        .send_end(1, Fields::new(&trailers), &mut server.out)
        .unwrap();
    let mut client = Side::client();
    let request = request_to(Method::GET, "/", Fields::new(&HOST));
    client
        .machine
        .send_request(&request, None, &mut client.out)
        .unwrap();
    let events = client.feed(&server.out);
    let Seen::Response { fields, .. } = &events[0] else {
        panic!("{events:?}");
    };
    assert_eq!(fields[0], ("content-type".into(), "text/plain".into()));
    assert_eq!(fields[1].0, long.to_lowercase());
    assert_eq!(
        events[1],
        Seen::End(1, vec![("grpc-status".into(), "0".into())])
    );
}

#[test]
fn the_end_of_the_input_inside_a_message_is_a_violation() {
    let mut side = Side::server();
    assert_eq!(side.machine.receive_eof(), Ok(()));
    assert!(side.machine.is_done());
    for bytes in [
        post(1),
        get(1)[..12].to_vec(),
        frame(HEADERS, 0, 1, b"\x82"),
    ] {
        let mut side = Side::server();
        side.feed(&bytes);
        assert_eq!(side.machine.receive_eof(), Err(ProtocolError::Incomplete));
    }
    let mut side = Side::server();
    side.feed(&get(1));
    assert_eq!(side.machine.receive_eof(), Ok(()));
    side.machine
        .send_response(1, &RESPONSE, None, None, &mut side.out)
        .unwrap();
    assert!(side.machine.is_done());
}

#[test]
fn s8_1_a_small_request_that_is_here_in_whole_is_one_event() {
    let whole = |bytes: &[u8]| {
        let (mut machine, mut out) = (Connection::new(Role::Server, NOW), Vec::new());
        let mut input = [&opening()[..], bytes].concat();
        let (mut scratch, mut events) = (OwnedScratch::new(100), Vec::new());
        loop {
            let lent = CallContext {
                now: NOW,
                date: None,
                mask_key: [0; 4],
                limits: &Limits::DEFAULT,
                scratch: scratch.lend(),
            };
            let received = machine.receive(&mut input, lent, &mut out).unwrap();
            let used = received.used;
            match received.step {
                Step::Event(Event::Request { content, .. }) => events.push(match content {
                    Content::Whole(bytes) => Some(bytes.to_vec()),
                    Content::None | Content::Follows { .. } => None,
                }),
                Step::Event(_) => {}
                _ => return events,
            }
            input.drain(..used);
        }
    };
    let end = frame(DATA, END_STREAM, 1, b"st");
    let pieces = [frame(DATA, 0, 1, b"te"), end.clone()].concat();
    assert_eq!(whole(&[post(1), pieces].concat()), [Some(b"test".to_vec())]);
    // What is to be judged, or asked for, comes piece by piece.
    let padded = frame(DATA, END_STREAM | PADDED, 1, b"\0st");
    let large = [frame(DATA, 0, 1, &[b'a'; 16_384]).repeat(2), end.clone()].concat();
    let nothing = [frame(DATA, 0, 1, b""), end.clone()].concat();
    let empty = frame(DATA, END_STREAM, 1, b"");
    for content in [padded, large, nothing, empty, frame(DATA, 0, 1, b"te")] {
        assert_eq!(whole(&[post(1), content].concat()), [None]);
    }
    let expects = with(1, 0, &[("expect", "100-continue")]);
    assert_eq!(whole(&[expects, end].concat()), [None]);
}

/// What breaks the connection on an open stream breaks it on a closed one; what
/// concerns a stream alone is not looked at there.
#[test]
fn frames_on_closed_streams_are_judged_as_frames() {
    let reset = || {
        let mut side = Side::server();
        side.feed(&post(1));
        let code = ErrorCode::NO_ERROR;
        let (now, out) = (side.now, &mut side.out);
        side.machine.send_reset(1, code, now, out).unwrap();
        side.out.clear();
        side
    };
    let padded = |kind: u8, flags: u8, payload: &[u8]| frame(kind, flags | PADDED, 1, payload);
    let block = block(&[("x", "y")]);
    let bad_block = [&[200][..], &block].concat();
    let large = frame(DATA, 0, 1, &vec![0; 20_000]);
    for (what, bytes, violation) in [
        (
            "DATA, padding",
            padded(DATA, 0, &[6, 1, 2, 3]),
            ProtocolError::Padding,
        ),
        (
            "HEADERS, padding",
            padded(HEADERS, END_HEADERS | END_STREAM, &bad_block),
            ProtocolError::Padding,
        ),
        ("DATA, size", large, ProtocolError::FrameTooLarge),
    ] {
        for size in [1, 7, bytes.len()] {
            let mut side = reset();
            let mut pieces = bytes.chunks(size).map(|piece| side.feed(piece));
            let seen = pieces.find(|seen| !seen.is_empty());
            assert_eq!(
                seen,
                Some(vec![Seen::Failed(violation)]),
                "{what} by {size}"
            );
        }
        // As on an open stream.
        let mut side = Side::server();
        side.feed(&post(1));
        assert_eq!(
            side.feed(&bytes).last(),
            Some(&Seen::Failed(violation)),
            "{what}"
        );
    }
    for (what, bytes) in [
        ("DATA", frame(DATA, 0, 1, b"more")),
        ("DATA with padding", padded(DATA, 0, &[2, 1, 0, 0])),
        ("DATA of padding alone", padded(DATA, END_STREAM, &[0])),
        (
            "trailers",
            frame(HEADERS, END_HEADERS | END_STREAM, 1, &block),
        ),
        ("no trailers", frame(HEADERS, END_HEADERS, 1, &block)),
        ("WINDOW_UPDATE of 0", number(WINDOW_UPDATE, 1, 0)),
        ("RST_STREAM", number(RST_STREAM, 1, 8)),
    ] {
        for size in [1, 3, bytes.len()] {
            let mut side = reset();
            let seen: Vec<Seen> = bytes.chunks(size).flat_map(|it| side.feed(it)).collect();
            assert_eq!(seen, [], "{what} by {size}");
            let seen = side.feed(&get(3));
            assert!(
                matches!(seen[..], [Seen::Request { stream: 3, .. }]),
                "{what}: {seen:?}"
            );
        }
    }
}

/// RFC 9113 §6.7: what answers our own PINGs is no flood, what answers none is.
#[test]
fn answers_to_our_pings_are_free() {
    let mut side = Side::server();
    let pong = |n: u64| frame(PING, ACK, 0, &n.to_be_bytes());
    for n in 0..5_000_u64 {
        let (machine, out) = (&mut side.machine, &mut side.out);
        machine.send_ping(n.to_be_bytes(), out).unwrap();
        assert_eq!(side.feed(&pong(n)), [Seen::Pong(n.to_be_bytes())]);
    }
    let passed = (0..5_000).take_while(|&n| side.feed(&pong(n)) == [Seen::Pong(n.to_be_bytes())]);
    assert_eq!(passed.count(), 1_000);
    assert_eq!(side.goaway().0, ErrorCode::ENHANCE_YOUR_CALM.code());
}

/// RFC 9110 §6.5.1: the list is that of HTTP/1.1.
#[test]
fn trailers_are_those_of_every_version() {
    let trailers = |name: &str| {
        let list = [("x-first", "1"), (name, "2"), ("x-last", "3")];
        frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(&list))
    };
    let both = [("x-first", "1"), ("x-last", "3")].map(|(a, b)| (a.to_owned(), b.to_owned()));
    for name in ["vary", "content-type", "date", "set-cookie", "location"] {
        let mut side = Side::server();
        side.feed(&post(1));
        assert_eq!(
            side.feed(&trailers(name)),
            [Seen::End(1, both.to_vec())],
            "{name}"
        );
        // And none of them is sent.
        let (machine, out) = (&mut side.machine, &mut side.out);
        let head = ResponseHead::new(Status::OK, Fields::EMPTY);
        let length = Some(BodyLength::Unknown);
        machine.send_response(1, &head, length, None, out).unwrap();
        let sent = machine.send_end(1, Fields::new(&[Field::new(name, "2")]), out);
        assert_eq!(sent, Err(UsageError::ForbiddenField), "{name}");
    }
    for name in [
        "content-length",
        "transfer-encoding",
        "host",
        "authorization",
        "cookie",
    ] {
        let mut side = Side::server();
        side.feed(&post(1));
        assert_eq!(
            side.feed(&trailers(name)),
            [Seen::Reset(1, 1, false)],
            "{name}"
        );
    }
}

#[test]
fn targets_are_those_of_http1() {
    let asked = |path: &str, limits: Limits| {
        let mut side = Side::server_with(limits);
        let list: Vec<_> = GET[..3].iter().copied().chain([(":path", path)]).collect();
        let bytes = frame(HEADERS, END_HEADERS | END_STREAM, 1, &block(&list));
        let is_request = matches!(side.feed(&bytes)[..], [Seen::Request { .. }]);
        assert!(
            is_request || side.sent().iter().any(|it| it.kind == RST_STREAM),
            "{path}"
        );
        is_request
    };
    let strict = Limits::DEFAULT.with_strict_target(true);
    for (path, is_known, is_strict) in [
        ("/a%20b?c=d", true, true),
        ("/a|b^c[d]", true, false),
        ("/?{}|\\^[]`", true, false),
        ("/%zz", true, false),
        ("/a\"", false, false),
        ("/?<", false, false),
        ("/?>", false, false),
        ("/a\\b", false, false),
        ("/a`", false, false),
        ("/a{b}", false, false),
        ("/a#b", false, false),
    ] {
        assert_eq!(asked(path, Limits::DEFAULT), is_known, "{path}");
        assert_eq!(asked(path, strict), is_strict, "{path}");
    }
}

/// RFC 9110 §8.6, §10.1.1, §6.6.1, judged as over HTTP/1.1.
#[test]
fn expectations_and_lengths_are_those_of_http1() {
    for expectation in ["x", "100-continue, x"] {
        let mut side = Side::server();
        let seen = side.feed(&with(1, END_STREAM, &[("expect", expectation)]));
        assert_eq!(seen, [], "{expectation}");
        let mut client = Side::client();
        client.ask("POST", "/", None, &[], None);
        let seen = client.feed(&side.out);
        assert_eq!(status(&seen, 1), 417);
    }
    let mut side = Side::server();
    let seen = side.feed(&with(1, 0, &[("expect", "100-Continue")]));
    assert!(matches!(seen[..], [Seen::Request { .. }]), "{seen:?}");
    side.machine.accept_body(1, &mut side.out).unwrap();
    assert_eq!(side.sent().len(), 1);

    for lengths in [&["2, 2"][..], &["2", "2"], &["2", "3"], &["2,"], &["x"]] {
        let fields: Vec<_> = lengths.iter().map(|it| ("content-length", *it)).collect();
        let mut side = Side::server();
        assert_eq!(side.feed(&with(1, 0, &fields)), [], "{lengths:?}");
        assert_eq!(side.sent().last().unwrap().kind, RST_STREAM, "{lengths:?}");
        // A client may take the same number for one.
        let mut client = Side::client();
        client.ask("GET", "/", None, &[], None);
        let list: Vec<_> = [(":status", "200")].into_iter().chain(fields).collect();
        let seen = client.feed(&frame(HEADERS, END_HEADERS, 1, &block(&list)));
        let is_one = matches!(seen[..], [Seen::Response { .. }]);
        assert_eq!(
            is_one,
            lengths.join(",").replace(' ', "") == "2,2",
            "{lengths:?}"
        );
    }
}
