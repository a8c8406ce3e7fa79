//! The libraries of the codings as oracles.

use super::Coding;

/// Decodes a coded body, as far as it has come.
pub(super) fn decoded(coding: Coding, coded: &[u8]) -> alloc::vec::Vec<u8> {
    oracle(coding, coded).0
}

/// Decodes a coded body, if it has come to its end.
pub(super) fn complete(coding: Coding, coded: &[u8]) -> Option<alloc::vec::Vec<u8>> {
    let (text, has_ended) = oracle(coding, coded);
    has_ended.then_some(text)
}

/// Decodes a body by the library of its coding; says whether it has come to its end.
fn oracle(coding: Coding, coded: &[u8]) -> (alloc::vec::Vec<u8>, bool) {
    use std::io::Read;
    let mut text = alloc::vec::Vec::new();
    let _ = coded;
    let has_ended = match coding {
        #[cfg(feature = "gzip")]
        Coding::Gzip => flate2::read::MultiGzDecoder::new(coded)
            .read_to_end(&mut text)
            .is_ok(),
        #[cfg(feature = "brotli")]
        Coding::Brotli => {
            let mut reader = ::brotli::Decompressor::new(coded, 4096);
            loop {
                let mut piece = [0; 1024];
                match reader.read(&mut piece) {
                    Ok(0) => break true,
                    Ok(length) => text.extend_from_slice(&piece[..length]),
                    Err(_) => break false,
                }
            }
        }
        #[cfg(feature = "zstd")]
        Coding::Zstd => {
            let mut state = zstd_safe::DCtx::create();
            let mut input = zstd_safe::InBuffer::around(coded);
            loop {
                let mut piece = [0; 1024];
                let mut room = zstd_safe::OutBuffer::around(&mut piece[..]);
                let left = state.decompress_stream(&mut room, &mut input).unwrap();
                let written = room.as_slice();
                text.extend_from_slice(written);
                let is_read = input.pos() == coded.len();
                // Asked once more behind the end of a frame, it would expect another.
                if is_read && (left == 0 || written.len() < 1024) {
                    break left == 0 || coded.is_empty();
                }
            }
        }
        #[allow(unreachable_patterns, reason = "with all of the features")]
        _ => unreachable!(),
    };
    (text, has_ended)
}

#[cfg(any(feature = "gzip", feature = "brotli", feature = "zstd"))]
mod random {
    use alloc::vec;
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::super::Coding;
    use super::super::decode::{DecodeLimits, Decoding};
    use super::super::encode::Encoder;
    use super::super::lent::{Lent, Made};
    use super::super::stream::{Ownership, Part, Position};
    use super::super::work::{Purpose, Then};
    use crate::http::{Field, Fields};

    fn coding() -> impl Strategy<Value = Coding> {
        let available = Coding::ALL.into_iter().filter(|it| it.is_available());
        proptest::sample::select(available.collect::<Vec<_>>())
    }

    /// One of the levels; the highest ones of br are for bodies that are made with time.
    fn level(coding: Coding) -> impl Strategy<Value = u8> {
        let (least, most) = coding.levels();
        least..=most.min(9)
    }

    /// Words that repeat, and bytes that do not.
    fn body() -> impl Strategy<Value = Vec<u8>> {
        let word = prop_oneof![
            4 => proptest::sample::select(vec!["id", "name", "\":\"", "},{", "0", "item "])
                .prop_map(|it| Vec::from(it.as_bytes())),
            1 => proptest::collection::vec(any::<u8>(), 0..40),
            1 => (any::<u8>(), 0..3000_usize).prop_map(|(byte, times)| vec![byte; times]),
        ];
        proptest::collection::vec(word, 0..60).prop_map(|it| it.concat())
    }

