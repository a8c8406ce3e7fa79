//! SHA-1 and base64 in little code, for programs without `std` (RFC 3174,
//! RFC 4648 §4). Nothing secret depends on either.

/// The SHA-1 of `parts`, one behind the other.
pub(super) fn sha1(parts: [&[u8]; 2]) -> [u8; 20] {
    let mut message = Message {
        state: [
            0x6745_2301,
            0xefcd_ab89,
            0x98ba_dcfe,
            0x1032_5476,
            0xc3d2_e1f0,
        ],
        words: [0; 16],
        length: 0,
    };
    for part in parts {
        message.put(part);
    }
    // A bit behind the message, zeros, and its length in bits at the end of a
    // block.
    let bits = message.length as u64 * 8;
    message.put(&[0x80]);
    while message.length % 64 != 56 {
        message.put(&[0]);
    }
    message.put(&bits.to_be_bytes());
    let mut digest = [0; 20];
    for (place, word) in digest.as_chunks_mut::<4>().0.iter_mut().zip(message.state) {
        *place = word.to_be_bytes();
    }
    digest
}

/// A message that is being taken in.
struct Message {
    state: [u32; 5],
    words: [u32; 16], // of the block that is being filled
    length: usize,    // in bytes
}

impl Message {
    fn put(&mut self, bytes: &[u8]) {
        for byte in bytes {
            let word = &mut self.words[self.length / 4 % 16];
            *word = *word << 8 | u32::from(*byte);
            self.length += 1;
            if self.length.is_multiple_of(64) {
                step(&mut self.state, &mut self.words);
            }
        }
    }
}

/// Takes a block of 16 words.
fn step(state: &mut [u32; 5], words: &mut [u32; 16]) {
    let [mut a, mut b, mut c, mut d, mut e] = *state;
    for i in 0..80 {
        let (mix, constant) = match i / 20 {
            0 => (d ^ (b & (c ^ d)), 0x5a82_7999),
            1 => (b ^ c ^ d, 0x6ed9_eba1),
            2 => ((b & c) | (d & (b | c)), 0x8f1b_bcdc),
            _ => (b ^ c ^ d, 0xca62_c1d6_u32),
        };
        if i >= 16 {
            let [w3, w8, w14, w16] = [13, 8, 2, 0].map(|back| words[(i + back) % 16]);
            words[i % 16] = (w3 ^ w8 ^ w14 ^ w16).rotate_left(1);
        }
        let sum = [mix, e, constant, words[i % 16]]
            .into_iter()
            .fold(a.rotate_left(5), u32::wrapping_add);
        (a, b, c, d, e) = (sum, a, b.rotate_left(30), c, d);
    }
    for (whole, part) in state.iter_mut().zip([a, b, c, d, e]) {
        *whole = whole.wrapping_add(part);
    }
}

/// Writes the base64 of `bytes` over the signs of padding in `text`, which is
/// as long as it has to be.
pub(super) fn base64(bytes: &[u8], text: &mut [u8]) {
    for (bytes, text) in bytes.chunks(3).zip(text.chunks_mut(4)) {
        let group = bytes
            .iter()
            .fold(0u32, |group, b| group << 8 | u32::from(*b));
        let group = group << (8 * (3 - bytes.len())); // chunks have 1 to 3 bytes
        for (i, place) in text.iter_mut().take(bytes.len() + 1).enumerate() {
            *place = match (group >> (18 - 6 * i) & 63) as u8 {
                n @ 0..=25 => b'A' + n,
                n @ 26..=51 => b'a' + n - 26,
                n @ 52..=61 => b'0' + n - 52,
                62 => b'+',
                _ => b'/',
            };
        }
    }
}

#[cfg(test)]
mod tests {
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
}
