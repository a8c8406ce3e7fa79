//! The instructions of a header block, and its integers (RFC 7541 §5.1, §6).
//!
//! Integers with an N-bit prefix (RFC 7541 §5.1).
//!
//! ```text
//!   value < 2^N - 1:  | flags | value |
//!   else:             | flags | 1...1 |  then 7 bits an octet, low ones first,
//!                                        the top bit set while more follow
//! ```

use super::huffman::{self, Failure};
use super::{ProtocolError, short};
use crate::wire::{Cursor, Sink};

/// How a literal treats the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Incremental,
    Without,
    Never,
}

/// A string as it lies in the block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'b> {
    huffman: bool,
    octets: &'b [u8],
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Name<'b> {
    Index(u32),
    Literal(Text<'b>),
}

/// One instruction of a block (RFC 7541 §6).
#[derive(Debug, Clone, Copy)]
pub(super) enum Instruction<'b> {
    Indexed(u32),
    Literal {
        kind: Kind,
        name: Name<'b>,
        value: Text<'b>,
    },
    SizeUpdate(u32),
}

impl<'b> Text<'b> {
    #[inline]
    pub(super) fn parse(cursor: &mut Cursor<'b>) -> Result<Self, ProtocolError> {
        let first = cursor.byte().ok_or(ProtocolError::Truncated)?;
        let len = decode(first, 7, cursor)?;
        Ok(Self {
            huffman: first & 0x80 != 0,
            octets: cursor.take(len as usize).ok_or(ProtocolError::Truncated)?,
        })
    }

    /// Writes the string to the front of `out`; `Ok(None)` if it is longer.
    #[inline]
    pub(super) fn write(self, out: &mut [u8]) -> Result<Option<usize>, ProtocolError> {
        if self.huffman {
            return match huffman::decode(self.octets, out) {
                Ok(len) => Ok(Some(len)),
                Err(Failure::NoRoom) => Ok(None),
                Err(Failure::Invalid) => Err(ProtocolError::Huffman),
            };
        }
        Ok(short::copy(self.octets, out).map(|()| self.octets.len()))
    }
}

impl<'b> Instruction<'b> {
    #[inline]
    pub(super) fn parse(cursor: &mut Cursor<'b>) -> Result<Self, ProtocolError> {
        let first = cursor.byte().ok_or(ProtocolError::Truncated)?;
        let (kind, bits) = match first {
            0x80.. => return Ok(Self::Indexed(decode(first, 7, cursor)?)),
            0x40.. => (Kind::Incremental, 6),
            0x20.. => return Ok(Self::SizeUpdate(decode(first, 5, cursor)?)),
            0x10.. => (Kind::Never, 4),
            _ => (Kind::Without, 4),
        };
        let name = match decode(first, bits, cursor)? {
            0 => Name::Literal(Text::parse(cursor)?),
            index => Name::Index(index),
        };
        let value = Text::parse(cursor)?;
        Ok(Self::Literal { kind, name, value })
    }
}

/// Octets after the prefix that a value of 32 bits can need.
const MAX_OCTETS: u32 = 5;

/// Reads the integer whose prefix is the low `bits` bits of `first`, an octet
/// that has been taken already. At most five octets follow.
#[inline]
pub(super) fn decode(first: u8, bits: u32, cursor: &mut Cursor<'_>) -> Result<u32, ProtocolError> {
    let mask = (1u32 << bits) - 1;
    let prefix = u32::from(first) & mask;
    if prefix < mask {
        return Ok(prefix);
    }
    decode_rest(prefix, cursor)
}

fn decode_rest(prefix: u32, cursor: &mut Cursor<'_>) -> Result<u32, ProtocolError> {
    let mut value = u64::from(prefix);
    for octet in 0..MAX_OCTETS {
        let b = cursor.byte().ok_or(ProtocolError::Truncated)?;
        value += u64::from(b & 0x7f) << (7 * octet); // below 2^36
        if b & 0x80 == 0 {
            return u32::try_from(value).map_err(|_| ProtocolError::Integer);
        }
    }
    Err(ProtocolError::Integer)
}

/// Appends `value` with a prefix of `bits` bits under `flags`: 1 to 6 octets.
#[inline]
pub(super) fn encode(value: u32, bits: u32, flags: u8, out: &mut impl Sink) {
    let mask = (1u32 << bits) - 1;
    if value < mask {
        out.put(&[flags | value as u8]);
        return;
    }
    let mut octets = [flags | mask as u8, 0, 0, 0, 0, 0];
    let (mut rest, mut len) = (value - mask, 1);
    while rest >= 0x80 {
        octets[len] = 0x80 | rest as u8;
        rest >>= 7;
        len += 1;
    }
    // A u32 has at most five groups of seven bits: `len` is at most 5 here.
    octets[len] = rest as u8;
    out.put(&octets[..=len]);
}

#[cfg(test)]
mod tests;
