//! The law of splits: however the input is cut, the application sees the same
//! and the same bytes are sent.
#![cfg(feature = "alloc")]

use crate::websocket_support::{Driver, ROLES, Seen, frame, frames};
use barewire::wire::Role;
use proptest::prelude::*;

/// Sequences of frames, as first byte and payload.
fn corpus() -> Vec<Vec<(u8, Vec<u8>)>> {
    let long = "λ, ß and 😀; ".repeat(12).into_bytes();
    let binary: Vec<u8> = (0..300).map(|i| i as u8).collect();
    let list: Vec<Vec<(u8, &[u8])>> = vec![
        vec![(0x81, b"Hello"), (0x82, b"\0\xff"), (0x81, b"")],
        vec![(0x82, &binary), (0x81, &long)],
        vec![
            (0x82, &binary[..125]),
            (0x82, &binary[..126]),
            (0x82, &binary[..127]),
        ],
        // Fragments, with and without controls in between.
        vec![(0x01, b"Hel"), (0x80, b"lo"), (0x81, b"!")],
        vec![(0x01, b""), (0x00, b""), (0x80, b"")],
        vec![
            (0x02, &binary[..40]),
            (0x00, &binary[40..41]),
            (0x00, b""),
            (0x80, &binary[41..]),
        ],
        vec![
            (0x01, b"a"),
            (0x89, b"ping"),
            (0x00, b"b"),
            (0x8a, b"pong"),
            (0x80, b"c"),
        ],
        vec![
            (0x01, b""),
            (0x89, &long[..120]),
            (0x89, b""),
            (0x00, b"xyz"),
            (0x89, b"2"),
            (0x80, b""),
        ],
        vec![
            (0x02, &binary[..7]),
            (0x89, &binary[..125]),
            (0x89, &binary[..125]),
            (0x80, &binary),
        ],
        // Characters cut by fragments and controls.
        vec![
            (0x01, b"k\xf0"),
            (0x00, b"\x9f"),
            (0x89, b"in"),
            (0x00, b"\x98"),
            (0x80, b"\x80!"),
        ],
        vec![(0x01, &long[..1]), (0x00, &long[1..2]), (0x80, &long[2..])],
        // Pings, pongs, closes.
        vec![(0x89, b""), (0x89, b"x"), (0x8a, b"y"), (0x88, b"")],
        vec![
            (0x81, b"bye"),
            (0x88, b"\x03\xe8see you, \xc3\xa9"),
            (0x81, b"too late"),
        ],
        vec![(0x01, b"open"), (0x88, b"\x0b\xb8")],
        vec![(0x88, b"\x03\xe8"), (0x88, b"\x03\xe8"), (0x89, b"after")],
        // What the peer must not do, with answers owed before it.
        vec![(0x89, b"owed"), (0x81, b"ok"), (0xc1, b"rsv")],
        vec![(0x89, b"owed"), (0x83, b"opcode")],
        vec![(0x81, b"ok"), (0x80, b"no message")],
        vec![(0x01, b"open"), (0x81, b"inside")],
        vec![(0x01, b"open"), (0x09, b"cut")],
        vec![(0x8b, b"")],
        vec![(0x89, &binary[..126])],
        vec![(0x88, b"\x03")],
        vec![(0x88, b"\x03\xed")],
        vec![(0x88, b"\x03\xe8\xff")],
        // Text that is not UTF-8: at the start, after good text, at the end.
        vec![(0x81, b"\xff")],
        vec![(0x81, b"good \xe2\x28 bad")],
        vec![(0x01, b"good \xe2\x82"), (0x89, b"?"), (0x80, b"\x28 bad")],
        vec![(0x01, b"good"), (0x80, b" cut \xe2\x82")],
        vec![(0x81, b"\xe2\x82")],
        vec![(0x01, b"\xed"), (0x80, b"\xa0\x80")],
        vec![(0x01, b"\xf4"), (0x00, b"\x90"), (0x80, b"")],
    ];
    list.into_iter()
        .map(|case| {
            case.into_iter()
                .map(|(first, p)| (first, p.to_vec()))
                .collect()
        })
        .collect()
}

fn bytes(role: Role, case: &[(u8, Vec<u8>)]) -> Vec<u8> {
    case.iter()
        .flat_map(|(first, p)| frame(role, *first, p))
        .collect()
}

fn transcript<'a>(
    role: Role,
    streaming: bool,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Seen>, Vec<u8>) {
    let mut driver = Driver::new(role, streaming);
    for piece in pieces {
        driver.feed(piece);
    }
    (driver.seen, driver.out)
}

