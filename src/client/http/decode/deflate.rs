//! `deflate`: zlib (RFC 1950), and bare DEFLATE (RFC 1951), which some servers send
//! under that name.

use alloc::vec::Vec;

use flate2::Decompress;

use super::Decode;
use super::gzip::inflate;

const MALFORMED: &str = "the body is not deflate, as its Content-Encoding says";

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
    fn decode(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<usize, &'static str> {
        match self {
            Self::Begun(kept) => {
                let lacks = 2 - kept.len(); // there are never more
                let used = input.get(..lacks.min(input.len())).unwrap_or_default();
                kept.extend_from_slice(used);
                if let &[first, second] = &**kept {
                    // Method 8, and a multiple of 31 (RFC 1950 §2.2).
                    let is_zlib =
                        first & 0x0f == 8 && u16::from_be_bytes([first, second]).is_multiple_of(31);
                    let mut machine = Decompress::new(is_zlib);
                    let ended = inflate(&mut machine, kept, out);
                    *self = match ended.map_err(|()| MALFORMED)? {
                        true => Self::Ended,
                        false => Self::Data(machine),
                    };
                }
                Ok(used.len())
            }
            Self::Data(machine) => {
                let taken = machine.total_in();
                let ended = inflate(machine, input, out).map_err(|()| MALFORMED)?;
                let used = (machine.total_in() - taken) as usize; // at most the input
                if ended {
                    *self = Self::Ended;
                }
                Ok(used)
            }
            Self::Ended if input.is_empty() => Ok(0),
            Self::Ended => Err(MALFORMED),
        }
    }

    fn can_end(&self) -> bool {
        match self {
            Self::Begun(kept) => kept.is_empty(),
            Self::Data(_) => false,
            Self::Ended => true,
        }
    }
}
