//! Messages in gzip (RFC 1952).
//!
//! ```text
//!  +----+----+----+-----+---------+-----+----+======+=========+-------+-------+
//!  | 1f | 8b | 08 | FLG |  MTIME  | XFL | OS | more | DEFLATE | CRC32 | ISIZE |
//!  +----+----+----+-----+---------+-----+----+======+=========+-------+-------+
//!                   what of: extra field, name, comment, CRC16
//! ```
//!
//! The output is limited: a small message that inflates to a large one is
//! given up at the limit, not after it.

use alloc::boxed::Box;
use alloc::vec::Vec;

use flate2::{Compress, Compression, Crc, Decompress, FlushCompress, FlushDecompress, Status};

use super::ProtocolError;

/// The first bytes of what is compressed here: no name, no time, any system.
const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// How much room is made at a time for what is inflated, at first.
const STEP: usize = 4 << 10;

/// Compresses and inflates messages. Holds the tables of both, about 300 KiB
/// once they have been used, so that many calls share one.
///
/// ```
/// use barewire::grpc::{Gzip, ProtocolError};
///
/// let (mut gzip, mut packed, mut message) = (Gzip::new(), Vec::new(), Vec::new());
/// gzip.compress(&[b'a'; 1000], &mut packed);
/// assert!(packed.len() < 100);
/// gzip.inflate(&packed, 1000, &mut message).unwrap();
/// assert_eq!(message, [b'a'; 1000]);
/// message.clear();
/// let refused = gzip.inflate(&packed, 999, &mut message);
/// assert_eq!(refused, Err(ProtocolError::InflatedTooLong));
/// ```
#[derive(Debug, Default)]
pub struct Gzip {
    inflating: Option<Box<Decompress>>,
    compressing: Option<Box<Compress>>,
}

impl Gzip {
    /// Holds nothing yet.
    pub const fn new() -> Self {
        Self {
            inflating: None,
            compressing: None,
        }
    }

    /// Appends what `message` inflates to, at most `limit` bytes.
    ///
    /// # Errors
    /// [`ProtocolError::InflatedTooLong`] as soon as it is more,
    /// [`ProtocolError::MalformedCompressed`] if it is not gzip to its last byte;
    /// then nothing is appended.
    pub fn inflate(
        &mut self,
        message: &[u8],
        limit: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), ProtocolError> {
        let start = out.len();
        let most = start.saturating_add(limit);
        let mut rest = message;
        loop {
            match self.inflate_member(rest, most, out) {
                // Members may stand after each other (RFC 1952 §2.2).
                Ok(more) if !more.is_empty() => rest = more,
                Ok(_) => return Ok(()),
                Err(violation) => {
                    out.truncate(start);
                    return Err(violation);
                }
            }
        }
    }

    /// Inflates one member; gives what stands after it.
    fn inflate_member<'m>(
        &mut self,
        member: &'m [u8],
        most: usize,
        out: &mut Vec<u8>,
    ) -> Result<&'m [u8], ProtocolError> {
        let mut rest = skip_head(member).ok_or(ProtocolError::MalformedCompressed)?;
        let start = out.len();
        let machine = self
            .inflating
            .get_or_insert_with(|| Box::new(Decompress::new(false)));
        machine.reset(false);
        loop {
            if out.len() == out.capacity() {
                // One byte beyond the limit shows that it is exceeded.
                let room = (most - out.len()).saturating_add(1);
                out.reserve_exact(room.min((out.len() - start).max(STEP)));
            }
            let (taken, given) = (machine.total_in(), out.len());
            let status = machine.decompress_vec(rest, out, FlushDecompress::None);
            let taken = (machine.total_in() - taken) as usize; // <= rest.len()
            rest = rest.get(taken..).unwrap_or_default();
            if out.len() > most {
                return Err(ProtocolError::InflatedTooLong);
            }
            match status {
                Ok(Status::StreamEnd) => break,
                Ok(_) if taken > 0 || out.len() > given => {}
                Ok(_) | Err(_) => return Err(ProtocolError::MalformedCompressed),
            }
        }
        let inflated = out.get(start..).unwrap_or_default();
        let mut sum = Crc::new();
        sum.update(inflated);
        let (tail, rest) = rest
            .split_first_chunk::<8>()
            .ok_or(ProtocolError::MalformedCompressed)?;
        let [a, b, c, d, e, f, g, h] = *tail;
        let is_right = u32::from_le_bytes([a, b, c, d]) == sum.sum()
            && u32::from_le_bytes([e, f, g, h]) == inflated.len() as u32;
        is_right
            .then_some(rest)
            .ok_or(ProtocolError::MalformedCompressed)
    }

    /// Appends `message`, compressed.
    pub fn compress(&mut self, message: &[u8], out: &mut Vec<u8>) {
        let machine = self
            .compressing
            .get_or_insert_with(|| Box::new(Compress::new(Compression::fast(), false)));
        machine.reset();
        out.extend_from_slice(&HEAD);
        let mut rest = message;
        loop {
            out.reserve(STEP.min(rest.len() + 64));
            let (taken, given) = (machine.total_in(), out.len());
            let status = machine.compress_vec(rest, out, FlushCompress::Finish);
            let taken = (machine.total_in() - taken) as usize; // <= rest.len()
            rest = rest.get(taken..).unwrap_or_default();
            let goes_on = taken > 0 || out.len() > given;
            if !matches!(status, Ok(Status::Ok | Status::BufError)) || !goes_on {
                break; // at its end: with room, it cannot fail
            }
        }
        let mut sum = Crc::new();
        sum.update(message);
        out.extend_from_slice(&sum.sum().to_le_bytes());
        out.extend_from_slice(&(message.len() as u32).to_le_bytes());
    }
}

/// The rest of a member after its head (RFC 1952 §2.3); `None` if it is not one.
fn skip_head(member: &[u8]) -> Option<&[u8]> {
    const CRC16: u8 = 0x02;
    const EXTRA: u8 = 0x04;
    const NAME: u8 = 0x08;
    const COMMENT: u8 = 0x10;
    let (&[0x1f, 0x8b, 8, flags, _, _, _, _, _, _], mut rest) = member.split_first_chunk()? else {
        return None;
    };
    if flags & 0xe0 != 0 {
        return None; // reserved (RFC 1952 §2.3.1.2)
    }
    if flags & EXTRA != 0 {
        let (length, after) = rest.split_first_chunk::<2>()?;
        rest = after.get(usize::from(u16::from_le_bytes(*length))..)?;
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            let end = rest.iter().position(|&b| b == 0)?;
            rest = rest.get(end + 1..)?; // end < rest.len()
        }
    }
    if flags & CRC16 != 0 {
        let head = member.get(..member.len() - rest.len())?; // a part of it
        let mut sum = Crc::new();
        sum.update(head);
        let (stated, after) = rest.split_first_chunk::<2>()?;
        if u16::from_le_bytes(*stated) != sum.sum() as u16 {
            return None;
        }
        rest = after;
    }
    Some(rest)
}

#[cfg(test)]
mod tests;
