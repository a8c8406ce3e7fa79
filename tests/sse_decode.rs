//! Event streams: every case at every cut, limits, and the round trip with the
//! encoder.
#![cfg(feature = "alloc")]

use core::time::Duration;

use barewire::sse::{Decoded, Decoder, Event, Limits, ProtocolError, Reconnection, encode_comment};
use barewire::wire::Step;
use base64::{Engine, engine::general_purpose::STANDARD};
use proptest::prelude::*;

/// What a stream came to: messages as (type, data, last event ID) and what
/// the next connection would start from.
#[derive(Debug, PartialEq, Eq, Default)]
struct Transcript {
    messages: Vec<(String, String, String)>,
    reconnection: Reconnection,
    error: Option<ProtocolError>,
}

/// A caller with one growing buffer.
#[derive(Default)]
struct Reader {
    decoder: Decoder,
    buffer: Vec<u8>,
    transcript: Transcript,
    most: usize,
}

/// An event that the end of a stream has cut: type, data, ID, and whether the end
/// came inside of a line.
type CutEvent = (String, String, Option<String>, bool);

impl Reader {
    fn feed(&mut self, piece: &[u8], limits: &Limits) {
        self.buffer.extend_from_slice(piece);
        self.most = self.most.max(self.buffer.len());
        loop {
            let received = match self.decoder.receive(&mut self.buffer, limits) {
                Ok(received) => received,
                Err(violation) => {
                    self.transcript.error = Some(violation);
                    return;
                }
            };
            let used = received.used;
            let more = match received.step {
                Step::Event(decoded) => {
                    let reconnection = &mut self.transcript.reconnection;
                    reconnection.observe(&decoded);
                    if let Decoded::Message(message) = decoded {
                        self.transcript.messages.push((
                            message.event.to_string(),
                            message.data.decode().into_owned(),
                            reconnection.last_event_id().to_owned(),
                        ));
                    }
                    true
                }
                Step::Need(1) => false,
                other => panic!("{other:?}"),
            };
            self.buffer.drain(..used);
            if !more {
                return;
            }
        }
    }
}

impl Reader {
    /// Takes the end of the stream.
    fn end(&mut self, limits: &Limits) -> Option<CutEvent> {
        let mut cut = None;
        loop {
            let received = self.decoder.receive_end(&mut self.buffer, limits).ok()?;
            let used = received.used;
            match received.step {
                Step::Event(Decoded::Cut { message, mid_line }) => {
                    assert!(cut.is_none());
                    cut = Some((
                        message.event.to_string(),
                        message.data.decode().into_owned(),
                        message.id.map(|id| id.to_string()),
                        mid_line,
                    ));
                }
                Step::Event(other) => panic!("{other:?} was not received before"),
                Step::Done => {
                    assert_eq!(used, self.buffer.len());
                    self.buffer.clear();
                    return cut;
                }
                other => panic!("{other:?}"),
            }
            self.buffer.drain(..used);
        }
    }
}

/// What is cut at the end of a stream that comes in these pieces.
fn end_of<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, limits: &Limits) -> Option<CutEvent> {
    let mut reader = Reader::default();
    for piece in pieces {
        reader.feed(piece, limits);
    }
    let before = reader.transcript.reconnection.clone();
    let cut = reader.end(limits);
    assert_eq!(reader.transcript.reconnection, before);
    assert_eq!(reader.end(limits), None);
    cut
}

fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, limits: &Limits) -> Transcript {
    let mut reader = Reader::default();
    for piece in pieces {
        reader.feed(piece, limits);
    }
    reader.transcript
}

struct Case {
    id: String,
    input: Vec<u8>,
    expect: Transcript,
}

fn cases() -> Vec<Case> {
    let text = include_str!("data/sse-cases.jsonl");
    let cases: Vec<Case> = text.lines().map(case).collect();
    assert_eq!(cases.len(), 54);
    cases
}

fn case(line: &str) -> Case {
    let value: serde_json::Value = serde_json::from_str(line).unwrap();
    let encoded = value["input_b64"].as_str().unwrap();
    let mut input = vec![0; encoded.len()];
    let len = STANDARD.decode_slice(encoded, &mut input).unwrap();
    input.truncate(len);
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let messages = value["expect"].as_array().unwrap().iter();
    let messages = messages
        .map(|m| (text(&m["event"]), text(&m["data"]), text(&m["lastEventId"])))
        .collect();
    let mut reconnection = Reconnection::new();
    match &value["retry"] {
        serde_json::Value::Null => {}
        retry => {
            let millis = retry.as_u64().unwrap_or(u64::MAX); // "huge" saturates
            let time = Duration::from_millis(millis);
            reconnection.observe(&Decoded::ReconnectionTime(time));
        }
    }
    let id = text(&value["final_last_event_id"]);
    if !id.is_empty() {
        let id = barewire::sse::Text::new(id.as_bytes());
        reconnection.observe(&Decoded::LastEventId(id));
    }
    Case {
        id: text(&value["id"]),
        input,
        expect: Transcript {
            messages,
            reconnection,
            error: None,
        },
    }
}

