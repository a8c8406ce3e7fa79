//! The base64 of the text form, in place and across cuts.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::wire::Sink;

/// Turns base64 into bytes at the front of the caller's buffer.
///
/// ```text
///  input:  decoded | gap | base64 that has not been decoded
/// ```
///
/// Padding may end any group of four. The gap is given back when it outweighs what is decoded:
/// moves stay linear.
#[derive(Debug, Clone, Default)]
pub(super) struct TextDecoder {
    decoded: usize,
    gap: usize,
    open: usize,  // characters of a group that is not whole: 0 to 3
    broken: bool, // the group after the gap is not base64
}

impl TextDecoder {
    pub(super) const fn new() -> Self {
        Self {
            decoded: 0,
            gap: 0,
            open: 0,
            broken: false,
        }
    }

    /// Decodes all whole groups of `input`. Decoded bytes begin at the returned place.
    pub(super) fn advance(&mut self, input: &mut [u8]) -> usize {
        let mut start = 0;
        if input.len() < self.decoded + self.gap {
            return start; // the caller has dropped what was not used: wait for it
        }
        if self.gap > self.decoded {
            start = self.gap;
            input.copy_within(..self.decoded, start); // decoded + gap <= input.len()
            self.gap = 0;
        }
        let mut write = start + self.decoded;
        let mut read = write + self.gap;
        while !self.broken
            && let Some(group) = input.get(read..).and_then(|rest| rest.first_chunk::<4>())
        {
            match decode_group(*group) {
                // write + 3 <= read + 4 <= input.len()
                Some((bytes, len)) => {
                    input[write..write + len].copy_from_slice(&bytes[..len]);
                    write += len;
                    read += 4;
                }
                None => self.broken = true,
            }
        }
        self.decoded = write - start;
        self.gap = read - write;
        self.open = (input.len() - read).min(3);
        start
    }

    pub(super) const fn decoded(&self) -> usize {
        self.decoded
    }

    /// Takes `n` decoded bytes off the front; returns how much of the input
    /// that frees.
    pub(super) const fn take(&mut self, n: usize) -> usize {
        self.decoded -= n;
        if self.decoded > 0 {
            return n;
        }
        let gap = self.gap;
        self.gap = 0;
        n + gap
    }

    pub(super) const fn is_broken(&self) -> bool {
        self.broken
    }

    /// Whether the text ends inside of a group.
    pub(super) const fn is_open(&self) -> bool {
        self.open > 0
    }

    /// The characters that must arrive before `bytes` more can be decoded: at
    /// least 1.
    pub(super) const fn characters_for(&self, bytes: usize) -> usize {
        bytes.div_ceil(3) * 4 - self.open // open < 4
    }
}

/// A group of four characters and its bytes; `None` unless canonical base64 (RFC 4648 §3.5).
#[inline]
fn decode_group(group: [u8; 4]) -> Option<([u8; 3], usize)> {
    let [a, b, c, d] = group.map(|character| u32::from(VALUES[character as usize]));
    if a | b | c | d < 64 {
        let [_, x, y, z] = (a << 18 | b << 12 | c << 6 | d).to_be_bytes();
        return Some(([x, y, z], 3));
    }
    decode_padded(group)
}

#[cold]
fn decode_padded(group: [u8; 4]) -> Option<([u8; 3], usize)> {
    let len = match group {
        [_, _, b'=', b'='] => 1,
        [_, _, _, b'='] => 2,
        _ => 3,
    };
    let mut word = 0;
    for (index, character) in group.into_iter().enumerate() {
        let bits = if index <= len {
            VALUES[character as usize]
        } else {
            0
        };
        if bits == NONE {
            return None;
        }
        word = word << 6 | u32::from(bits);
    }
    let [_, a, b, c] = word.to_be_bytes();
    let bytes = [a, b, c];
    let rest_is_zero = bytes.iter().skip(len).all(|&byte| byte == 0);
    rest_is_zero.then_some((bytes, len))
}

const NONE: u8 = 0xff;

/// The value of each character of the alphabet (RFC 4648 §4).
static VALUES: [u8; 256] = {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut values = [NONE; 256];
    let mut value = 0;
    while value < 64 {
        values[ALPHABET[value] as usize] = value as u8;
        value += 1;
    }
    values
};

/// Writes bytes as base64, from pieces of any size.
#[derive(Debug, Default)]
pub(super) struct TextEncoder {
    carry: [u8; 3],
    held: usize, // bytes of `carry`: 0 to 2
}

impl TextEncoder {
    pub(super) const fn encoded_len(bytes: usize) -> usize {
        bytes.div_ceil(3).saturating_mul(4)
    }

    /// Appends whole groups and keeps the rest.
    pub(super) fn push(&mut self, mut bytes: &[u8], out: &mut impl Sink) {
        while self.held > 0
            && let Some((&first, rest)) = bytes.split_first()
        {
            self.carry[self.held] = first; // held < 3
            self.held += 1;
            bytes = rest;
            if self.held == 3 {
                self.finish(out);
            }
        }
        let (groups, rest) = bytes.split_at(bytes.len() / 3 * 3);
        put(groups, out);
        // Either `carry` is empty or all of `bytes` went into it.
        for &byte in rest {
            self.carry[self.held] = byte; // held < 2: rest.len() < 3
            self.held += 1;
        }
    }

    pub(super) fn finish(&mut self, out: &mut impl Sink) {
        put(&self.carry[..self.held], out);
        self.held = 0;
    }
}

fn put(bytes: &[u8], out: &mut impl Sink) {
    let space = out.space(TextEncoder::encoded_len(bytes.len()));
    // The space is what the engine asks for; the caller has checked the room.
    let written = STANDARD.encode_slice(bytes, space);
    debug_assert!(written.is_ok());
}

#[cfg(test)]
mod tests;
