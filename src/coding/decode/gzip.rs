//! `gzip` (RFC 1952), of one member or several, in any pieces.

use alloc::vec::Vec;

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::fault::{Decode, Decoded, Fault};

const MALFORMED: Fault = Fault::Coding("the body is not gzip, as its Content-Encoding says");

/// How far back DEFLATE refers to what it has brought (RFC 1951 §3).
pub(super) const WINDOW: u32 = 32 << 10;

/// Bytes of a state that inflates, with its window.
pub(super) const STATE: usize = 48 << 10;

/// The longest head of a member, with the name of a file and a comment.
const HEAD: usize = 4 << 10;

pub(super) struct Gzip {
    machine: Decompress,
    part: Part,
    /// The front of a head or tail, as far as it has come.
    kept: Vec<u8>,
    sum: Crc,
    /// How many more members without content may follow, and how many at most.
    empty: [u16; 2],
}

enum Part {
    Head,
    Data,
    Tail,
}

impl Gzip {
    pub(super) fn new(empty: u16) -> Self {
        Self {
            machine: Decompress::new(false),
            part: Part::Head,
            kept: Vec::new(),
            sum: Crc::new(),
            empty: [empty; 2],
        }
    }

    /// Keeps what comes of a head until it is complete; returns how much was used.
    fn head(&mut self, input: &[u8]) -> Result<usize, Fault> {
        let before = self.kept.len();
        self.kept.extend_from_slice(input);
        match head_length(&self.kept)? {
            Some(length) if length <= HEAD => {
                self.kept.clear();
                self.part = Part::Data;
                Ok(length - before) // it was not complete before
            }
            None if self.kept.len() < HEAD => Ok(input.len()),
            _ => Err(MALFORMED),
        }
    }

    fn data(&mut self, input: &[u8], out: &mut [u8]) -> Result<Decoded, Fault> {
        let inflated = inflate(&mut self.machine, input, out).ok_or(MALFORMED)?;
        self.sum
            .update(out.get(..inflated.given).unwrap_or_default());
        if inflated.is_end {
            self.part = Part::Tail;
        }
        Ok(inflated.into())
    }

    /// Compares sum and length, which end a member (RFC 1952 §2.3.1).
    fn tail(&mut self, input: &[u8]) -> Result<usize, Fault> {
        let lacks = 8 - self.kept.len(); // there are never more
        let used = input.get(..lacks.min(input.len())).unwrap_or_default();
        self.kept.extend_from_slice(used);
        if let &[a, b, c, d, e, f, g, h] = &*self.kept {
            let is_right = u32::from_le_bytes([a, b, c, d]) == self.sum.sum()
                && u32::from_le_bytes([e, f, g, h]) == self.sum.amount();
            if !is_right {
                let text = "the body does not match its checksum: it was damaged";
                return Err(Fault::Coding(text));
            }
            // Each costs much for the few bytes that it is.
            let [left, most] = &mut self.empty;
            *left = match self.sum.amount() {
                0 => left.checked_sub(1),
                _ => Some(*most),
            }
            .ok_or(Fault::TooLarge("empty_members"))?;
            self.kept.clear();
            self.sum.reset();
            self.machine.reset(false);
            self.part = Part::Head;
        }
        Ok(used.len())
    }
}

impl Decode for Gzip {
    fn decode(&mut self, input: &[u8], out: &mut [u8]) -> Result<Decoded, Fault> {
        let used = match self.part {
            Part::Head => self.head(input)?,
            Part::Data => return self.data(input, out),
            Part::Tail => self.tail(input)?,
        };
        Ok(Decoded { used, given: 0 })
    }

    fn memory(&self) -> usize {
        STATE + self.kept.capacity()
    }

    fn can_end(&self) -> bool {
        matches!(self.part, Part::Head) && self.kept.is_empty()
    }
}

pub(super) struct Inflated {
    used: usize,
    pub(super) given: usize,
    pub(super) is_end: bool,
}

impl From<Inflated> for Decoded {
    fn from(Inflated { used, given, .. }: Inflated) -> Self {
        Self { used, given }
    }
}

/// Inflates some. `None` if the input is no DEFLATE.
pub(super) fn inflate(machine: &mut Decompress, input: &[u8], out: &mut [u8]) -> Option<Inflated> {
    let before = (machine.total_in(), machine.total_out());
    let status = machine.decompress(input, out, FlushDecompress::None);
    Some(Inflated {
        used: (machine.total_in() - before.0) as usize, // at most the input
        given: (machine.total_out() - before.1) as usize, // at most the room
        is_end: status.ok()? == Status::StreamEnd,
    })
}

/// How long the head of a member is (RFC 1952 §2.3); `None` if it is not complete.
fn head_length(text: &[u8]) -> Result<Option<usize>, Fault> {
    const CRC16: u8 = 0x02;
    const EXTRA: u8 = 0x04;
    const NAME: u8 = 0x08;
    const COMMENT: u8 = 0x10;
    const RESERVED: u8 = 0xe0;
    let magic = [0x1f, 0x8b, 8];
    if !magic.iter().zip(text).all(|(a, b)| a == b) {
        return Err(MALFORMED);
    }
    let Some(&flags) = text.get(3) else {
        return Ok(None);
    };
    if flags & RESERVED != 0 {
        return Err(MALFORMED);
    }
    let mut at = 10;
    if flags & EXTRA != 0 {
        let Some(&[low, high]) = text.get(at..at + 2) else {
            return Ok(None);
        };
        at += 2 + usize::from(u16::from_le_bytes([low, high]));
    }
    for part in [NAME, COMMENT] {
        if flags & part != 0 {
            let rest = text.get(at..).unwrap_or_default();
            let Some(end) = rest.iter().position(|&b| b == 0) else {
                return Ok(None);
            };
            at += end + 1;
        }
    }
    if flags & CRC16 != 0 {
        at += 2;
    }
    Ok((text.len() >= at).then_some(at))
}
