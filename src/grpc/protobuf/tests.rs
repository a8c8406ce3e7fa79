use super::*;
use proptest::prelude::*;

proptest! {
    #[test]
    fn what_is_put_is_read_again(
        numbers in proptest::collection::vec((1..1_u32 << 29, any::<u64>()), 0..5),
        texts in proptest::collection::vec((1..1_u32 << 29, any::<Vec<u8>>()), 0..5),
    ) {
        let mut out = Vec::new();
        for &(number, value) in &numbers {
            put_number(number, value, &mut out);
        }
        for (number, value) in &texts {
            put_bytes(*number, value, &mut out);
        }
        let numbers = numbers.iter().map(|&(number, value)| (number, Value::Number(value)));
        let texts = texts.iter().map(|(number, value)| (*number, Value::Bytes(value)));
        let expected: Vec<_> = numbers.chain(texts).map(Ok).collect();
        prop_assert_eq!(Fields::new(&out).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn anything_is_read_to_an_end(bytes in any::<Vec<u8>>()) {
        prop_assert!(Fields::new(&bytes).count() <= bytes.len());
    }
}

#[test]
fn what_is_malformed_ends_the_message() {
    for bytes in [
        &b"\x08"[..],                                        // no value
        b"\x0a\x05abc",                                      // cut short
        b"\x0b",                                             // a group
        b"\x00\x00",                                         // no number
        b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", // more than 64 bits
    ] {
        assert_eq!(Fields::new(bytes).collect::<Vec<_>>(), [Err(Malformed)]);
    }
}
