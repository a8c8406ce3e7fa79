use super::super::tests::decoded;
use super::*;
use alloc::format;
use alloc::string::String;
use alloc::vec;

/// Text of records that are alike and not the same.
fn text(length: usize) -> Vec<u8> {
    let mut text = String::new();
    let mut seed = 1_u64;
    while text.len() < length {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        text.push_str(&format!(
            "{{\"id\":{},\"name\":\"item\",\"price\":{}}}\n",
            seed >> 40,
            seed >> 54
        ));
    }
    text.truncate(length);
    text.into_bytes()
}

fn codings() -> impl Iterator<Item = Coding> {
    Coding::ALL.into_iter().filter(|it| it.is_available())
}

#[test]
fn a_body_decodes_to_what_it_was_whatever_its_length_and_level() {
    for coding in codings() {
        let (least, most) = coding.levels();
        for level in [least, coding.level(), most] {
            let mut encoder = Encoder::new(coding, level, Purpose::Body).unwrap();
            for length in [0, 1, 2, 100, 1000, 10_000, 300_000] {
                let (body, mut coded) = (text(length), vec![7; 3]);
                encoder.whole(&body, &mut coded).unwrap();
                assert_eq!(coded[..3], [7; 3]);
                assert!(
                    decoded(coding, &coded[3..]) == body,
                    "{coding:?} {level} {length}"
                );
                assert!(
                    length < 1000 || coded.len() < length / 2,
                    "{coding:?} {level} {length}"
                );
            }
        }
    }
}

#[test]
fn a_body_in_pieces_decodes_to_what_it_was_and_comes_out_when_it_is_flushed() {
    for coding in codings() {
        let mut encoder = Encoder::new(coding, coding.level(), Purpose::Body).unwrap();
        for (piece, flush_each) in [(1, 7), (100, 1), (5000, 3), (70_000, 1)] {
            encoder.begin();
            let (body, mut coded) = (text(3 * piece + 11), Vec::new());
            for (at, piece) in body.chunks(piece).enumerate() {
                let then = match at % flush_each {
                    0 => Then::Flush,
                    _ => Then::More,
                };
                encoder.put(piece, then, &mut coded).unwrap();
                if then == Then::Flush {
                    let so_far = decoded(coding, &coded);
                    assert!(so_far.ends_with(piece), "{coding:?} {at}");
                }
            }
            encoder.put(&[], Then::End, &mut coded).unwrap();
            assert!(decoded(coding, &coded) == body, "{coding:?} {piece}");
        }
    }
}

#[test]
fn a_state_says_how_much_memory_it_takes() {
    for coding in codings() {
        let mut encoder = Encoder::new(coding, coding.level(), Purpose::Events).unwrap();
        let before = encoder.memory();
        let mut out = Vec::new();
        for piece in text(200_000).chunks(500) {
            encoder.put(piece, Then::Flush, &mut out).unwrap();
        }
        assert!(
            encoder.memory() <= before,
            "{coding:?} {}",
            encoder.memory()
        );
    }
}
