//! Portable kernels on 64-bit words.

#[cfg(any(test, not(target_arch = "x86_64")))]
use super::blocks::HALF;
use super::blocks::{Blocks, Class, WINDOW};
use crate::wire::{FAST, ascii};

/// Exclusive-ors `payload` with the repeated `key`, a word at a time.
#[inline]
pub fn mask(payload: &mut [u8], key: [u8; 4]) {
    mask_in_words(payload, key);
}

/// Exclusive-ors `payload` with the repeated `key`, and says whether the result is
/// US-ASCII.
#[inline]
pub fn mask_is_ascii(payload: &mut [u8], key: [u8; 4]) -> bool {
    mask_in_words(payload, key)
}

/// Masks in steps of 16 bytes, for what is short and not checked.
#[inline(always)]
pub(super) fn mask_short(payload: &mut [u8], key: [u8; 4]) {
    let word = twice(key);
    let (steps, rest) = payload.as_chunks_mut::<16>();
    for step in steps {
        let (halves, _) = step.as_chunks_mut::<8>(); // no rest
        for half in halves {
            *half = (u64::from_ne_bytes(*half) ^ word).to_ne_bytes();
        }
    }
    if !rest.is_empty() {
        mask_in_words(rest, key);
    }
}

/// Masks with `most` all but the ends, which is given in steps of 64 bytes, aligned
/// if they are many.
#[inline(always)]
pub(super) fn mask_long(
    payload: &mut [u8],
    key: [u8; 4],
    most: impl FnOnce(&mut [[u8; 64]], [u8; 4]) -> bool,
) -> bool {
    // Stores across lines of the cache cost twice as much.
    let ahead = match payload.len() {
        FAR.. => payload.as_ptr().align_offset(64).min(64),
        _ => 0,
    };
    let (front, payload) = payload.split_at_mut(ahead); // not beyond it
    let front = mask_in_words(front, key);
    let key = turned(key, ahead);
    let (steps, rest) = payload.as_chunks_mut();
    let middle = most(steps, key);
    mask_in_words(rest, key) & front & middle
}

/// Steps of [`mask_long`] that a compiler makes vectors of.
#[inline(always)]
pub(super) fn mask_steps(steps: &mut [[u8; 64]], key: [u8; 4]) -> bool {
    let mut seen = [0; 16];
    for step in steps {
        gather_into(&mut seen, step_masked::<64, 16>(step, key));
    }
    is_ascii(&seen)
}

/// From this size on a payload is worth being aligned.
const FAR: usize = 512;

/// The key after `n` bytes.
#[inline(always)]
const fn turned(key: [u8; 4], n: usize) -> [u8; 4] {
    u32::from_le_bytes(key)
        .rotate_right(8 * (n as u32 & 3))
        .to_le_bytes()
}

#[inline(always)]
const fn twice(key: [u8; 4]) -> u64 {
    let key = u32::from_ne_bytes(key) as u64; // the halves are the same, whatever their order
    key | key << 32
}

/// Masks `BYTES`, which are `WORDS` of four, and answers what they are then.
#[inline(always)]
fn step_masked<const BYTES: usize, const WORDS: usize>(
    step: &mut [u8; BYTES],
    key: [u8; 4],
) -> [u32; WORDS] {
    let key = u32::from_ne_bytes(key);
    let mut plain = [0; WORDS];
    let (words, _) = step.as_chunks_mut::<4>(); // no rest
    for (word, plain) in words.iter_mut().zip(&mut plain) {
        *plain = u32::from_ne_bytes(*word) ^ key;
        *word = plain.to_ne_bytes();
    }
    plain
}

#[inline(always)]
fn gather_into<const WORDS: usize>(seen: &mut [u32; WORDS], plain: [u32; WORDS]) {
    for (seen, plain) in seen.iter_mut().zip(plain) {
        *seen |= plain;
    }
}

#[inline(always)]
fn is_ascii<const WORDS: usize>(seen: &[u32; WORDS]) -> bool {
    seen.iter().fold(0, |all, word| all | word) & 0x8080_8080 == 0
}

