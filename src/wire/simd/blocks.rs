//! Questions to vectors about 32 bytes of text.
//!
//! An answer has bit `i` set where byte `i` of the window is of the kind that
//! was asked for.

use crate::wire::ascii;

/// Bytes that are looked at together.
pub(crate) const WINDOW: usize = 32;

/// Bytes of the vectors that every processor of an architecture has.
pub(super) const HALF: usize = 16;

/// A set of US-ASCII characters: bit `b >> 4` of entry `b & 15` says whether
/// `b` belongs to it, so that two look-ups of 16 entries judge a byte. Where
/// there are no vectors, its bit in a table of all octets is quicker.
#[derive(Debug)]
#[cfg_attr(
    not(any(target_arch = "x86_64", target_arch = "aarch64")),
    allow(dead_code) // the table of those that have vectors
)]
pub(crate) struct Class(pub(super) [u8; 16], pub(super) u8);

impl Class {
    /// `tchar` (RFC 9110 §5.6.2).
    pub(crate) const TOKEN: &Self = &Self::new(ascii::TOKEN);

    /// Letters, digits, dots and hyphens: what the names of hosts and their
    /// IPv4 addresses are made of.
    pub(crate) const PLAIN_NAME: &Self = &Self::new(ascii::PLAIN_NAME);

    const fn new(class: u8) -> Self {
        let (mut table, mut b) = ([0; 16], 0);
        while b < 128 {
            table[b & 15] |= (ascii::is_known_in(class, b as u8) as u8) << (b >> 4);
            b += 1;
        }
        Self(table, class)
    }
}

/// Bit `b >> 4` at `b >> 4`, to be met with an entry of a [`Class`]; none for
/// octets beyond US-ASCII.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(super) static HIGH: [u8; 16] = [1, 2, 4, 8, 16, 32, 64, 128, 0, 0, 0, 0, 0, 0, 0, 0];

/// Vectors of one instruction set. A value is the proof that the processor has
/// it.
pub(crate) trait Blocks: Copy {
    /// All but SP and visible US-ASCII: what ends a line, and what a line of a
    /// head seldom holds.
    fn unusual(self, text: &[u8; WINDOW]) -> u32;

    /// All that is not of `class`.
    fn other_than(self, class: &Class, text: &[u8; WINDOW]) -> u32;

    /// What `judge` says about the bytes of `text` from `at` on, which is not
    /// beyond its end; bits of bytes behind the end are clear. Of a text shorter
    /// than a window all bits are set.
    #[inline(always)]
    fn window(self, text: &[u8], at: usize, judge: impl Fn(&[u8; WINDOW]) -> u32) -> u64 {
        // A load that would run over the end begins earlier instead.
        let from = at.min(text.len().wrapping_sub(WINDOW));
        let window = text.get(from..).and_then(|rest| rest.first_chunk());
        window.map_or(!0, |window| u64::from(judge(window)) >> (at - from))
    }

    /// How many bytes of a window are of `class`, from the one on that fewer than 64
    /// stand before; at least [`WINDOW`] if there is no other.
    #[inline(always)]
    fn run_in(self, class: &Class, window: &[u8; WINDOW], skipped: usize) -> usize {
        let others = u64::from(self.other_than(class, window)) >> skipped;
        others.trailing_zeros() as usize
    }

    /// How many bytes of `text` from `at` on are of `class`, as far as a window
    /// shows: at least [`WINDOW`] if there is no other in it.
    #[inline(always)]
    fn run_of(self, class: &Class, text: &[u8], at: usize) -> usize {
        let others = self.window(text, at, |window| self.other_than(class, window));
        others.trailing_zeros() as usize
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Job, swar::Words};
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    /// The three answers about the bytes from a place on.
    struct Judge;

    impl Job for Judge {
        type Destination<'p> = usize;
        type Output = [u64; 3];

        #[inline(always)]
        fn run<B: Blocks>(self, blocks: B, text: &[u8], at: usize) -> [u64; 3] {
            [
                blocks.window(text, at, |window| blocks.unusual(window)),
                blocks.window(text, at, |window| blocks.other_than(Class::TOKEN, window)),
                blocks.window(text, at, |window| {
                    blocks.other_than(Class::PLAIN_NAME, window)
                }),
            ]
        }
    }

    /// The answers of all back ends that this processor has.
    fn answers(text: &[u8], at: usize) -> Vec<[u64; 3]> {
        let mut answers = Vec::from([Judge.run(Words, text, at)]);
        #[cfg(target_arch = "x86_64")]
        {
            use super::super::x86_64::{Avx2, Ssse3};
            answers.extend(Avx2::new().map(|blocks| blocks.run(Judge, text, at)));
            answers.extend(Ssse3::new().map(|blocks| blocks.run(Judge, text, at)));
        }
        answers.push(super::super::dispatch(Judge, text, at));
        answers
    }

    fn naive(text: &[u8], at: usize) -> [u64; 3] {
        let mut masks = [0; 3];
        for (i, &b) in text[at..].iter().take(WINDOW).enumerate() {
            let plain_name = b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-');
            let kinds = [!matches!(b, b' '..=b'~'), !ascii::is_tchar(b), !plain_name];
            for (mask, kind) in masks.iter_mut().zip(kinds) {
                *mask |= u64::from(kind) << i;
            }
        }
        masks
    }

    #[test]
    fn every_back_end_judges_every_octet_as_the_naive_loop_does() {
        for b in 0..=255 {
            for len in [32, 33, 63, 64, 65, 100] {
                let mut text = alloc::vec![b'a'; len];
                text[len / 3] = b;
                text[len - 1] = b;
                for at in [0, 1, len / 2, len - 1, len] {
                    for answer in answers(&text, at) {
                        assert_eq!(answer, naive(&text, at), "{b} {len} {at}");
                    }
                }
            }
        }
    }

    #[test]
    fn nothing_is_known_of_a_text_shorter_than_a_window() {
        for len in 0..WINDOW {
            for answer in answers(&[b'a'; WINDOW][..len], len / 2) {
                assert_eq!(answer, [!0; 3]);
            }
        }
    }

    proptest! {
        #[test]
        fn every_back_end_gives_the_same_masks(
            text in proptest::collection::vec(any::<u8>(), WINDOW..200), at in 0..200usize,
        ) {
            let at = at.min(text.len());
            for answer in answers(&text, at) {
                prop_assert_eq!(answer, naive(&text, at));
            }
        }

        #[test]
        fn a_run_ends_where_the_naive_loop_ends_it(
            text in proptest::collection::vec(prop_oneof![20 => b'a'..=b'z', 1 => any::<u8>()], WINDOW..200),
            at in 0..200usize,
        ) {
            let at = at.min(text.len() - 1);
            let naive = text[at..].iter().take_while(|&&b| ascii::is_tchar(b)).count();
            let run = Words.run_of(Class::TOKEN, &text, at);
            prop_assert!(run == naive || (naive >= WINDOW.min(text.len() - at) && run >= WINDOW.min(text.len() - at)));
            #[cfg(target_arch = "x86_64")]
            if let Some(blocks) = super::super::x86_64::Ssse3::new() {
                let run = blocks.run_of(Class::TOKEN, &text, at);
                prop_assert!(run == naive || (naive >= WINDOW.min(text.len() - at) && run >= WINDOW.min(text.len() - at)));
            }
        }
    }
}
