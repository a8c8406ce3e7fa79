//! gRPC framing: the vectors, every cut of every body, limits, and bytes from
//! nowhere.
#![cfg(feature = "alloc")]

use core::time::Duration;

use barewire::grpc::frame::Frame;
use barewire::grpc::{
    Body, Code, Compression, ContentType, Limits, Mode, ProtocolError, Status, frame, metadata,
    percent_decode, percent_encode, timeout, web,
};
use barewire::http::{self, Field, Fields};
use barewire::wire::{Role, Slice, Step};
use proptest::prelude::*;
use serde_json::Value;

fn vectors(name: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("../data/grpc-vectors.json")).unwrap();
    all[name].as_array().unwrap().clone()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u32> = hex.chars().map(|c| c.to_digit(16).unwrap()).collect();
    digits
        .chunks(2)
        .map(|pair| (pair[0] * 16 + pair[1]) as u8)
        .collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[derive(Debug, PartialEq, Eq, Clone)]
enum Seen {
    Message(bool, Vec<u8>),
    Trailers(Vec<u8>),
    Failed(ProtocolError),
}

/// Reads a body that arrives in pieces, as a caller with one buffer would.
fn read<'a>(
    mut body: Body,
    pieces: impl IntoIterator<Item = &'a [u8]>,
    limits: &Limits,
) -> Vec<Seen> {
    let (mut buffer, mut seen, mut need) = (Vec::new(), Vec::new(), 0);
    for piece in pieces {
        buffer.extend_from_slice(piece);
        let early = piece.len() < need; // fewer bytes than were asked for
        need = need.saturating_sub(piece.len());
        loop {
            let received = match body.receive(&mut buffer, limits) {
                Ok(received) => received,
                Err(violation) => {
                    assert_eq!(body.receive(&mut [], limits).unwrap_err(), violation);
                    assert_eq!(body.receive_eof(), Err(violation));
                    seen.push(Seen::Failed(violation));
                    return seen;
                }
            };
            let used = received.used;
            let more = match received.step {
                Step::Event(Frame::Message(message)) => {
                    assert!(!early, "a message came before the bytes it needed");
                    seen.push(Seen::Message(message.compressed, message.bytes.to_vec()));
                    true
                }
                Step::Event(Frame::Trailers(block)) => {
                    seen.push(Seen::Trailers(block.to_vec()));
                    true
                }
                Step::Need(more) => {
                    assert!(more >= 1 && more <= limits.message.max(limits.trailers) * 2 + 8);
                    need = more;
                    false
                }
                other => panic!("{other:?}"),
            };
            buffer.drain(..used);
            if !more {
                break;
            }
        }
    }
    if let Err(violation) = body.receive_eof() {
        seen.push(Seen::Failed(violation));
    }
    seen
}

/// Reads a body in one piece, at every cut and byte by byte; all must agree.
fn read_every_way(body: &Body, input: &[u8], limits: &Limits) -> Vec<Seen> {
    let whole = read(body.clone(), [input], limits);
    for cut in 0..=input.len() {
        let (a, b) = input.split_at(cut);
        assert_eq!(read(body.clone(), [a, b], limits), whole, "cut at {cut}");
    }
    assert_eq!(
        read(body.clone(), input.chunks(1), limits),
        whole,
        "by bytes"
    );
    whole
}

fn native(compression: Compression) -> Body {
    Body::new(Mode::Native, Role::Server, compression)
}

fn response(mode: Mode) -> Body {
    Body::new(mode, Role::Client, Compression::Absent)
}

