use super::*;
use alloc::vec::Vec;
use proptest::prelude::*;

fn check(text: &[u8]) {
    assert_eq!(
        is_utf8(text),
        core::str::from_utf8(text).is_ok(),
        "{text:x?}"
    );
    assert_eq!(as_text(text), core::str::from_utf8(text).ok());
}

/// Four bytes at all places that matter: within the first window, over the
/// edge of two, and at the end.
fn check_everywhere(bytes: &[u8], places: &[usize]) {
    let mut text = [b'a'; 101];
    for &at in places {
        text[at..at + bytes.len()].copy_from_slice(bytes);
        check(&text);
        check(&text[..at + bytes.len()]);
        text.fill(b'a');
    }
}

#[test]
fn two_bytes_are_judged_as_by_the_standard_library() {
    for a in 0x70..=255u8 {
        for b in 0..=255u8 {
            check_everywhere(&[a, b], &[0, 30, 31, 64, 97]);
        }
    }
}

#[test]
fn four_bytes_are_judged_as_by_the_standard_library() {
    let edges = [
        0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc2, 0xe1, 0xf1,
    ];
    for a in (0xc0..=255u8).chain([0x7f, 0x80]) {
        for b in edges {
            for c in edges {
                for d in edges {
                    check_everywhere(&[a, b, c, d], &[29, 62, 95]);
                }
            }
        }
    }
}

#[test]
fn text_of_any_length_is_judged_at_every_cut() {
    let text = "aé你😀\u{7ff}\u{800}\u{ffff}\u{10000}\u{10ffff}z".repeat(8);
    for from in 0..32 {
        for to in from..text.len() {
            check(&text.as_bytes()[from..to]);
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_judged_as_by_the_standard_library(
        pieces in proptest::collection::vec(prop_oneof![
            20 => any::<char>().prop_map(|c| alloc::string::String::from(c).into_bytes()),
            20 => (b' '..=b'~').prop_map(|b| Vec::from([b])),
            1 => any::<u8>().prop_map(|b| Vec::from([b])),
        ], 0..120),
    ) {
        let text = pieces.concat();
        prop_assert_eq!(is_utf8(&text), core::str::from_utf8(&text).is_ok());
    }
}