/// Masks a word at a time; answers whether the result is US-ASCII. Inlined
/// where code need not be small.
#[cfg_attr(feature = "std", inline(always))]
#[cfg_attr(not(feature = "std"), inline(never))]
fn mask_in_words(payload: &mut [u8], key: [u8; 4]) -> bool {
    let word = twice(key);
    let mut seen = 0;
    let (words, tail) = match FAST {
        true => payload.as_chunks_mut::<8>(),
        false => (Default::default(), payload),
    };
    for bytes in words {
        let plain = u64::from_ne_bytes(*bytes) ^ word;
        seen |= plain;
        *bytes = plain.to_ne_bytes();
    }
    let (half, tail) = tail.as_chunks_mut::<4>();
    for bytes in half {
        let plain = u32::from_ne_bytes(*bytes) ^ u32::from_ne_bytes(key);
        seen |= u64::from(plain);
        *bytes = plain.to_ne_bytes();
    }
    for (byte, k) in tail.iter_mut().zip(key) {
        *byte ^= k;
        seen |= u64::from(*byte);
    }
    seen & 0x8080_8080_8080_8080 == 0
}

/// No vectors: words of eight bytes. The oracle of the others.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words;

impl Blocks for Words {
    #[inline(always)]
    fn unusual(self, text: &[u8; WINDOW]) -> u32 {
        let (words, _) = text.as_chunks::<8>();
        let mut tops = [0; WINDOW / 8];
        for (tops, word) in tops.iter_mut().zip(words) {
            *tops = unusual(u64::from_le_bytes(*word));
        }
        if tops.iter().fold(0, |all, tops| all | tops) == 0 {
            return 0; // in the middle of a long line
        }
        let tops = tops.iter().rev();
        tops.fold(0, |bits, tops| bits << 8 | gather(*tops))
    }

    #[inline(always)]
    fn other_than(self, class: &Class, text: &[u8; WINDOW]) -> u32 {
        let bytes = text.iter().rev();
        bytes.fold(0, |bits, &b| bits << 1 | u32::from(!holds(class, b)))
    }

    #[inline(always)]
    fn run_in(self, class: &Class, window: &[u8; WINDOW], skipped: usize) -> usize {
        let rest = window.get(skipped..).unwrap_or_default();
        let end = rest.iter().position(|&b| !holds(class, b));
        end.unwrap_or(usize::BITS as usize)
    }

    #[inline(always)]
    fn run_of(self, class: &Class, text: &[u8], at: usize) -> usize {
        if text.len() < WINDOW {
            return 0;
        }
        let rest = text.get(at..).unwrap_or_default();
        let end = rest.iter().position(|&b| !holds(class, b));
        end.unwrap_or(usize::BITS as usize)
    }
}

#[inline(always)]
fn holds(class: &Class, b: u8) -> bool {
    ascii::is_in(class.1, b)
}

const ONES: u64 = u64::from_ne_bytes([1; 8]);
const TOPS: u64 = ONES << 7;

/// The top bits of the bytes that are not SP to `~`.
#[inline(always)]
const fn unusual(word: u64) -> u64 {
    let low = word & !TOPS; // so that no sum carries into the next byte
    let at_least_space = low + ONES * (0x80 - 0x20);
    let delete = low + ONES;
    (word | delete | !at_least_space) & TOPS
}

#[inline(always)]
#[cfg(any(test, not(target_arch = "x86_64")))]
const fn equal(word: u64, b: u8) -> u64 {
    let differ = word ^ (ONES * b as u64);
    !(differ | ((differ & !TOPS) + !TOPS)) & TOPS
}

#[inline(always)]
#[cfg(any(test, not(target_arch = "x86_64")))]
pub(super) fn target_bytes(block: &[u8; HALF]) -> (u32, u32) {
    let (words, _) = block.as_chunks::<8>();
    words.iter().rev().fold((0, 0), |(rare, question), word| {
        let word = u64::from_le_bytes(*word);
        // All up to `#` and from `{` on; then `<`, `>`, `\` and `^`, which are
        // alike but for these bits.
        let low = !((word & !TOPS) + ONES * (0x80 - 0x24));
        let high = (word & !TOPS) + ONES * (0x80 - 0x7b);
        let marks = equal(word & (ONES * 0x9d), 0x1c) | equal(word, b'`');
        let here = (low | high | word | marks) & TOPS;
        (
            rare << 8 | gather(here),
            question << 8 | gather(equal(word, b'?')),
        )
    })
}

#[inline(always)]
const fn gather(tops: u64) -> u32 {
    // Bit 7 of byte i moves to bit 56 + i, and no two sums meet.
    ((tops >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) as u32
}

#[cfg(test)]
mod tests;