#[test]
fn every_cut_in_two_gives_the_same_transcript() {
    for role in ROLES {
        for streaming in [false, true] {
            for case in corpus() {
                let input = bytes(role, &case);
                let whole = transcript(role, streaming, [&input[..]]);
                assert!(!whole.0.is_empty(), "{case:x?}");
                for cut in 1..input.len() {
                    let (a, b) = input.split_at(cut);
                    let split = transcript(role, streaming, [a, b]);
                    assert_eq!(split, whole, "{role:?} {streaming} cut at {cut}: {case:x?}");
                }
            }
        }
    }
}

#[test]
fn byte_by_byte_gives_the_same_transcript() {
    for role in ROLES {
        for streaming in [false, true] {
            for case in corpus() {
                let input = bytes(role, &case);
                let whole = transcript(role, streaming, [&input[..]]);
                let split = transcript(role, streaming, input.chunks(1));
                assert_eq!(split, whole, "{role:?} {streaming}: {case:x?}");
            }
        }
    }
}

#[test]
fn messages_and_chunks_tell_the_same_story() {
    for role in ROLES {
        for case in corpus() {
            let input = bytes(role, &case);
            let (whole, sent) = transcript(role, false, [&input[..]]);
            let (chunks, also_sent) = transcript(role, true, [&input[..]]);
            assert_eq!(sent, also_sent);
            let messages = |seen: Vec<Seen>| -> Vec<Seen> {
                seen.into_iter()
                    .filter(|seen| !matches!(seen, Seen::Message(..) | Seen::Chunk(..)))
                    .collect()
            };
            assert_eq!(messages(whole), messages(chunks));
        }
    }
}

#[test]
fn heads_with_faults_fail_alike_at_every_cut() {
    let heads: &[&[u8]] = &[
        b"\x82\xfe\x00\x7d\0\0\0\0",
        b"\x82\xff\0\0\0\0\0\0\xff\xff\0\0\0\0",
        b"\x82\xff\x80\0\0\0\0\0\0\0\0\0\0\0",
        b"\x82\xff\0\0\0\0\x7f\xff\xff\xff\0\0\0\0",
        b"\x82\x05hello",
        b"\x89\xfe\x01\x00\0\0\0\0",
        b"\xf0\xff",
    ];
    for head in heads {
        let whole = transcript(Role::Server, false, [*head]);
        assert!(matches!(whole.0[..], [Seen::Failed(_)]), "{head:x?}");
        for cut in 0..head.len() {
            let (a, b) = head.split_at(cut);
            assert_eq!(transcript(Role::Server, false, [a, b]), whole);
        }
    }
}

fn random_frame() -> impl Strategy<Value = (u8, Vec<u8>)> {
    let text = prop_oneof![
        6 => "[a-zé😀λ]{0,40}".prop_map(String::into_bytes),
        1 => proptest::collection::vec(any::<u8>(), 0..12),
    ];
    let first = prop_oneof![
        3 => Just(0x81u8), 3 => Just(0x01), 6 => Just(0x00), 4 => Just(0x80),
        2 => Just(0x82), 2 => Just(0x02), 4 => Just(0x89), 2 => Just(0x8a),
        1 => Just(0x88), 1 => any::<u8>(),
    ];
    (first, text)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn random_frames_survive_random_cuts(
        list in proptest::collection::vec(random_frame(), 1..12),
        cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..12),
        streaming: bool,
        client: bool,
    ) {
        let role = if client { Role::Client } else { Role::Server };
        let input = bytes(role, &list);
        let whole = transcript(role, streaming, [&input[..]]);
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(input.len() + 1)).collect();
        cuts.extend([0, input.len()]);
        cuts.sort_unstable();
        let split = transcript(role, streaming, cuts.windows(2).map(|w| &input[w[0]..w[1]]));
        prop_assert_eq!(split, whole);
    }

    #[test]
    fn arbitrary_bytes_never_panic_and_always_move_on(
        input in proptest::collection::vec(any::<u8>(), 0..300),
        piece in 1..40usize,
        streaming: bool,
        client: bool,
    ) {
        let role = if client { Role::Client } else { Role::Server };
        let whole = transcript(role, streaming, [&input[..]]);
        let split = transcript(role, streaming, input.chunks(piece));
        prop_assert_eq!(split, whole);
    }
}

#[test]
fn a_message_in_one_frame_does_not_move_and_is_not_kept_twice() {
    let payload = vec![7; 10_000];
    let input = frames(Role::Server, &[(0x82, &payload)]);
    let mut driver = Driver::new(Role::Server, false);
    for piece in input.chunks(100) {
        driver.feed(piece);
    }
    assert_eq!(driver.seen.len(), 1);
    assert!(
        driver.most_kept <= payload.len(),
        "the head is dropped at once"
    );
}