    fn pieces<'b>(body: &'b [u8], cuts: &[prop::sample::Index]) -> Vec<&'b [u8]> {
        let mut at: Vec<usize> = cuts.iter().map(|it| it.index(body.len() + 1)).collect();
        at.sort_unstable();
        let starts = core::iter::once(0).chain(at.iter().copied());
        let ends = at.iter().copied().chain([body.len()]);
        starts.zip(ends).map(|(from, to)| &body[from..to]).collect()
    }

    /// What a client of ours makes of it.
    fn taken_off(names: &str, pieces: &[&[u8]]) -> Vec<u8> {
        let limits = DecodeLimits {
            codings: 3,
            decoded: 1 << 30,
            window: 8 << 20,
            empty: 64,
        };
        let list = [Field::new("Content-Encoding", names)];
        let mut decoding = Decoding::of(Fields::new(&list), &limits).unwrap().unwrap();
        let (mut text, mut input) = (Vec::new(), Vec::new());
        for at in 0..=pieces.len() {
            input.extend_from_slice(pieces.get(at).copied().unwrap_or_default());
            loop {
                let used = decoding.advance(&input, at == pieces.len()).unwrap();
                input.drain(..used);
                let length = decoding.piece().len();
                if length == 0 {
                    break;
                }
                // Taken in two parts, as by a reader with little room.
                text.extend_from_slice(&decoding.piece()[..length / 2]);
                decoding.consume(length / 2);
                text.extend_from_slice(decoding.piece());
                decoding.consume(length - length / 2);
            }
        }
        assert!(input.is_empty());
        text
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// A body in pieces, some of them flushed, decodes to what it was, cut anywhere, by
        /// our decoder and by others'; and again with the state that has made it.
        #[test]
        fn a_body_is_what_it_was(
            (coding, level) in coding().prop_flat_map(|it| (Just(it), level(it))),
            body in body(),
            cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..5),
            flushed in any::<u8>(),
            taken in proptest::collection::vec(any::<prop::sample::Index>(), 0..5),
        ) {
            let mut encoder = Encoder::new(coding, level, Purpose::Body).unwrap();
            for _ in 0..2 {
                encoder.begin();
                let mut coded = Vec::new();
                for (number, piece) in pieces(&body, &cuts).into_iter().enumerate() {
                    let then = if flushed >> number & 1 == 1 { Then::Flush } else { Then::More };
                    encoder.put(piece, then, &mut coded).unwrap();
                }
                encoder.put(&[], Then::End, &mut coded).unwrap();
                prop_assert!(taken_off(coding.name(), &pieces(&coded, &taken)) == body);
                prop_assert!(super::complete(coding, &coded).as_deref() == Some(&*body));
                let mut whole = Vec::new();
                encoder.whole(&body, &mut whole).unwrap();
                prop_assert!(taken_off(coding.name(), &pieces(&whole, &taken)) == body);
            }
        }

        /// Codings on codings.
        #[test]
        fn a_body_is_what_it_was_within_others(
            codings in proptest::collection::vec(coding(), 1..=3),
            body in body(),
            taken in proptest::collection::vec(any::<prop::sample::Index>(), 0..5),
        ) {
            let mut coded = body.clone();
            for coding in &codings {
                let mut out = Vec::new();
                let mut encoder = Encoder::new(*coding, coding.level(), Purpose::Body).unwrap();
                encoder.whole(&coded, &mut out).unwrap();
                coded = out;
            }
            let names: Vec<&str> = codings.iter().map(|it| it.name()).collect();
            prop_assert!(taken_off(&names.join(", "), &pieces(&coded, &taken)) == body);
        }

        /// Events of a stream's own, with its state, with a new one and with a lent one, and
        /// parts between them: each is there before the next one comes.
        #[test]
        fn events_are_what_they_were(
            (coding, level) in coding().prop_flat_map(|it| (Just(it), level(it))),
            events in proptest::collection::vec((0..4_u8, body()), 0..12),
            taken in proptest::collection::vec(any::<prop::sample::Index>(), 0..5),
        ) {
            let lent = Lent::default();
            let made = Made { coding, level, purpose: Purpose::Events };
            let position = Position::new(coding, level);
            let (mut own, mut plain, mut coded) = (None, Vec::new(), Vec::new());
            for (kind, event) in &events {
                plain.extend_from_slice(event);
                match kind {
                    0 => {
                        let part = lent.with(made, |it| Part::new(event, coding, it)).unwrap();
                        let (front, range) = position.append(&part);
                        coded.extend_from_slice(front);
                        coded.extend_from_slice(&part.bytes[range]);
                    }
                    1 => lent
                        .with(made, |it| position.put_own(event, (it, Ownership::Lent), &mut coded))
                        .unwrap(),
                    2 if own.is_some() => {
                        let state = own.as_mut().unwrap();
                        position.put_own(event, (state, Ownership::Own), &mut coded).unwrap();
                    }
                    _ => {
                        let mut state = own.take().or_else(|| made.make()).unwrap();
                        position.put_own(event, (&mut state, Ownership::New), &mut coded).unwrap();
                        own = Some(state);
                    }
                }
                prop_assert!(super::decoded(coding, &coded) == plain, "{kind}");
            }
            position.put_end(&mut coded);
            prop_assert!(taken_off(coding.name(), &pieces(&coded, &taken)) == plain);
            prop_assert!(super::complete(coding, &coded).as_deref() == Some(&*plain));
        }
    }
}