#[test]
fn every_case_at_every_cut_gives_the_same_events() {
    for Case { id, input, expect } in cases() {
        let limits = Limits::DEFAULT;
        assert_eq!(read([&input[..]], &limits), expect, "{id}");
        assert_eq!(read(input.chunks(1), &limits), expect, "{id} by bytes");
        // The longest case is cut at 5000 places.
        for cut in (0..=input.len()).step_by(input.len() / 5000 + 1) {
            let (a, b) = input.split_at(cut);
            assert_eq!(read([a, b], &limits), expect, "{id} cut at {cut}");
        }
    }
}

#[test]
fn a_type_and_an_id_between_lines_of_data_are_kept() {
    let fields = [
        "data:one",
        "event:type",
        "data: two",
        "id: 77",
        "",
        "data:three\r\n:c",
    ];
    let mut orders = vec![vec![]];
    for _ in 0..5 {
        orders = orders
            .into_iter()
            .flat_map(|order: Vec<usize>| {
                let free: Vec<usize> = (0..6).filter(|i| *i != 4 && !order.contains(i)).collect();
                free.into_iter().map(move |i| [&order[..], &[i]].concat())
            })
            .collect();
    }
    assert_eq!(orders.len(), 120);
    for order in orders {
        let lines: Vec<&str> = order.iter().map(|&i| fields[i]).collect();
        let input = lines.join("\n") + "\n\ndata:next\n\n";
        let data: Vec<&str> = lines
            .iter()
            .filter_map(|line| match *line {
                "data:one" => Some("one"),
                "data: two" => Some("two"),
                "data:three\r\n:c" => Some("three"),
                _ => None,
            })
            .collect();
        for pieces in [
            read([input.as_bytes()], &Limits::DEFAULT),
            read(input.as_bytes().chunks(1), &Limits::DEFAULT),
        ] {
            let id = "77".to_owned();
            let expect = [
                ("type".to_owned(), data.join("\n"), id.clone()),
                ("message".to_owned(), "next".to_owned(), id),
            ];
            assert_eq!(pieces.messages, expect, "{input:?}");
        }
    }
}

#[test]
fn a_single_line_of_data_is_lent_without_a_copy() {
    let mut input = *b"event: e\nid: 1\ndata: hello\n\n";
    let place = input.as_ptr_range();
    let received = Decoder::new()
        .receive(&mut input, &Limits::DEFAULT)
        .unwrap();
    let Step::Event(Decoded::Message(message)) = received.step else {
        panic!()
    };
    assert_eq!(
        message.data.as_bytes().as_ptr(),
        place.start.wrapping_add(21)
    );
    assert_eq!(&input, b"event: e\nid: 1\ndata: hello\n\n");
}

#[test]
fn a_block_that_never_ends_is_refused_at_the_limit() {
    let limits = Limits::DEFAULT.with_event(100);
    for line in [
        "data: x\n",
        "id: 1\n:c\n",
        "data\n",
        "xxxxxxxx",
        "data:\r\n",
        "event: a\n:",
    ] {
        let flood = line.repeat(200);
        let whole = read([flood.as_bytes()], &limits);
        assert_eq!(whole.error, Some(ProtocolError::EventTooLarge), "{line:?}");
        let mut reader = Reader::default();
        for piece in flood.as_bytes().chunks(1) {
            reader.feed(piece, &limits);
        }
        assert_eq!(reader.transcript, whole);
        let more = reader.decoder.receive(&mut [], &limits);
        assert_eq!(more, Err(ProtocolError::EventTooLarge));
    }
}

