//! The law of splits: any cut of the input gives the same transcript.
#![cfg(feature = "alloc")]

use crate::http2_support::*;
use barewire::http::{Fields, Method, RequestHead, ResponseHead, Status, Target, Version};
use barewire::http2::{BodyLength, Limits};
use barewire::wire::{Instant, Role};
use proptest::prelude::*;

/// Events with adjacent pieces of content joined, and the frames that were
/// sent with window updates summed per stream.
type Transcript = (Vec<Seen>, Vec<Sent>, Vec<(u32, u64)>);

fn transcript(mut side: Side, pieces: &[&[u8]], answers: bool) -> Transcript {
    let mut events: Vec<Seen> = Vec::new();
    for piece in pieces {
        let got = side.feed_with(piece, |machine, event, out| {
            if let (true, Seen::Request { stream, .. }) = (answers, event) {
                let head = ResponseHead::new(Status::OK, Fields::EMPTY);
                let length = Some(BodyLength::Known(2));
                machine
                    .send_response(*stream, &head, length, None, out)
                    .unwrap();
                let sent = machine.send_data(*stream, b"ok", true, Instant::START, out);
                assert_eq!(sent, Ok(2));
            }
        });
        for event in got {
            match (events.last_mut(), event) {
                (Some(Seen::Data(stream, data)), Seen::Data(next, more)) if *stream == next => {
                    data.extend(more);
                }
                (Some(Seen::Failed(_) | Seen::Done), Seen::Failed(_) | Seen::Done) => {}
                (_, event) => events.push(event),
            }
        }
    }
    let (mut frames, mut updates) = (Vec::new(), Vec::<(u32, u64)>::new());
    for sent in side.sent() {
        if sent.kind != WINDOW_UPDATE {
            frames.push(sent);
            continue;
        }
        match updates
            .iter_mut()
            .find(|(stream, _)| *stream == sent.stream)
        {
            Some((_, sum)) => *sum += u64::from(sent.number()),
            None => updates.push((sent.stream, u64::from(sent.number()))),
        }
    }
    updates.sort_unstable();
    (events, frames, updates)
}

fn server() -> Side {
    Side::new(Role::Server, Limits::DEFAULT)
}

/// Client input that touches every kind of frame.
fn session() -> Vec<u8> {
    let mut bytes = opening();
    bytes.extend(get(1));
    bytes.extend(frame(PRIORITY, 0, 3, &[0, 0, 0, 1, 16]));
    bytes.extend(with(
        3,
        0,
        &[("cookie", "a=1"), ("x", "y"), ("cookie", "b=2")],
    ));
    bytes.extend(frame(DATA, 0, 3, b"one"));
    bytes.extend(frame(DATA, 0, 3, b"two"));
    bytes.extend(frame(PING, 0, 0, b"12345678"));
    bytes.extend(frame(DATA, PADDED, 3, b"\x04three\0\0\0\0"));
    bytes.extend(frame(DATA, 0, 3, b""));
    bytes.extend(frame(200, 7, 3, b"unknown"));
    let large = block(&POST);
    bytes.extend(frame(HEADERS, 0, 5, &large[..3]));
    bytes.extend(frame(CONTINUATION, 0, 5, &large[3..5]));
    bytes.extend(frame(CONTINUATION, 0, 5, b""));
    bytes.extend(frame(CONTINUATION, END_HEADERS, 5, &large[5..]));
    bytes.extend(frame(DATA, END_STREAM, 5, &[7; 300]));
    bytes.extend(number(WINDOW_UPDATE, 3, 1000));
    let trailers = block(&[("grpc-status", "0")]);
    bytes.extend(frame(HEADERS, END_HEADERS | END_STREAM, 3, &trailers));
    let padded = [&[2][..], &[0, 0, 0, 1, 9], &block(&GET), &[0, 0]].concat();
    let flags = PADDED | WITH_PRIORITY | END_HEADERS | END_STREAM;
    bytes.extend(frame(HEADERS, flags, 7, &padded));
    bytes.extend(post(9));
    bytes.extend(number(RST_STREAM, 9, 8));
    bytes.extend(frame(
        HEADERS,
        END_HEADERS,
        11,
        &block(&[(":method", "GET")]),
    ));
    bytes.extend(frame(GOAWAY, 0, 0, b"\0\0\0\0\0\0\0\0bye"));
    bytes
}

/// Server input that touches what only servers say.
fn answers() -> Vec<u8> {
    let mut bytes = frame(SETTINGS, 0, 0, b"\0\x03\0\0\0\x64");
    bytes.extend(frame(SETTINGS, ACK, 0, &[]));
    let early = block(&[(":status", "103"), ("link", "</a>")]);
    bytes.extend(frame(HEADERS, END_HEADERS, 1, &early));
    let head = block(&[(":status", "200"), ("content-length", "5")]);
    bytes.extend(frame(HEADERS, END_HEADERS, 1, &head));
    bytes.extend(frame(DATA, 0, 1, b"he"));
    bytes.extend(frame(DATA, 0, 1, b"llo"));
    let trailers = block(&[("x-sum", "1")]);
    bytes.extend(frame(HEADERS, END_HEADERS | END_STREAM, 1, &trailers));
    let head = block(&[(":status", "204")]);
    bytes.extend(frame(HEADERS, END_HEADERS | END_STREAM, 3, &head));
    bytes.extend(frame(PING, ACK, 0, b"87654321"));
    bytes.extend(frame(GOAWAY, 0, 0, b"\0\0\0\x03\0\0\0\0"));
    bytes
}

