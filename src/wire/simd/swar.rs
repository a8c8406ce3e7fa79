//! Portable kernels on 64-bit words.

#[cfg(test)]
use super::blocks::{Blocks, Masks};
#[cfg(test)]
use crate::wire::ascii;

/// Exclusive-ors `payload` with the repeated `key`, a word at a time.
#[inline]
pub fn mask(payload: &mut [u8], key: [u8; 4]) {
    mask_in_words(payload, key);
}

/// The same, and says whether the result is US-ASCII.
#[inline]
pub fn mask_is_ascii(payload: &mut [u8], key: [u8; 4]) -> bool {
    mask_in_words(payload, key)
}

/// The same in steps that a compiler makes wide vectors of.
#[inline(always)]
pub(super) fn mask_wide(payload: &mut [u8], key: [u8; 4]) {
    let (steps, rest) = payload.as_chunks_mut::<64>();
    for step in steps {
        step_masked(step, key);
    }
    mask_in_words(rest, key);
}

/// [`mask_wide`] with the check.
#[inline(always)]
pub(super) fn mask_wide_is_ascii(payload: &mut [u8], key: [u8; 4]) -> bool {
    let (steps, rest) = payload.as_chunks_mut::<64>();
    let mut seen = [0; 16];
    for step in steps {
        let plain = step_masked(step, key);
        for (seen, plain) in seen.iter_mut().zip(plain) {
            *seen |= plain;
        }
    }
    let high = seen.iter().fold(0, |all, word| all | word) & 0x8080_8080;
    mask_in_words(rest, key) && high == 0
}

/// Masks 64 bytes, and answers what they are then.
#[inline(always)]
fn step_masked(step: &mut [u8; 64], key: [u8; 4]) -> [u32; 16] {
    let key = u32::from_ne_bytes(key);
    let mut plain = [0; 16];
    let (words, _) = step.as_chunks_mut::<4>(); // 16 of them, no rest
    for (word, plain) in words.iter_mut().zip(&mut plain) {
        *plain = u32::from_ne_bytes(*word) ^ key;
        *word = plain.to_ne_bytes();
    }
    plain
}

/// Masks a word at a time; answers whether the result is US-ASCII. Inlined
/// where code need not be small.
#[cfg_attr(feature = "std", inline(always))]
#[cfg_attr(not(feature = "std"), inline(never))]
fn mask_in_words(payload: &mut [u8], key: [u8; 4]) -> bool {
    let [a, b, c, d] = key;
    let word = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let mut seen = 0;
    let (words, tail) = payload.as_chunks_mut::<8>();
    for bytes in words {
        let plain = u64::from_ne_bytes(*bytes) ^ word;
        seen |= plain;
        *bytes = plain.to_ne_bytes();
    }
    for (byte, k) in tail.iter_mut().zip([a, b, c, d, a, b, c, d]) {
        *byte ^= k;
        seen |= u64::from(*byte);
    }
    seen & 0x8080_8080_8080_8080 == 0
}

/// No vectors: judges byte by byte. The oracle of the others.
#[cfg(test)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words;

#[cfg(test)]
impl Blocks for Words {
    fn sixteen(self, text: &[u8; 16]) -> Masks {
        let mut masks = Masks::default();
        for (i, &b) in text.iter().enumerate() {
            let (cr, lf) = (b == b'\r', b == b'\n');
            masks.token |= u64::from(ascii::is_tchar(b)) << i;
            masks.cr |= u64::from(cr) << i;
            masks.lf |= u64::from(lf) << i;
            masks.control |= u64::from(!ascii::is_field_vchar(b) && !cr && !lf) << i;
        }
        masks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    type Way = fn(&mut [u8], [u8; 4]) -> bool;

    #[test]
    fn masking_agrees_with_the_naive_loop_at_every_length() {
        let key = [0x12, 0x34, 0x56, 0x78];
        for len in 0..400 {
            let plain: Vec<u8> = (0..len).map(|i| (i * 7) as u8 & 0x7f).collect();
            let naive: Vec<u8> = plain
                .iter()
                .enumerate()
                .map(|(i, b)| b ^ key[i & 3])
                .collect();
            let ways: [Way; 4] = [
                mask_is_ascii,
                mask_wide_is_ascii,
                super::super::mask_is_ascii,
                |payload, key| {
                    super::super::mask(payload, key);
                    payload.is_ascii()
                },
            ];
            for way in ways {
                let mut masked = plain.clone();
                assert_eq!(way(&mut masked, key), naive.is_ascii(), "{len}");
                assert_eq!(masked, naive, "{len}");
                let mut masked = naive.clone();
                assert!(!way(&mut masked, key) || plain.is_ascii(), "{len}");
                assert_eq!(masked, plain, "{len}");
            }
            let mut masked = plain.clone();
            mask(&mut masked, key);
            assert_eq!(masked, naive, "{len}");
            mask_wide(&mut masked, key);
            assert_eq!(masked, plain, "{len}");
        }
    }
}
