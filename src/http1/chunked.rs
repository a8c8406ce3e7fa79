//! The chunked transfer coding, as it is read (RFC 9112 §7.1).
//!
//! ```text
//!  1*15HEXDIG *extension CRLF  data CRLF      each chunk
//!  1*15"0"    *extension CRLF                 the last one
//!  trailer fields CRLF
//!
//!  extension = BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ]
//! ```

use super::{Limits, ProtocolError};
use crate::wire::ascii;

/// Hexadecimal digits of a chunk size, leading zeros counted. No chunk holds
/// 2^60 bytes, and no sum of honest sizes overflows.
const MOST_DIGITS: u32 = 15;

/// Where the reader of a chunked body stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chunked {
    Size,
    /// In white space after a size or a whole extension: `;` follows.
    Space,
    Name,
    InName,
    /// In white space after the name of an extension: `=` or `;` follows.
    NameSpace,
    Value,
    InToken,
    /// In the value of an extension, a quoted string.
    InQuotes,
    /// After a backslash in a quoted string.
    Escape,
    Quoted,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    Trailers,
}

/// Counters kept while size lines are read.
pub(crate) struct Counts<'c> {
    pub(crate) size: &'c mut u64,
    pub(crate) digits: &'c mut u32,
    /// Bytes of extensions in this body so far.
    pub(crate) extensions: &'c mut u32,
}

/// The size of the chunk at the front of `input` and where its data begins, if its size line is
/// complete and plain and it is not the last. `behind_data`: the end of another chunk's data
/// comes first.
#[inline(always)]
pub(crate) fn plain_size(input: &[u8], behind_data: bool) -> Option<(u64, usize)> {
    let mut at = 0; // no more than 9, so that no sum is too large
    if behind_data {
        if input.first_chunk() != Some(b"\r\n") {
            return None;
        }
        at = 2;
    }
    // Seven digits are far beyond what is sent as one chunk.
    let (mut size, most) = (0, at + 7);
    loop {
        let b = *input.get(at)?;
        at += 1;
        let digit = HEX[usize::from(b)];
        if digit > 15 {
            let ends = b == b'\r' && size > 0 && input.get(at) == Some(&b'\n');
            return ends.then_some((size, at + 1));
        }
        if at > most {
            return None;
        }
        size = size << 4 | u64::from(digit);
    }
}

/// The value of each hexadecimal digit in either case; more than 15 for what is
/// none.
static HEX: [u8; 256] = {
    let (mut table, mut b) = ([u8::MAX; 256], 0);
    while b < 256 {
        if let Some(digit) = ascii::hex_digit(b as u8) {
            table[b] = digit;
        }
        b += 1;
    }
    table
};

impl Chunked {
    /// Reads what lies between pieces of data, up to data, trailers or the end of `input`.
    /// Returns how many bytes it took.
    ///
    /// # Errors
    /// [`ProtocolError`], at the first faulty byte.
    pub(crate) fn advance(
        &mut self,
        input: &[u8],
        counts: &mut Counts<'_>,
        limits: &Limits,
    ) -> Result<usize, ProtocolError> {
        for (at, &b) in input.iter().enumerate() {
            *self = match (*self, b) {
                (Self::Data | Self::Trailers, _) => return Ok(at),
                (Self::Size, b'\r') if *counts.digits > 0 => Self::SizeLf,
                (Self::Size, b';' | b' ' | b'\t') if *counts.digits > 0 => {
                    Self::Space.extend(b, counts, limits)?
                }
                (Self::Size, _) => Self::digit(b, counts)?,
                (Self::InName | Self::InToken | Self::Quoted, b'\r') => Self::SizeLf,
                (
                    Self::Space
                    | Self::Name
                    | Self::InName
                    | Self::NameSpace
                    | Self::Value
                    | Self::InToken
                    | Self::InQuotes
                    | Self::Escape
                    | Self::Quoted,
                    _,
                ) => self.extend(b, counts, limits)?,
                (Self::SizeLf, b'\n') if *counts.size == 0 => Self::Trailers,
                (Self::SizeLf, b'\n') => Self::Data,
                (Self::SizeLf | Self::DataLf, b'\r' | b'\0'..=b'\t' | 0x0b..) => {
                    return Err(ProtocolError::BareCr);
                }
                (Self::DataCr, b'\r') => Self::DataLf,
                (Self::DataCr, _) => return Err(fault(b, ProtocolError::ChunkEnd)),
                (Self::DataLf, b'\n') => {
                    (*counts.size, *counts.digits) = (0, 0);
                    Self::Size
                }
            };
        }
        Ok(input.len())
    }

    fn digit(b: u8, counts: &mut Counts<'_>) -> Result<Self, ProtocolError> {
        let digit = ascii::hex_digit(b).ok_or(fault(b, ProtocolError::ChunkSize))?;
        // Leading zeros count, too: a size line must end.
        if *counts.digits == MOST_DIGITS {
            return Err(ProtocolError::ChunkSize);
        }
        *counts.digits += 1;
        *counts.size = *counts.size << 4 | u64::from(digit); // below 2^60
        Ok(Self::Size)
    }

    /// Takes a byte of an extension, or of the white space in front of one
    /// (RFC 9112 §7.1.1).
    fn extend(
        self,
        b: u8,
        counts: &mut Counts<'_>,
        limits: &Limits,
    ) -> Result<Self, ProtocolError> {
        let next = match (self, b) {
            (Self::Space | Self::InName | Self::NameSpace | Self::InToken | Self::Quoted, b';') => {
                Self::Name
            }
            (Self::Space | Self::InToken | Self::Quoted, b' ' | b'\t') => Self::Space,
            (Self::Name, b' ' | b'\t') => Self::Name,
            (Self::InName | Self::NameSpace, b' ' | b'\t') => Self::NameSpace,
            (Self::InName | Self::NameSpace, b'=') => Self::Value,
            (Self::Value, b' ' | b'\t') => Self::Value,
            (Self::Value, b'"') => Self::InQuotes,
            (Self::InQuotes, b'"') => Self::Quoted,
            (Self::InQuotes, b'\\') => Self::Escape,
            (Self::InQuotes | Self::Escape, _) if ascii::is_field_vchar(b) => Self::InQuotes,
            (Self::Name | Self::InName, _) if ascii::is_tchar(b) => Self::InName,
            (Self::Value | Self::InToken, _) if ascii::is_tchar(b) => Self::InToken,
            _ => return Err(fault(b, ProtocolError::ChunkExtension)),
        };
        if *counts.extensions >= limits.chunk_extensions {
            return Err(ProtocolError::ChunkExtensionsTooLarge);
        }
        *counts.extensions += 1;
        Ok(next)
    }
}

/// The fault of a byte that may not stand where it stands.
const fn fault(b: u8, otherwise: ProtocolError) -> ProtocolError {
    match b {
        b'\n' => ProtocolError::BareLf,
        _ => otherwise,
    }
}

#[cfg(test)]
mod tests;
