//! `deflate`: zlib (RFC 1950), and bare DEFLATE (RFC 1951), which some servers send
//! under that name.

use alloc::vec::Vec;

use flate2::Decompress;

use super::fault::{Decode, Decoded, Fault};
use super::gzip::{STATE, inflate};

const MALFORMED: Fault = Fault::Coding("the body is not deflate, as its Content-Encoding says");

pub(super) enum Deflate {
    /// Of the two bytes that tell which it is, so many have come.
    Begun(Vec<u8>),
    Data(Decompress),
    Ended,
}

impl Deflate {
    pub(super) const fn new() -> Self {
        Self::Begun(Vec::new())
    }
}

impl Decode for Deflate {
    fn decode(&mut self, input: &[u8], out: &mut [u8]) -> Result<Decoded, Fault> {
        match self {
            Self::Begun(kept) => {
                let lacks = 2 - kept.len(); // there are never more
                let used = input.get(..lacks.min(input.len())).unwrap_or_default();
                kept.extend_from_slice(used);
                let mut given = 0;
                if let &[first, second] = &**kept {
                    // Method 8, and a multiple of 31 (RFC 1950 §2.2).
                    let is_zlib =
                        first & 0x0f == 8 && u16::from_be_bytes([first, second]).is_multiple_of(31);
                    let mut machine = Decompress::new(is_zlib);
                    let inflated = inflate(&mut machine, kept, out).ok_or(MALFORMED)?;
                    given = inflated.given;
                    *self = match inflated.is_end {
                        true => Self::Ended,
                        false => Self::Data(machine),
                    };
                }
                let used = used.len();
                Ok(Decoded { used, given })
            }
            Self::Data(machine) => {
                let inflated = inflate(machine, input, out).ok_or(MALFORMED)?;
                if inflated.is_end {
                    *self = Self::Ended;
                }
                Ok(inflated.into())
            }
            Self::Ended if input.is_empty() => Ok(Decoded { used: 0, given: 0 }),
            Self::Ended => Err(Fault::Coding("more follows the end of the body's coding")),
        }
    }

    fn memory(&self) -> usize {
        STATE
    }

    fn can_end(&self) -> bool {
        match self {
            Self::Begun(kept) => kept.is_empty(),
            Self::Data(_) => false,
            Self::Ended => true,
        }
    }
}
