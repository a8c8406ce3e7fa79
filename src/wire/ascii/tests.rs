use super::*;
use crate::wire::Slice;
use proptest::prelude::*;

#[test]
fn classes_follow_the_grammar() {
    for b in 0..=255u8 {
        let tchar = b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        assert_eq!(is_tchar(b), tchar, "{b}");
        assert_eq!(is_field_vchar(b), b == 9 || (b >= 32 && b != 127), "{b}");
        assert_eq!(is_vchar(b), (33..127).contains(&b), "{b}");
    }
}

#[test]
fn only_what_shows_is_printable() {
    for len in 0..40 {
        for at in 0..len {
            for b in 0..=255 {
                let mut text = [b'x'; 40];
                text[at] = b;
                let expected = matches!(b, b' '..=b'~');
                assert_eq!(is_printable(&text[..len]), expected, "{b} at {at} of {len}");
            }
        }
    }
    assert!(is_printable(b""));
}

#[test]
fn a_control_is_found_wherever_it_stands_in_a_value() {
    for b in 0..=255u8 {
        for len in 1..20 {
            for at in 0..len {
                let mut text = [0xff; 20];
                text[at] = b;
                let text = &text[..len];
                assert_eq!(is_field_value(text), is_field_vchar(b), "{b} at {at}");
            }
        }
    }
}

#[test]
fn numbers_beyond_64_bits_are_refused() {
    assert_eq!(parse_decimal(b"18446744073709551615"), Some(u64::MAX));
    assert_eq!(parse_decimal(b"18446744073709551616"), None);
    assert_eq!(parse_decimal(b"00018446744073709551615"), Some(u64::MAX));
    assert_eq!(parse_hex(b"ffffffffffffffff"), Some(u64::MAX));
    assert_eq!(parse_hex(b"0000ffffffffffffffff"), Some(u64::MAX));
    assert_eq!(parse_hex(b"10000000000000005"), None);
    for bad in [&b""[..], b"+5", b"-1", b"0x5", b" 5", b"5 ", b"5_0"] {
        assert_eq!(
            (parse_decimal(bad), parse_hex(bad)),
            (None, None),
            "{bad:?}"
        );
    }
}

proptest! {
    #[test]
    fn numbers_survive_a_round_trip(n: u64) {
        let mut memory = [0; 36];
        let mut out = Slice::new(&mut memory);
        put_decimal(n, &mut out);
        prop_assert_eq!(core::str::from_utf8(out.written()).unwrap(), std::format!("{n}"));
        prop_assert_eq!(parse_decimal(out.written()), Some(n));
        out.clear();
        put_hex(n, &mut out);
        prop_assert_eq!(core::str::from_utf8(out.written()).unwrap(), std::format!("{n:x}"));
        prop_assert_eq!(parse_hex(out.written()), Some(n));
    }
}
