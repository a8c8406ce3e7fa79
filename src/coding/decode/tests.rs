use super::super::encode::Encoder;
use super::super::name::Coding;
use super::super::work::{Purpose, Then};
use super::*;
use crate::http::Field;
use alloc::string::String;
use alloc::vec;

const LIMITS: DecodeLimits = DecodeLimits {
    codings: 3,
    decoded: 1 << 20,
    window: 8 << 20,
    empty: 8,
};

/// Decodes a body that comes in pieces.
fn decode(name: &str, pieces: &[&[u8]], limits: &DecodeLimits) -> Result<Vec<u8>, Fault> {
    let list = [Field::new("Content-Encoding", name)];
    let mut decoding = Decoding::of(Fields::new(&list), limits)?.expect("a coding");
    let (mut text, mut input) = (Vec::new(), Vec::new());
    for at in 0..=pieces.len() {
        input.extend_from_slice(pieces.get(at).copied().unwrap_or_default());
        loop {
            let used = decoding.advance(&input, at == pieces.len())?;
            input.drain(..used);
            let piece = decoding.piece();
            if piece.is_empty() {
                break;
            }
            text.extend_from_slice(piece);
            let length = piece.len();
            decoding.consume(length);
        }
    }
    Ok(text)
}

fn coded(coding: Coding, text: &[u8]) -> Vec<u8> {
    let mut encoder = Encoder::new(coding, coding.level(), Purpose::Body).unwrap();
    let mut out = Vec::new();
    encoder.whole(text, &mut out).unwrap();
    out
}

fn codings() -> impl Iterator<Item = Coding> {
    Coding::ALL.into_iter().filter(|it| it.is_available())
}

fn text() -> Vec<u8> {
    let words =
        (0..400_u32).map(|it| alloc::format!("word {} ", it.wrapping_mul(2_654_435_761) >> 20));
    words.collect::<String>().into_bytes()
}

#[test]
fn each_coding_is_taken_off_at_every_cut_and_truncated_at_none() {
    for coding in codings() {
        let (text, name) = (text(), coding.name());
        let body = coded(coding, &text);
        for at in 0..=body.len() {
            let (a, b) = body.split_at(at);
            let whole = decode(name, &[a, b], &LIMITS);
            assert!(whole.as_ref() == Ok(&text), "{name} {at} {:?}", whole.err());
            let cut = decode(name, &[a], &LIMITS);
            assert!(at == 0 || at == body.len() || cut.is_err(), "{name} {at}");
        }
        let bytes: Vec<&[u8]> = body.chunks(1).collect();
        assert!(
            decode(name, &bytes, &LIMITS).as_ref() == Ok(&text),
            "{name}"
        );
        for behind in [&b"x"[..], b"\0\0\0\0", &body[1..]] {
            let more = decode(name, &[&body, behind], &LIMITS);
            assert!(matches!(more, Err(Fault::Coding(_))), "{name} {more:?}");
        }
        for nonsense in [&b"plain text"[..], b"\xff\xff\xff\xff\xff"] {
            assert!(decode(name, &[nonsense], &LIMITS).is_err(), "{name}");
        }
    }
}

#[test]
fn what_is_flushed_is_there_before_the_rest_comes() {
    for coding in codings() {
        let mut encoder = Encoder::new(coding, coding.level(), Purpose::Body).unwrap();
        let mut body = Vec::new();
        encoder.put(b"first", Then::Flush, &mut body).unwrap();
        let list = [Field::new("Content-Encoding", coding.name())];
        let mut decoding = Decoding::of(Fields::new(&list), &LIMITS).unwrap().unwrap();
        let (mut at, mut text) = (0, Vec::new());
        while text.len() < 5 {
            let used = decoding.advance(&body[at..], false).unwrap();
            let piece = decoding.piece();
            assert!(used > 0 || !piece.is_empty(), "{coding:?} {text:?}");
            at += used;
            text.extend_from_slice(piece);
            let length = piece.len();
            decoding.consume(length);
        }
        assert_eq!(text, b"first");
    }
}

#[cfg(feature = "gzip")]
#[test]
fn the_head_of_a_gzip_member_is_bounded_in_any_pieces() {
    let text = text();
    let body = coded(Coding::Gzip, &text);
    for (name, is_good) in [(0, true), (4085, true), (4086, false), (9000, false)] {
        let mut named = body[..10].to_vec();
        named[3] |= 8; // the name of a file follows (RFC 1952 §2.3.1)
        named.extend(vec![b'n'; name]);
        named.push(0);
        named.extend_from_slice(&body[10..]);
        for pieces in [
            vec![&*named],
            named.chunks(1).collect(),
            named.chunks(4096).collect(),
        ] {
            let decoded = decode("gzip", &pieces, &LIMITS);
            let expected = is_good.then_some(&text);
            assert!(decoded.as_ref().ok() == expected, "{name} {}", pieces.len());
        }
    }
}