#[test]
fn every_length_prefixed_vector_at_every_cut() {
    let vectors = vectors("length_prefixed");
    assert_eq!(vectors.len(), 21);
    for vector in vectors {
        let (id, input) = (text(&vector["id"]), bytes(text(&vector["hex"])));
        let compression = match id.starts_with("gzip") {
            true => Compression::Announced,
            false => Compression::Absent,
        };
        let seen = read_every_way(&native(compression), &input, &Limits::DEFAULT);
        let failed = match seen.last() {
            Some(Seen::Failed(violation)) => Some(violation.code()),
            _ => None,
        };
        match &vector["expect"] {
            Value::Array(frames) => {
                assert_eq!(failed, None, "{id}");
                assert_eq!(seen.len(), frames.len(), "{id}");
                for (seen, frame) in seen.iter().zip(frames) {
                    let Seen::Message(compressed, message) = seen else {
                        panic!("{id}")
                    };
                    assert_eq!(*compressed, frame["flag"] == 1, "{id}");
                    if let Some(len) = frame["len"].as_u64() {
                        assert_eq!(message.len() as u64, len, "{id}");
                    }
                    if let Some(hex) = frame["hex"].as_str() {
                        assert_eq!(*message, bytes(hex), "{id}");
                    }
                }
            }
            Value::String(expect) => match expect.as_str() {
                "empty" => assert_eq!(seen, [], "{id}"),
                "incomplete" | "accept prefix" => {
                    assert_eq!(seen, [Seen::Failed(ProtocolError::Truncated)], "{id}");
                }
                error => {
                    let code = failed.unwrap_or_else(|| panic!("{id}: {seen:?}"));
                    assert!(error.starts_with(&format!("error:{code}")), "{id}: {code}");
                }
            },
            other => panic!("{other}"),
        }
    }
}

#[test]
fn every_web_vector_at_every_cut() {
    let vectors = vectors("grpc_web");
    assert_eq!(vectors.len(), 11);
    for vector in vectors {
        let id = text(&vector["id"]);
        let (mode, input) = match vector["text"].as_str() {
            Some(text) => (Mode::WebText, text.as_bytes().to_vec()),
            None => (Mode::Web, bytes(text(&vector["hex"]))),
        };
        let seen = read_every_way(&response(mode), &input, &Limits::DEFAULT);
        if let Some(decodes) = vector["decodes"].as_str() {
            let binary = read(response(Mode::Web), [&bytes(decodes)[..]], &Limits::DEFAULT);
            assert_eq!(seen, binary, "{id}");
            continue;
        }
        match id {
            "web-trailer-gzip" => {
                assert_eq!(seen, [Seen::Failed(ProtocolError::CompressedTrailers)])
            }
            "web-trailer-then-data" => {
                assert_eq!(
                    seen.last(),
                    Some(&Seen::Failed(ProtocolError::AfterTrailers))
                );
            }
            "web-empty-trailer" => assert_eq!(seen, [Seen::Trailers(vec![])]),
            "text-bad" => assert_eq!(seen, [Seen::Failed(ProtocolError::InvalidBase64)]),
            _ => {
                let messages = vector["messages"].as_array().unwrap();
                let (last, before) = seen.split_last().unwrap();
                let expect: Vec<Seen> = messages
                    .iter()
                    .map(|hex| Seen::Message(false, bytes(text(hex))))
                    .collect();
                assert_eq!(before, expect, "{id}");
                let Seen::Trailers(block) = last else {
                    panic!("{id}")
                };
                let fields = web::fields(block).map(Result::unwrap);
                let trailers = vector["trailers"].as_array().unwrap();
                assert!(fields.zip(trailers).all(|(field, expect)| {
                    field.is(text(&expect[0])) && field.value == text(&expect[1]).as_bytes()
                }));
                assert_eq!(web::fields(block).count(), trailers.len(), "{id}");
            }
        }
    }
}

#[test]
fn every_timeout_vector() {
    for vector in vectors("grpc_timeout") {
        let (value, expect) = (text(&vector[0]), text(&vector[1]));
        let nanos: String = expect.chars().take_while(char::is_ascii_digit).collect();
        let parsed = timeout::parse(value.as_bytes());
        assert_eq!(
            parsed.map(|d| d.as_nanos()),
            nanos.parse().ok(),
            "{value:?}"
        );
    }
    let longest = timeout::parse(b"99999999H").unwrap();
    use barewire::wire::Instant;
    assert_eq!(Instant::START + longest, Instant::NEVER);
    assert_eq!(timeout::parse(b"0S"), Some(Duration::ZERO));
}

#[test]
fn every_message_vector() {
    for vector in vectors("grpc_message_encode") {
        let mut out = Vec::new();
        percent_encode(text(&vector[0]), &mut out);
        assert_eq!(out, text(&vector[1]).as_bytes());
        assert_eq!(percent_decode(&out), text(&vector[0]));
    }
    for vector in vectors("grpc_message_decode") {
        assert_eq!(
            percent_decode(text(&vector[0]).as_bytes()),
            text(&vector[1])
        );
    }
}

