use super::*;
use ::base64::{Engine, engine::general_purpose::STANDARD};
use ::sha1::{Digest, Sha1};
use alloc::{vec, vec::Vec};
use proptest::prelude::*;

#[test]
fn the_examples_of_the_standards() {
    // RFC 3174 §7.3.
    let digest = sha1([b"a", b"bc"]);
    assert_eq!(digest[..4], [0xa9, 0x99, 0x3e, 0x36]);
    // RFC 4648 §10.
    for (bytes, expected) in [
        (&b""[..], &b""[..]),
        (b"f", b"Zg=="),
        (b"fo", b"Zm8="),
        (b"foobar", b"Zm9vYmFy"),
    ] {
        let mut text = vec![b'='; expected.len()];
        base64(bytes, &mut text);
        assert_eq!(text, expected);
    }
}

#[test]
fn every_length_around_two_blocks_is_padded_right() {
    let bytes = [0x61; 200];
    for length in 0..bytes.len() {
        let expected: [u8; 20] = Sha1::digest(&bytes[..length]).into();
        assert_eq!(sha1([&bytes[..length], b""]), expected, "{length}");
    }
}

proptest! {
    #[test]
    fn both_are_what_others_make_of_it(bytes: Vec<u8>, more: Vec<u8>) {
        let expected: [u8; 20] = Sha1::new()
            .chain_update(&bytes)
            .chain_update(&more)
            .finalize()
            .into();
        prop_assert_eq!(sha1([&bytes, &more]), expected);
        let mut text = vec![b'='; bytes.len().div_ceil(3) * 4];
        let mut expected = text.clone();
        prop_assert_eq!(STANDARD.encode_slice(&bytes, &mut expected), Ok(text.len()));
        base64(&bytes, &mut text);
        prop_assert_eq!(text, expected);
    }
}
