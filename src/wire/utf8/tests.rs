use super::*;
use proptest::prelude::*;

/// The longest prefix that some continuation makes valid, by brute force
/// over what std accepts.
fn first_impossible(text: &[u8]) -> Option<usize> {
    const TAILS: [&[u8]; 6] = [
        b"",
        b"\x80",
        b"\x80\x80",
        b"\x80\x80\x80",
        b"\xa0\x80\x80",
        b"\x90\x80\x80",
    ];
    (0..text.len()).find(|&at| {
        let prefix = &text[..=at];
        !TAILS.iter().any(|tail| {
            (0..=tail.len()).any(|n| core::str::from_utf8(&[prefix, &tail[..n]].concat()).is_ok())
        })
    })
}

fn pushed(pieces: &[&[u8]]) -> Result<Utf8, usize> {
    let (mut check, mut offset) = (Utf8::new(), 0);
    for piece in pieces {
        check.push(piece).map_err(|error| offset + error.at)?;
        offset += piece.len();
    }
    Ok(check)
}

#[test]
fn every_two_and_three_byte_start_fails_at_its_first_impossible_byte() {
    for a in 0x70..=255u8 {
        for b in (0..=255u8).step_by(3) {
            for c in [0x00, 0x7f, 0x80, 0x9f, 0xa0, 0xbf, 0xc0, 0xff] {
                let text = [a, b, c];
                assert_eq!(pushed(&[&text]).err(), first_impossible(&text), "{text:x?}");
            }
        }
    }
}

#[test]
fn a_cut_character_is_pending() {
    for (cut, pending) in [(1, 1), (2, 2), (3, 3), (4, 0)] {
        let check = pushed(&[&"😀".as_bytes()[..cut]]).unwrap();
        assert_eq!(
            (check.pending(), check.is_complete()),
            (pending, pending == 0)
        );
    }
}

proptest! {
    #[test]
    fn any_split_fails_at_the_same_byte(
        text in proptest::collection::vec(prop_oneof![any::<u8>(), 0x80..0xc0u8, Just(0xe2), Just(0xf0), 0x20..0x7fu8], 0..24),
        cut in 0..24usize, again in 0..24usize,
    ) {
        let whole = pushed(&[&text]).map(|c| c.pending());
        prop_assert_eq!(whole.err(), first_impossible(&text));
        let (a, b) = (cut.min(text.len()), again.min(text.len()));
        let (a, b) = (a.min(b), a.max(b));
        let split = pushed(&[&text[..a], &text[a..b], &text[b..]]).map(|c| c.pending());
        prop_assert_eq!(whole, split);
        prop_assert_eq!(whole == Ok(0), core::str::from_utf8(&text).is_ok());
    }
}