#[test]
fn every_binary_metadata_vector() {
    for vector in vectors("bin_metadata_decode") {
        let (value, expect) = (text(&vector[0]), text(&vector[1]));
        let values: Result<Vec<Vec<u8>>, _> = metadata::binary_values(value.as_bytes())
            .map(metadata::binary_to_vec)
            .collect();
        if expect.starts_with("error") {
            assert!(values.is_err(), "{value}");
            continue;
        }
        let expect = expect.split(" (").next().unwrap();
        let expect: Vec<_> = expect.split(" , ").map(bytes).collect();
        assert_eq!(values.unwrap(), expect, "{value}");
    }
}

#[test]
fn every_status_and_content_type_vector() {
    let all: Value = serde_json::from_str(include_str!("../data/grpc-vectors.json")).unwrap();
    let map = all["status_maps"]["http_to_grpc"].as_object().unwrap();
    for code in 100..600 {
        let status = http::Status::new(code).unwrap();
        let expect = map.get(&code.to_string()).unwrap_or(&map["other"]);
        assert_eq!(
            Code::from_http(status).number(),
            expect.as_u64().unwrap() as u8,
            "{code}"
        );
    }
    for vector in vectors("content_type") {
        let parsed = ContentType::parse(text(&vector[0]).as_bytes());
        let form = parsed.map(|parsed| parsed.mode());
        let expect = match &vector[1] {
            Value::Bool(true) => Some(Mode::Native),
            Value::Bool(false) => None,
            form if form == "grpc-web" => Some(Mode::Web),
            _ => Some(Mode::WebText),
        };
        assert_eq!(form, expect, "{vector}");
    }
}

#[test]
fn codes_beyond_the_seventeen_are_unknown_and_other_text_is_none() {
    for (index, code) in Code::ALL.into_iter().enumerate() {
        assert_eq!(code.number() as usize, index);
        assert_eq!(Code::parse(code.digits().as_bytes()), Some(code));
    }
    assert_eq!(Code::parse(b"17"), Some(Code::Unknown));
    assert_eq!(Code::parse(b"99999999999999999999999"), Some(Code::Unknown));
    for bad in [&b""[..], b"-1", b"+1", b"OK", b"1 "] {
        assert_eq!(Code::parse(bad), None);
    }
}

#[test]
fn a_length_beyond_the_limit_is_refused_by_its_prefix_alone() {
    let limits = Limits::DEFAULT.with_message(10).with_trailers(10);
    for (prefix, violation) in [
        ([0, 0, 0, 0, 11], ProtocolError::MessageTooLong),
        ([0x80, 0, 0, 0, 11], ProtocolError::TrailersTooLong),
    ] {
        let seen = read_every_way(&response(Mode::Web), &prefix, &limits);
        assert_eq!(seen, [Seen::Failed(violation)]);
        assert_eq!(violation.code(), Code::ResourceExhausted);
    }
    let request = Body::new(Mode::Web, Role::Server, Compression::Absent);
    let seen = read_every_way(&request, b"\x80\0\0\0\0", &limits);
    assert_eq!(seen, [Seen::Failed(ProtocolError::UnexpectedTrailers)]);
}

#[test]
fn text_in_tiny_padded_groups_holds_little_memory() {
    // One byte a group is the worst ratio that base64 allows.
    let mut body = response(Mode::WebText);
    let (mut buffer, mut most) = (Vec::new(), 0);
    let message = [&[0, 0, 0, 0x40, 0][..], &[7; 0x4000]].concat();
    let mut out = [0; 4];
    for byte in message {
        let group = format!(
            "{}{}==",
            base64_digit(byte >> 2),
            base64_digit((byte & 3) << 4)
        );
        out.copy_from_slice(group.as_bytes());
        buffer.extend_from_slice(&out);
        let received = body.receive(&mut buffer, &Limits::DEFAULT).unwrap();
        let (used, done) = (received.used, matches!(received.step, Step::Event(_)));
        buffer.drain(..used);
        most = most.max(buffer.len());
        if done {
            assert!(buffer.is_empty());
            assert!(most < 3 * 0x4000, "{most}");
            return;
        }
    }
    panic!("no message");
}

fn base64_digit(value: u8) -> char {
    char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[value as usize])
}