#[test]
fn what_the_end_of_a_stream_cuts_is_given_out_on_demand() {
    type Expected<'t> = Option<(&'t str, &'t str, Option<&'t str>, bool)>;
    let cases: &[(&str, Expected<'_>)] = &[
        ("", None),
        ("data: a\n\n", None),
        ("data: a\n", Some(("message", "a", None, false))),
        ("data: a\r", Some(("message", "a", None, false))),
        ("data: a\r\n", Some(("message", "a", None, false))),
        ("data: a", Some(("message", "a", None, true))),
        ("data:", Some(("message", "", None, true))),
        ("data", None),
        ("\u{feff}data: a", Some(("message", "a", None, true))),
        ("data: x\n\ndata: a", Some(("message", "a", None, true))),
        ("data: a\ndata: b\n", Some(("message", "a\nb", None, false))),
        ("data: a\r\ndata: b", Some(("message", "a\nb", None, true))),
        (
            "data: a\ndata: b\ndata",
            Some(("message", "a\nb", None, true)),
        ),
        ("data: a\n: comm", Some(("message", "a", None, true))),
        (
            "event: e\nid: 7\ndata: a\n",
            Some(("e", "a", Some("7"), false)),
        ),
        (
            "data: a\nid: 7\ndata: b\nevent: e\n",
            Some(("e", "a\nb", Some("7"), false)),
        ),
        // A part of an ID, a type or a time would be another one.
        ("data: a\nid: 12", Some(("message", "a", None, true))),
        ("data: a\nevent: upda", Some(("message", "a", None, true))),
        ("data: a\nretry: 1", Some(("message", "a", None, true))),
        ("retry: 1", None),
        ("id: 7\n", None),
        ("event: e\n", None),
    ];
    for (input, expected) in cases {
        let input = input.as_bytes();
        let expected = expected.map(|(event, data, id, mid_line)| {
            (
                event.to_owned(),
                data.to_owned(),
                id.map(str::to_owned),
                mid_line,
            )
        });
        for at in 0..=input.len() {
            let (a, b) = input.split_at(at);
            assert_eq!(
                end_of([a, b], &Limits::DEFAULT),
                expected,
                "{input:?} at {at}"
            );
        }
        assert_eq!(end_of(input.chunks(1), &Limits::DEFAULT), expected);
        // Nothing of it is given out to who does not ask.
        let seen = read([input], &Limits::DEFAULT).messages;
        assert!(
            seen.iter()
                .all(|(_, data, _)| data == "x" || input.ends_with(b"\n\n"))
        );
    }
}

#[test]
fn a_failure_outlasts_the_end_of_the_stream() {
    let limits = Limits::DEFAULT.with_event(4);
    let mut decoder = Decoder::new();
    let mut input = *b"data: too long";
    assert!(decoder.receive(&mut input, &limits).is_err());
    let failed = decoder.receive_end(&mut [], &limits);
    assert_eq!(failed, Err(ProtocolError::EventTooLarge));
    // It is the first call that meets the limit here.
    let failed = Decoder::new().receive_end(&mut input, &limits);
    assert_eq!(failed, Err(ProtocolError::EventTooLarge));
}

#[test]
fn the_end_gives_whole_events_that_were_not_asked_for_before() {
    let mut input = *b"data: a\n\ndata: b";
    let mut decoder = Decoder::new();
    let received = decoder.receive_end(&mut input, &Limits::DEFAULT).unwrap();
    let used = received.used;
    let Step::Event(Decoded::Message(message)) = received.step else {
        panic!()
    };
    assert_eq!(message.data, "a");
    let received = decoder.receive_end(&mut input[used..], &Limits::DEFAULT);
    let Step::Event(Decoded::Cut { message, .. }) = received.unwrap().step else {
        panic!()
    };
    assert_eq!(message.data, "b");
}

#[test]
fn heartbeats_and_blank_lines_hold_no_memory() {
    let mut reader = Reader::default();
    for _ in 0..10_000 {
        reader.feed(
            b": heartbeat\n\n\r\nretry: 1\n\nunknown: x\nevent: lost\n\n",
            &Limits::DEFAULT,
        );
    }
    assert!(reader.most < 100 && reader.buffer.is_empty());
    assert_eq!(reader.transcript.error, None);
}

#[test]
fn a_reconnection_time_outside_a_block_holds_no_memory() {
    let mut reader = Reader::default();
    let limits = Limits::DEFAULT.with_event(64);
    for _ in 0..100 {
        reader.feed(b"retry: 1\nretry: 2\r\n", &limits);
        assert!(reader.buffer.is_empty(), "{:?}", reader.buffer);
    }
    assert_eq!(reader.transcript.error, None);
    assert_eq!(
        reader.transcript.reconnection.time(),
        Some(Duration::from_millis(2))
    );
}

#[test]
fn an_event_of_exactly_the_limit_passes() {
    let input = b"id: 1\ndata: xyz\n\n";
    let (block, id) = (b"id: 1\ndata: xyz\n".len(), 1);
    let limits = Limits { event: block, id };
    assert_eq!(read([&input[..]], &limits).messages.len(), 1);
    let tight = limits.with_event(block - 2);
    assert_eq!(
        read([&input[..]], &tight).error,
        Some(ProtocolError::EventTooLarge)
    );
    assert_eq!(
        read([&input[..]], &limits.with_id(0)).error,
        Some(ProtocolError::IdTooLong)
    );
}

