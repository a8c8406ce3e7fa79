//! Questions to vectors about 32 bytes of text.
//!
//! An answer has bit `i` set where byte `i` of the window is of the kind that
//! was asked for.

use crate::wire::ascii;

/// Bytes that are looked at together.
pub(crate) const WINDOW: usize = 32;

/// Bytes of the vectors that every processor of an architecture has.
pub(super) const HALF: usize = 16;

/// A set of US-ASCII characters: bit `b >> 4` of entry `b & 15`, so that two look-ups of 16
/// entries judge a byte. Without vectors, the bit in a table of octets is quicker.
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

    fn other_than(self, class: &Class, text: &[u8; WINDOW]) -> u32;

    /// The verdict of `judge` on `text` from `at` on; bits behind the end are clear. Of a text
    /// shorter than a window all bits are set.
    #[inline(always)]
    fn window(self, text: &[u8], at: usize, judge: impl Fn(&[u8; WINDOW]) -> u32) -> u64 {
        // A load that would run over the end begins earlier instead.
        let from = at.min(text.len().wrapping_sub(WINDOW));
        let window = text.get(from..).and_then(|rest| rest.first_chunk());
        window.map_or(!0, |window| u64::from(judge(window)) >> (at - from))
    }

    /// How many bytes of a window are of `class`, from the given one (below 64) on; at least
    /// [`WINDOW`] if no other follows.
    #[inline(always)]
    fn run_in(self, class: &Class, window: &[u8; WINDOW], skipped: usize) -> usize {
        let others = u64::from(self.other_than(class, window)) >> skipped;
        others.trailing_zeros() as usize
    }

    /// How many bytes of `text` from `at` on are of `class`, as far as a window shows; at least
    /// [`WINDOW`] if it shows no other.
    #[inline(always)]
    fn run_of(self, class: &Class, text: &[u8], at: usize) -> usize {
        let others = self.window(text, at, |window| self.other_than(class, window));
        others.trailing_zeros() as usize
    }
}

#[cfg(test)]
mod tests;
