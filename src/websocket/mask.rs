//! The mask of a payload that arrives in pieces (RFC 6455 §5.3).
//!
//! Byte `i` of a payload is exclusive-ored with byte `i mod 4` of the key.
//! Between two pieces of a payload the key is turned by the length of the first.

use crate::wire::{FAST, simd};

/// A key and how far it has been turned.
///
/// ```
/// use barewire::websocket::mask::Mask;
///
/// let (mut whole, mut pieces) = (*b"seven..", *b"seven..");
/// Mask::new([1, 2, 3, 4]).apply(&mut whole);
/// let mut mask = Mask::new([1, 2, 3, 4]);
/// let (a, b) = pieces.split_at_mut(3);
/// mask.apply(a);
/// mask.apply(b);
/// assert_eq!(whole, pieces);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mask {
    key: [u8; 4], // turned: its first byte is the next one to be used
}

impl Mask {
    /// The key at the start of a payload. A key of zeros changes nothing.
    #[inline]
    pub const fn new(key: [u8; 4]) -> Self {
        Self { key }
    }

    /// Masks or unmasks the next piece.
    #[inline]
    pub fn apply(&mut self, piece: &mut [u8]) {
        if !FAST || self.key != [0; 4] {
            simd::mask(piece, self.key);
            self.turn(piece.len());
        }
    }

    /// Masks or unmasks the next piece, and says whether it is US-ASCII then.
    #[inline(always)]
    pub fn apply_is_ascii(&mut self, piece: &mut [u8]) -> bool {
        let is_ascii = simd::mask_is_ascii(piece, self.key);
        self.turn(piece.len());
        is_ascii
    }

    /// Turns the key by `n` further bytes.
    #[inline]
    pub(super) const fn turn(&mut self, n: usize) {
        self.key = u32::from_le_bytes(self.key)
            .rotate_right(8 * (n as u32 & 3))
            .to_le_bytes();
    }
}

#[cfg(test)]
mod tests;