#[test]
fn a_stream_fed_by_bytes_costs_linear_time() {
    // 1 MiB in one block of tiny lines, type and ID in the tail: quadratic
    // work would take minutes.
    let mut input = b"data\nevent:e\nid:1\n".to_vec();
    while input.len() < 900_000 {
        input.extend_from_slice(b"data\n");
    }
    input.push(b'\n');
    let (mut decoder, mut fed) = (Decoder::new(), 0);
    while fed < input.len() {
        fed += 1;
        let received = decoder
            .receive(&mut input[..fed], &Limits::DEFAULT)
            .unwrap();
        if let Step::Event(Decoded::Message(message)) = received.step {
            assert_eq!(message.event, "e");
            assert!(message.data.as_bytes().iter().all(|&b| b == b'\n'));
            return;
        }
        assert_eq!(received.used, 0);
    }
    panic!("no event");
}

fn line() -> impl Strategy<Value = String> {
    "[^\r\n\0]{0,12}"
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(
        events in proptest::collection::vec((
            "(\r|\n|\r\n|:|data|id| |[a-z]|\\PC|\u{feff}){0,20}",
            proptest::option::of(line()),
            proptest::option::of(line()),
            proptest::option::of(0..u64::MAX),
            proptest::option::of("(\r|\n|\\PC|data: x){0,6}"),
        ), 0..6),
        cuts in proptest::collection::vec(1..40usize, 1..20),
    ) {
        let (mut stream, mut expect, mut last_id) = (Vec::new(), Transcript::default(), String::new());
        for (data, event, id, retry, comment) in &events {
            let block = Event {
                data: Some(data),
                event: event.as_deref(),
                id: id.as_deref(),
                retry: retry.map(Duration::from_millis),
            };
            if let Some(comment) = comment {
                encode_comment(comment, &mut stream).unwrap();
            }
            block.encode(&mut stream).unwrap();
            if let Some(id) = id {
                last_id.clone_from(id);
                expect.reconnection.observe(&Decoded::LastEventId(barewire::sse::Text::new(id.as_bytes())));
            }
            if let Some(retry) = retry {
                expect.reconnection.observe(&Decoded::ReconnectionTime(Duration::from_millis(*retry)));
            }
            let event = event.as_deref().filter(|event| !event.is_empty()).unwrap_or("message");
            let data = data.replace("\r\n", "\n").replace('\r', "\n");
            expect.messages.push((event.to_owned(), data, last_id.clone()));
        }
        let mut rest = &stream[..];
        let mut cuts = cuts.iter().cycle();
        let pieces = core::iter::from_fn(|| {
            let (piece, after) = rest.split_at(rest.len().min(*cuts.next()?));
            rest = after;
            (!piece.is_empty()).then_some(piece)
        });
        prop_assert_eq!(read(pieces, &Limits::DEFAULT), expect);
    }

    #[test]
    fn any_bytes_at_any_cut_give_the_same_events(
        input in proptest::collection::vec(prop_oneof![
            5 => Just(b"data:".to_vec()), 2 => Just(b"id: ".to_vec()), 2 => Just(b"event:".to_vec()),
            1 => Just(b"retry:9".to_vec()), 5 => Just(b"\n".to_vec()), 3 => Just(b"\r".to_vec()),
            3 => Just(b"\r\n".to_vec()), 3 => proptest::collection::vec(any::<u8>(), 0..4), 1 => Just(b":".to_vec()),
        ], 0..40),
        cut in any::<prop::sample::Index>(),
    ) {
        let input = input.concat();
        let limits = Limits { event: 30, id: 5 };
        let whole = read([&input[..]], &limits);
        let (a, b) = input.split_at(cut.index(input.len() + 1));
        prop_assert_eq!(&read([a, b], &limits), &whole);
        prop_assert_eq!(&read(input.chunks(1), &limits), &whole);

        let ended = end_of([&input[..]], &limits);
        prop_assert_eq!(&end_of([a, b], &limits), &ended);
        prop_assert_eq!(&end_of(input.chunks(1), &limits), &ended);
        // Of whole lines, it is what a blank line would have brought.
        if let Some((event, data, _, false)) = ended {
            let line_end = if input.ends_with(b"\r") { &b"\n\n"[..] } else { b"\n" };
            // The end of a line counts for the limit where another line follows it.
            let wider = Limits { event: 32, ..limits };
            let messages = read([&input[..], line_end], &wider).messages;
            let last = messages.last().map(|(event, data, _)| (event.clone(), data.clone()));
            prop_assert_eq!(last, Some((event, data)));
        }
    }
}
