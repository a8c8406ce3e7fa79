use super::*;
use alloc::{string::String, vec, vec::Vec};
use proptest::prelude::*;

fn encoded(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    encode(text, encoded_len(text), &mut out);
    out
}

fn decoded(code: &[u8], room: usize) -> Result<Vec<u8>, Failure> {
    let mut out = vec![0; room];
    decode(code, &mut out).map(|len| out[..len].to_vec())
}

/// The code bit by bit, from its definition.
fn naive(code: &[u8]) -> Option<Vec<u8>> {
    let bits: String = code.iter().map(|b| std::format!("{b:08b}")).collect();
    let (mut out, mut start) = (Vec::new(), 0);
    for end in 1..=bits.len() {
        let word = u32::from_str_radix(&bits[start..end], 2).ok()?;
        let hit = (0..SYMBOLS)
            .find(|&s| LENGTHS[s] as usize == end - start && CANONICAL.codes[s] == word);
        match hit {
            Some(256) => return None,
            Some(symbol) => {
                out.push(symbol as u8);
                start = end;
            }
            None if end - start > MAX_LEN => return None,
            None => {}
        }
    }
    let padding = &bits[start..];
    (padding.len() < 8 && !padding.contains('0')).then_some(out)
}

#[test]
fn codes_of_appendix_b_come_out() {
    for (symbol, code) in [
        (0, 0x1ff8),
        (10, 0x3ffffffc),
        (b'0' as usize, 0),
        (b'a' as usize, 3),
        (b'~' as usize, 0x1ffd),
        (249, 0xffffffe),
        (256, 0x3fffffff),
    ] {
        assert_eq!(CANONICAL.codes[symbol], code, "{symbol}");
    }
    assert!(size_of_val(&PAIRS) + size_of_val(&CANONICAL) <= 64 * 1024);
}

#[test]
fn every_symbol_survives_in_every_company() {
    for a in 0..=255u8 {
        for b in [b'0', b'a', b'&', b'z', 0, 10, 255] {
            let text = [a, b, a, a, b, b, a, b'e', a];
            assert_eq!(decoded(&encoded(&text), 9).as_deref(), Ok(&text[..]));
        }
    }
}

#[test]
fn padding_is_short_and_of_ones() {
    assert_eq!(decoded(&[0b0000_0111], 9), Ok(vec![b'0']));
    assert_eq!(decoded(&[0b0000_0110], 9), Err(Failure::Invalid));
    assert_eq!(decoded(&[0b0000_0111, 0xff], 9), Err(Failure::Invalid));
    assert_eq!(decoded(&[0xff], 9), Err(Failure::Invalid));
    assert_eq!(decoded(&[0xff; 4], 9), Err(Failure::Invalid), "EOS");
    assert_eq!(decoded(&[0xff; 40], 99), Err(Failure::Invalid), "EOS");
    assert_eq!(decoded(&[], 0), Ok(vec![]));
}

#[test]
fn nothing_is_written_beyond_the_room() {
    let code = encoded(&[b'0'; 100]);
    for room in 0..100 {
        assert_eq!(decoded(&code, room), Err(Failure::NoRoom), "{room}");
    }
    assert_eq!(decoded(&code, 100), Ok(vec![b'0'; 100]));
}

proptest! {
    #[test]
    fn one_pass_makes_what_two_do(text in proptest::collection::vec(
        prop_oneof![99 => b'a'..=b'z', 20 => 32..127u8, 1 => any::<u8>()], 0..70)) {
        let code = encoded(&text);
        match Short::encode(&text) {
            Some(short) => {
                prop_assert!(code.len() < text.len());
                prop_assert_eq!(short.string()[0], 0x80 | code.len() as u8);
                prop_assert_eq!(&short.string()[1..], &code);
            }
            None => prop_assert!(
                code.len() >= text.len() || text.len() > 64 || !text.is_ascii()
                    || text.iter().any(|&b| b == b'\\' || b.is_ascii_control())
            ),
        }
    }

    #[test]
    fn text_survives_a_round_trip(text in proptest::collection::vec(
        prop_oneof![4 => 32..127u8, 1 => any::<u8>()], 0..80)) {
        let code = encoded(&text);
        prop_assert_eq!(decoded(&code, text.len()), Ok(text));
    }

    #[test]
    fn any_octets_decode_as_the_definition_has_it(
        code in proptest::collection::vec(
            prop_oneof![any::<u8>(), Just(0xff), 0xf0..=255u8], 0..24)) {
        prop_assert_eq!(decoded(&code, 64).ok(), naive(&code));
    }
}
