//! Integers with an N-bit prefix (RFC 7541 §5.1).
//!
//! ```text
//!   value < 2^N - 1:  | flags | value |
//!   else:             | flags | 1...1 |  then 7 bits an octet, low ones first,
//!                                        the top bit set while more follow
//! ```

use super::ProtocolError;
use crate::wire::{Cursor, Sink};

/// Octets after the prefix that a value of 32 bits can need.
const MAX_OCTETS: u32 = 5;

/// Reads the integer whose prefix is the low `bits` bits of `first`, an octet
/// that has been taken already. At most five octets follow.
#[inline]
pub(super) fn decode(first: u8, bits: u32, cursor: &mut Cursor<'_>) -> Result<u32, ProtocolError> {
    let mask = (1u32 << bits) - 1;
    let prefix = u32::from(first) & mask;
    if prefix < mask {
        return Ok(prefix);
    }
    decode_rest(prefix, cursor)
}

fn decode_rest(prefix: u32, cursor: &mut Cursor<'_>) -> Result<u32, ProtocolError> {
    let mut value = u64::from(prefix);
    for octet in 0..MAX_OCTETS {
        let b = cursor.byte().ok_or(ProtocolError::Truncated)?;
        value += u64::from(b & 0x7f) << (7 * octet); // below 2^36
        if b & 0x80 == 0 {
            return u32::try_from(value).map_err(|_| ProtocolError::Integer);
        }
    }
    Err(ProtocolError::Integer)
}

/// Appends `value` with a prefix of `bits` bits under `flags`: 1 to 6 octets.
#[inline]
pub(super) fn encode(value: u32, bits: u32, flags: u8, out: &mut impl Sink) {
    let mask = (1u32 << bits) - 1;
    if value < mask {
        out.put(&[flags | value as u8]);
        return;
    }
    let mut octets = [flags | mask as u8, 0, 0, 0, 0, 0];
    let (mut rest, mut len) = (value - mask, 1);
    while rest >= 0x80 {
        octets[len] = 0x80 | rest as u8;
        rest >>= 7;
        len += 1;
    }
    // A u32 has at most five groups of seven bits: `len` is at most 5 here.
    octets[len] = rest as u8;
    out.put(&octets[..=len]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Slice;
    use proptest::prelude::*;

    fn decoded(bytes: &[u8], bits: u32) -> Result<(u32, usize), ProtocolError> {
        let mut cursor = Cursor::new(bytes);
        let first = cursor.byte().ok_or(ProtocolError::Truncated)?;
        decode(first, bits, &mut cursor).map(|value| (value, cursor.position()))
    }

    #[test]
    fn values_beyond_32_bits_and_endless_octets_are_refused() {
        assert_eq!(
            decoded(b"\x7f\x80\xff\xff\xff\x0f", 7),
            Ok((u32::MAX, 6)),
            "127 + 0xffffff80"
        );
        assert_eq!(
            decoded(b"\x7f\x81\xff\xff\xff\x0f", 7),
            Err(ProtocolError::Integer)
        );
        assert_eq!(
            decoded(b"\x7f\x80\x80\x80\x80\x80\x00", 7),
            Err(ProtocolError::Integer)
        );
        assert_eq!(decoded(b"\x7f\x80\x80", 7), Err(ProtocolError::Truncated));
        assert_eq!(
            decoded(b"\x1f\x80\x00", 5),
            Ok((31, 3)),
            "zeros within reason"
        );
    }

    proptest! {
        #[test]
        fn integers_survive_a_round_trip(value: u32, shift in 0..32u32, bits in 1..=8u32) {
            let value = value >> shift;
            let mut memory = [0; 8];
            let mut out = Slice::new(&mut memory);
            encode(value, bits, 0, &mut out);
            let len = out.written().len();
            prop_assert_eq!(decoded(out.written(), bits), Ok((value, len)));
        }
    }
}
