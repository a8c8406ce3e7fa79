//! Matches of a text with itself.

use alloc::vec::Vec;

use super::bits::Bits;
use super::block::{Token, put_block, put_stored_piece};
use super::table::{Hashes, Table};

const LONGEST: usize = 258;
/// The most tokens of a block.
pub(super) const BLOCK: usize = 4096;

/// After so many places without a match some are skipped: one behind each look-up, and one more
/// for as many again.
const PATIENCE: usize = 256;

/// Eight bytes as a number, the first one lowest.
#[inline(always)]
fn eight_at(plain: &[u8], at: usize) -> Option<u64> {
    let bytes = plain.get(at..)?.first_chunk::<8>()?;
    Some(u64::from_le_bytes(*bytes))
}

/// How many bytes from `a` on are those from `b` on, which is behind `a`: 8 are, and at most
/// [`LONGEST`] are counted.
#[inline(never)]
fn common(plain: &[u8], a: usize, b: usize) -> usize {
    let mut length = 8;
    while length < LONGEST - 8
        && let (Some(one), Some(other)) = (eight_at(plain, a + length), eight_at(plain, b + length))
    {
        match one ^ other {
            0 => length += 8,
            differs => return length + differs.trailing_zeros() as usize / 8,
        }
    }
    let one = plain.get(a + length..).unwrap_or_default();
    let other = plain.get(b + length..).unwrap_or_default();
    let rest = one.iter().zip(other).take(LONGEST - length);
    length + rest.take_while(|(one, other)| one == other).count()
}

/// Appends `plain` from `from` on, deflated, referring to at most `window` bytes back. `plain`
/// begins at position `start`.
pub(super) fn deflate(
    table: &mut Table,
    plain: &[u8],
    from: usize,
    (start, window): (u16, usize),
    tokens: &mut [Token; BLOCK],
    out: &mut Vec<u8>,
) {
    let mut bits = Bits::new(out, (plain.len() - from) / 2);
    let (mut at, mut begun, mut count) = (from, from, 0);
    let mut hashes = Hashes::of(table);
    let mut misses = 0_usize;
    while let Some(eight) = eight_at(plain, at) {
        let place = start.wrapping_add(at as u16);
        let before = hashes.replace(eight, place);
        let distance = usize::from(place.wrapping_sub(before));
        // In front of `plain` there is nothing.
        let other = eight_at(plain, at.wrapping_sub(distance)).unwrap_or(!eight);
        let differs = eight ^ other;
        if (distance.wrapping_sub(1) < window) & (differs as u32 == 0) {
            let length = match differs {
                0 => common(plain, at - distance, at),
                _ => differs.trailing_zeros() as usize / 8,
            };
            tokens[count % BLOCK] = Token::copy(length, distance);
            // So that later text finds its parts, too.
            hashes.replace(eight >> 8, place.wrapping_add(1));
            at += length;
            misses = 0;
            if let Some(eight) = eight_at(plain, at - 2) {
                let place = start.wrapping_add(at as u16);
                hashes.replace(eight, place.wrapping_sub(2));
                hashes.replace(eight >> 8, place.wrapping_sub(1));
            }
        } else {
            tokens[count % BLOCK] = Token::byte(eight as u8);
            at += 1;
            misses += 1;
            if misses >= PATIENCE {
                // Where nothing matches for long, not every place is looked up.
                let more = (misses / PATIENCE).min(7).min(BLOCK - 1 - count);
                for byte in eight.to_le_bytes().into_iter().skip(1).take(more) {
                    count += 1;
                    tokens[count % BLOCK] = Token::byte(byte);
                }
                at += more;
            }
        }
        count += 1;
        if count == BLOCK {
            put_block(
                &tokens[..],
                plain.get(begun..at).unwrap_or_default(),
                &mut bits,
            );
            (begun, count) = (at, 0);
        }
    }
    for &byte in plain.get(at..).unwrap_or_default() {
        if count == BLOCK {
            put_block(
                &tokens[..],
                plain.get(begun..at).unwrap_or_default(),
                &mut bits,
            );
            (begun, count) = (at, 0);
        }
        tokens[count % BLOCK] = Token::byte(byte);
        (at, count) = (at + 1, count + 1);
    }
    if count > 0 {
        put_block(
            &tokens[..count],
            plain.get(begun..).unwrap_or_default(),
            &mut bits,
        );
    }
    put_stored_piece(&[], &mut bits);
    bits.finish();
}