#[test]
fn frames_are_written_whole_or_not_at_all() {
    let status = Status::new(Code::Internal, " % ");
    let entries = [Field::new("x-id", "7")];
    for mode in [Mode::Web, Mode::WebText] {
        let (mut message, mut trailers) = (Vec::new(), Vec::new());
        web::encode_message(mode, b"abcd", &mut message).unwrap();
        web::encode_trailers(mode, status, Fields::new(&entries), &mut trailers).unwrap();
        let mut memory = [0; 200];
        for room in 0..200 {
            let mut out = Slice::new(&mut memory[..room]);
            let fits = web::encode_message(mode, b"abcd", &mut out).is_ok();
            assert_eq!(fits, room >= message.len());
            let mut out = Slice::new(&mut memory[..room]);
            let sent = web::encode_trailers(mode, status, Fields::new(&entries), &mut out);
            assert_eq!(sent.is_ok(), room >= trailers.len());
            assert_eq!(
                out.written(),
                if sent.is_ok() { &trailers[..] } else { b"" }
            );
        }
    }
    #[cfg(target_pointer_width = "64")]
    assert!(frame::encode_prefix(u32::MAX as usize + 1, false).is_err());
}

#[test]
fn no_metadata_can_forge_a_trailer() {
    for entry in [
        Field::new("grpc-status", "0"),
        Field::new("x", "1\r\ngrpc-status: 0"),
        Field::new("x\r\ny", "1"),
        Field::new("X-Upper", "1"),
    ] {
        let (list, mut out) = ([entry], Vec::new());
        let sent = web::encode_trailers(Mode::Web, Status::OK, Fields::new(&list), &mut out);
        assert!(sent.is_err() && out.is_empty());
    }
    let mut out = Vec::new();
    let status = Status::new(Code::Unknown, "\r\ngrpc-status: 0\r\n");
    web::encode_trailers(Mode::Web, status, Fields::EMPTY, &mut out).unwrap();
    assert_eq!(web::fields(&out[5..]).count(), 2);
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded_in_every_form_and_cut(
        messages in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..50), 0..5),
        reason in "\\PC{0,9}",
        text_form: bool,
        cut in 1..20usize,
    ) {
        let mode = if text_form { Mode::WebText } else { Mode::Web };
        let mut stream = Vec::new();
        for message in &messages {
            web::encode_message(mode, message, &mut stream).unwrap();
        }
        let status = Status::new(Code::Aborted, reason.as_str());
        web::encode_trailers(mode, status, Fields::EMPTY, &mut stream).unwrap();
        let mut seen = read(response(mode), stream.chunks(cut), &Limits::DEFAULT);
        let Some(Seen::Trailers(block)) = seen.pop() else { panic!() };
        let told = web::fields(&block).map(Result::unwrap).find(|field| field.is("grpc-message"));
        prop_assert_eq!(percent_decode(told.map_or(b"", |field| field.value)), reason);
        let expect: Vec<_> = messages.into_iter().map(|m| Seen::Message(false, m)).collect();
        prop_assert_eq!(seen, expect);
    }

    #[test]
    fn any_bytes_at_any_cut_give_the_same_frames(
        input in proptest::collection::vec(prop_oneof![8 => 0..4u8, 2 => Just(0x80), 1 => any::<u8>()], 0..60),
        as_text: bool,
        noise in proptest::collection::vec(prop_oneof![9 => Just(None), 1 => any::<u8>().prop_map(Some)], 60),
        mode in prop_oneof![Just(Mode::Native), Just(Mode::Web), Just(Mode::WebText)],
        server: bool,
    ) {
        let mut input = input;
        if as_text {
            let mut out = Vec::new();
            for piece in input.chunks(7) {
                let piece = metadata::binary_value(piece);
                out.extend_from_slice(piece.as_bytes());
                out.resize(out.len().next_multiple_of(4), b'=');
            }
            for (byte, noise) in out.iter_mut().zip(noise) {
                *byte = noise.unwrap_or(*byte);
            }
            input = out;
        }
        let role = if server { Role::Server } else { Role::Client };
        let body = Body::new(mode, role, Compression::Announced);
        read_every_way(&body, &input, &Limits::DEFAULT.with_message(600).with_trailers(20));
    }

    #[test]
    fn no_text_panics(value in proptest::collection::vec(any::<u8>(), 0..40)) {
        let _ = (percent_decode(&value), timeout::parse(&value), ContentType::parse(&value));
        let _ = (Code::parse(&value), web::fields(&value).count(), metadata::binary_to_vec(&value));
        let _ = metadata::check(Field { name: b"a-bin", value: &value });
    }
}