#[test]
fn a_bomb_goes_off_at_the_limit() {
    for coding in codings() {
        let bomb = coded(coding, &vec![0; 64 << 20]);
        assert!(bomb.len() < 70_000, "{coding:?} {}", bomb.len());
        let gone_off = decode(coding.name(), &[&bomb], &LIMITS);
        assert_eq!(
            gone_off.err(),
            Some(Fault::TooLarge("decoded")),
            "{coding:?}"
        );
        let twice = coded(coding, &bomb);
        let names = alloc::format!("{0}, {0}", coding.name());
        let gone_off = decode(&names, &[&twice], &LIMITS);
        assert_eq!(gone_off.err(), Some(Fault::TooLarge("decoded")), "{names}");
    }
}

#[cfg(feature = "zstd")]
#[test]
fn frames_of_zstd_are_one_body_and_what_is_to_be_skipped_is_bounded() {
    let frame = coded(Coding::Zstd, b"some text");
    let skipped = |length: u32| {
        let mut frame = vec![0x5a, 0x2a, 0x4d, 0x18];
        frame.extend(length.to_le_bytes());
        frame.extend(vec![7; length as usize]);
        frame
    };
    let body = [
        skipped(0),
        frame.clone(),
        skipped(5),
        frame.clone(),
        skipped(1000),
    ]
    .concat();
    for at in 0..=body.len() {
        let (a, b) = body.split_at(at);
        assert_eq!(
            decode("zstd", &[a, b], &LIMITS),
            Ok(b"some textsome text".to_vec())
        );
    }
    for at in [3, 7, body.len() - 1, body.len() - 1005] {
        assert!(decode("zstd", &[&body[..at]], &LIMITS).is_err(), "{at}");
    }
    let empty = coded(Coding::Zstd, b"");
    for (part, count, limit) in [
        (skipped(1), 9, "empty_members"),
        (empty.clone(), 9, "empty_members"),
        (skipped(3 << 20), 3, "decoding_window"),
    ] {
        let fault = decode("zstd", &[&part.repeat(count)], &LIMITS).err();
        assert_eq!(fault, Some(Fault::TooLarge(limit)));
        assert!(decode("zstd", &[&part.repeat(count - 1)], &LIMITS).is_ok());
    }
    let mixed = [empty.repeat(8), frame, empty.repeat(8)].concat();
    assert!(decode("zstd", &[&mixed], &LIMITS).is_ok());
}

#[cfg(feature = "zstd")]
#[test]
fn the_window_of_zstd_is_refused_beyond_the_limit() {
    // A frame whose head announces a window of 16 MiB, or of 8, and an empty last block.
    let frame = |exponent: u8| [0x28, 0xb5, 0x2f, 0xfd, 0, exponent << 3, 1, 0, 0];
    assert_eq!(decode("zstd", &[&frame(13)], &LIMITS), Ok(Vec::new()));
    let large = decode("zstd", &[&frame(14)], &LIMITS);
    assert_eq!(large, Err(Fault::TooLarge("decoding_window")));
    let small = DecodeLimits {
        window: 1000,
        ..LIMITS
    };
    assert_eq!(
        decode("zstd", &[&frame(0)], &small),
        Err(Fault::TooLarge("decoding_window"))
    );
}

#[cfg(feature = "brotli")]
#[test]
fn the_window_of_br_is_bounded_by_what_it_has_brought() {
    use ::brotli::enc::BrotliEncoderParams;
    let coded = |bits, is_large, length| {
        let params = BrotliEncoderParams {
            quality: 5,
            lgwin: bits,
            large_window: is_large,
            ..Default::default()
        };
        let (text, mut out) = (vec![b'a'; length], Vec::new());
        ::brotli::BrotliCompress(&mut &text[..], &mut out, &params).unwrap();
        out
    };
    let small = DecodeLimits {
        window: 64 << 10,
        ..LIMITS
    };
    for (bits, length, is_refused) in [
        (10, 200_000, false),
        (16, 200_000, false),
        (17, 60_000, false),
        (17, 200_000, true),
        (24, 60_000, false),
        (24, 200_000, true),
    ] {
        let result = decode("br", &[&coded(bits, false, length)], &small);
        assert_eq!(result.is_err(), is_refused, "{bits} {length}");
    }
    let large = decode("br", &[&coded(26, true, 100)], &LIMITS);
    assert_eq!(large, Err(Fault::TooLarge("decoding_window")));
}
