//! `gzip` (RFC 1952), of one member or several, in any pieces.

use alloc::vec::Vec;

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::{Decode, STEP};

const MALFORMED: &str = "the body is not gzip, as its Content-Encoding says";

/// The longest head of a member, with the name of a file and a comment.
const HEAD: usize = 4 << 10;

/// Members without content that may follow each other: each costs much for the few bytes
/// that it is.
const EMPTY: u8 = 64;

pub(super) struct Gzip {
    machine: Decompress,
    part: Part,
    /// The front of a head or tail, as far as it has come.
    kept: Vec<u8>,
    sum: Crc,
    /// The members without content that came last.
    empty: u8,
}

enum Part {
    Head,
    Data,
    Tail,
}

impl Gzip {
    pub(super) fn new() -> Self {
        Self {
            machine: Decompress::new(false),
            part: Part::Head,
            kept: Vec::new(),
            sum: Crc::new(),
            empty: 0,
        }
    }

    /// Keeps what comes of a head until it is complete; returns how much was used.
    fn head(&mut self, input: &[u8]) -> Result<usize, &'static str> {
        let before = self.kept.len();
        self.kept.extend_from_slice(input);
        match head_length(&self.kept)? {
            Some(length) => {
                self.kept.clear();
                self.part = Part::Data;
                Ok(length - before) // it was not complete before
            }
            None if self.kept.len() > HEAD => Err(MALFORMED),
            None => Ok(input.len()),
        }
    }

    fn data(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<usize, &'static str> {
        let (taken, start) = (self.machine.total_in(), out.len());
        let inflated = inflate(&mut self.machine, input, out);
        self.sum.update(out.get(start..).unwrap_or_default());
        if inflated.map_err(|()| MALFORMED)? {
            self.part = Part::Tail;
        }
        Ok((self.machine.total_in() - taken) as usize) // at most the input
    }

    /// Compares sum and length, which end a member (RFC 1952 §2.3.1).
    fn tail(&mut self, input: &[u8]) -> Result<usize, &'static str> {
        let lacks = 8 - self.kept.len(); // there are never more
        let used = input.get(..lacks.min(input.len())).unwrap_or_default();
        self.kept.extend_from_slice(used);
        if let &[a, b, c, d, e, f, g, h] = &*self.kept {
            let is_right = u32::from_le_bytes([a, b, c, d]) == self.sum.sum()
                && u32::from_le_bytes([e, f, g, h]) == self.sum.amount();
            if !is_right {
                return Err("the body does not match its checksum: it was damaged");
            }
            self.empty = match self.sum.amount() {
                0 => self.empty + 1,
                _ => 0,
            };
            if self.empty > EMPTY {
                return Err("the body has too many gzip members without content");
            }
            self.kept.clear();
            self.sum.reset();
            self.machine.reset(false);
            self.part = Part::Head;
        }
        Ok(used.len())
    }
}

impl Decode for Gzip {
    fn decode(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<usize, &'static str> {
        match self.part {
            Part::Head => self.head(input),
            Part::Data => self.data(input, out),
            Part::Tail => self.tail(input),
        }
    }

    fn can_end(&self) -> bool {
        matches!(self.part, Part::Head) && self.kept.is_empty()
    }
}

/// Inflates some; whether that was the end.
pub(super) fn inflate(
    machine: &mut Decompress,
    input: &[u8],
    out: &mut Vec<u8>,
) -> Result<bool, ()> {
    out.reserve(STEP);
    let start = out.len();
    out.resize(start + STEP, 0);
    let given = machine.total_out();
    let room = out.get_mut(start..).unwrap_or_default();
    let status = machine.decompress(input, room, FlushDecompress::None);
    out.truncate(start + (machine.total_out() - given) as usize); // at most the room
    match status {
        Ok(Status::StreamEnd) => Ok(true),
        Ok(Status::Ok | Status::BufError) => Ok(false),
        Err(_) => Err(()),
    }
}

/// How long the head of a member is (RFC 1952 §2.3); `None` if it is not complete.
fn head_length(text: &[u8]) -> Result<Option<usize>, &'static str> {
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
