//! The part of the wire format of Protocol Buffers that health checks, reflection and
//! details of errors need.
//!
//! ```text
//!  key = number << 3 | type          type 0: varint
//!                                         1: 8 bytes, 5: 4 bytes
//!                                         2: length, bytes
//! ```
//!
//! Their messages have a handful of fields, so that these services ask for no
//! code generator and no feature.

use alloc::vec::Vec;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value<'m> {
    Number(u64),
    /// Text, octets or a message.
    Bytes(&'m [u8]),
    /// A number of a fixed width, which no message here has.
    Fixed,
}

impl<'m> Value<'m> {
    /// The value as text; `None` if it is not text.
    pub(crate) fn text(self) -> Option<&'m str> {
        match self {
            Self::Bytes(bytes) => core::str::from_utf8(bytes).ok(),
            Self::Number(_) | Self::Fixed => None,
        }
    }

    /// The value as octets; none if it is a number.
    pub(crate) const fn bytes(self) -> &'m [u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Number(_) | Self::Fixed => &[],
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Fields<'m> {
    rest: &'m [u8],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

impl<'m> Fields<'m> {
    pub(crate) const fn new(message: &'m [u8]) -> Self {
        Self { rest: message }
    }

    fn header(&mut self) -> Option<(u32, Value<'m>)> {
        let key = self.varint()?;
        let number = u32::try_from(key >> 3).ok().filter(|&number| number > 0)?;
        let value = match key & 7 {
            0 => Value::Number(self.varint()?),
            1 => self.take(8).map(|_| Value::Fixed)?,
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                Value::Bytes(self.take(length)?)
            }
            5 => self.take(4).map(|_| Value::Fixed)?,
            _ => return None, // groups have been gone for long
        };
        Some((number, value))
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn take(&mut self, length: usize) -> Option<&'m [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }
}

impl<'m> Iterator for Fields<'m> {
    type Item = Result<(u32, Value<'m>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.header().ok_or(Malformed);
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

pub(crate) fn put_number(number: u32, value: u64, out: &mut Vec<u8>) {
    put_varint(u64::from(number) << 3, out);
    put_varint(value, out);
}

/// Appends a field that is text, octets or a message.
pub(crate) fn put_bytes(number: u32, value: &[u8], out: &mut Vec<u8>) {
    put_varint(u64::from(number) << 3 | 2, out);
    put_varint(value.len() as u64, out);
    out.extend_from_slice(value);
}

fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80); // its low seven bits
        value >>= 7;
    }
    out.push(value as u8); // < 0x80
}

#[cfg(test)]
mod tests;