fn client() -> Side {
    let mut side = Side::new(Role::Client, Limits::DEFAULT);
    for _ in 0..3 {
        let head = RequestHead {
            method: Method::GET,
            target: Target::Absolute {
                scheme: "http",
                authority: "a",
                path: "/",
                query: None,
            },
            version: Version::Http11,
            protocol: None,
            fields: Fields::EMPTY,
        };
        side.machine
            .send_request(&head, None, &mut side.out)
            .unwrap();
    }
    side
}

fn all_splits(new: fn() -> Side, bytes: &[u8], answers: bool) {
    let whole = transcript(new(), &[bytes], answers);
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(transcript(new(), &single, answers), whole, "byte by byte");
    for cut in 0..=bytes.len() {
        let (a, b) = bytes.split_at(cut);
        assert_eq!(transcript(new(), &[a, b], answers), whole, "cut at {cut}");
    }
}

#[test]
fn any_split_of_a_clients_session_gives_the_same_transcript() {
    let (events, sent, _) = transcript(server(), &[&session()], true);
    assert_eq!(events.len(), 15, "{events:#?}");
    assert!(!events.iter().any(|event| matches!(event, Seen::Failed(_))));
    assert!(sent.len() > 12, "{sent:#?}");
    all_splits(server, &session(), true);
    all_splits(server, &session(), false);
}

#[test]
fn any_split_of_a_servers_answers_gives_the_same_transcript() {
    let (events, _, _) = transcript(client(), &[&answers()], false);
    assert_eq!(events.last(), Some(&Seen::Done), "{events:#?}");
    assert!(events.contains(&Seen::Reset(5, 7, true)));
    all_splits(client, &answers(), false);
}

#[test]
fn any_split_of_a_violation_gives_the_same_transcript() {
    let head = opening();
    for bad in [
        frame(DATA, 0, 1, b"idle"),
        frame(HEADERS, END_HEADERS, 1, b"\x80"),
        frame(HEADERS, END_HEADERS, 2, &block(&GET)),
        frame(HEADERS, PADDED | END_HEADERS, 1, b"\x05abc"),
        [post(1), frame(DATA, PADDED, 1, b"\x03ab")].concat(),
        [
            post(1),
            frame(DATA, END_STREAM, 1, b"x"),
            frame(DATA, 0, 1, b"y"),
        ]
        .concat(),
        frame(SETTINGS, 0, 0, b"\0\x05\0\0\0\0"),
        frame(HEADERS, 0, 1, b"\x82").repeat(2),
        frame(CONTINUATION, 0, 1, b""),
        frame(255, 0, 1, &[0; 17_000]),
    ] {
        let mut bytes = head.clone();
        bytes.extend(bad);
        bytes.truncate(3000);
        all_splits(server, &bytes, false);
    }
    all_splits(server, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\t", false);
}

#[test]
fn any_split_of_a_too_large_block_gives_the_same_transcript() {
    let value = "v".repeat(700);
    let fields: Vec<_> = GET
        .iter()
        .copied()
        .chain([("x-long", &*value); 40])
        .collect();
    let large = block(&fields);
    let mut bytes = opening();
    let mut pieces = large.chunks(4000).peekable();
    let mut kind = HEADERS;
    while let Some(piece) = pieces.next() {
        let end = if pieces.peek().is_none() {
            END_HEADERS
        } else {
            0
        };
        bytes.extend(frame(kind, end, 1, piece));
        kind = CONTINUATION;
    }
    bytes.extend(get(3));
    let whole = transcript(server(), &[&bytes], true);
    assert!(
        matches!(whole.0[1], Seen::Request { stream: 3, .. }),
        "{:?}",
        whole.0
    );
    for cut in (0..bytes.len()).step_by(7) {
        let (a, b) = bytes.split_at(cut);
        assert_eq!(transcript(server(), &[a, b], true), whole, "cut at {cut}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn random_cuts_of_random_damage_give_the_same_transcript(
        at in 0..1000usize, byte: u8, cuts in proptest::collection::vec(0..1000usize, 0..6),
    ) {
        let mut bytes = session();
        let at = 24 + at % (bytes.len() - 24);
        bytes[at] = byte;
        let whole = transcript(server(), &[&bytes], true);
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut % bytes.len()).collect();
        cuts.sort_unstable();
        let (mut pieces, mut start) = (Vec::new(), 0);
        for cut in cuts {
            pieces.push(&bytes[start..cut]);
            start = cut;
        }
        pieces.push(&bytes[start..]);
        prop_assert_eq!(transcript(server(), &pieces, true), whole);
    }
}
