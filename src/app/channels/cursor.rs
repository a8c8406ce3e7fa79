//! The places of an event stream in all its channels, as an event's id has them.
//!
//! ```text
//!   version │ epoch, 8 bytes │ offset, 1 to 10 bytes │ epoch │ offset ...     as base64url
//! ```

use alloc::vec::Vec;
use core::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::position::{Epoch, Position};

const VERSION: u8 = 1;

const LONGEST: usize = 1 + Cursor::MOST * 18;

/// Positions in several channels, of which an epoch tells the channel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Cursor(Vec<Position>);

impl Cursor {
    /// History channels of one event stream: an id of 16 has at most 386 characters.
    pub(crate) const MOST: usize = 16;

    pub(crate) fn of(position: Position) -> Self {
        Self(alloc::vec![position])
    }

    /// The cursor that this id stands for. One that is none stands for no position: it is
    /// recovered nowhere.
    pub(crate) fn parse(id: &str) -> Self {
        let mut bytes = [0; LONGEST.next_multiple_of(3)];
        let length = URL_SAFE_NO_PAD.decode_slice(id, &mut bytes);
        let bytes = length.ok().and_then(|length| bytes.get(..length));
        bytes.and_then(Self::read).unwrap_or_default()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(&[VERSION])?;
        let mut positions = Vec::new();
        while !rest.is_empty() {
            let (epoch, after) = rest.split_first_chunk::<8>()?;
            let (offset, after) = read_number(after)?;
            positions.push(Position::new(
                Epoch::new(u64::from_be_bytes(*epoch)),
                offset,
            ));
            rest = after;
        }
        (positions.len() <= Self::MOST).then_some(Self(positions))
    }

    pub(crate) fn positions(&self) -> &[Position] {
        &self.0
    }

    /// Moves on in one channel; false if there are too many.
    pub(crate) fn set(&mut self, position: Position) -> bool {
        if let Some(known) = self.0.iter_mut().find(|it| it.epoch == position.epoch) {
            *known = position;
            return true;
        }
        if self.0.len() >= Self::MOST {
            return false;
        }
        self.0.push(position);
        true
    }

    pub(crate) fn remove(&mut self, epoch: Epoch) {
        self.0.retain(|it| it.epoch != epoch);
    }

    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }
}

/// A number of 7 bits a byte, the lowest first; what follows it.
fn read_number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0_u64;
    for (nth, &byte) in bytes.iter().enumerate().take(10) {
        let bits = u64::from(byte & 0x7f);
        number |= bits
            .checked_shl(7 * nth as u32)
            .filter(|it| it >> (7 * nth as u32) == bits)?;
        if byte & 0x80 == 0 {
            return Some((number, bytes.get(nth + 1..)?));
        }
    }
    None
}

fn put_number(mut number: u64, out: &mut Vec<u8>) {
    while number > 0x7f {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = alloc::vec![VERSION];
        for Position { epoch, offset } in &self.0 {
            bytes.extend_from_slice(&epoch.number().to_be_bytes());
            put_number(*offset, &mut bytes);
        }
        let mut text = [0; LONGEST.div_ceil(3) * 4];
        let length = URL_SAFE_NO_PAD.encode_slice(&bytes, &mut text);
        let text = length.ok().and_then(|length| text.get(..length));
        let text = text.and_then(|text| core::str::from_utf8(text).ok());
        f.write_str(text.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests;
