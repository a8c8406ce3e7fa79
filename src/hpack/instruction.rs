//! The instructions of a header block (RFC 7541 §6).

use super::huffman::{self, Failure};
use super::{ProtocolError, integer, short};
use crate::wire::Cursor;

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
        let len = integer::decode(first, 7, cursor)?;
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
            0x80.. => return Ok(Self::Indexed(integer::decode(first, 7, cursor)?)),
            0x40.. => (Kind::Incremental, 6),
            0x20.. => return Ok(Self::SizeUpdate(integer::decode(first, 5, cursor)?)),
            0x10.. => (Kind::Never, 4),
            _ => (Kind::Without, 4),
        };
        let name = match integer::decode(first, bits, cursor)? {
            0 => Name::Literal(Text::parse(cursor)?),
            index => Name::Index(index),
        };
        let value = Text::parse(cursor)?;
        Ok(Self::Literal { kind, name, value })
    }
}
