//! The ends of lines: LF, CR, or CR and LF together.

pub(super) const LF: u8 = b'\n';
pub(super) const CR: u8 = b'\r';

const ONES: u64 = 0x0101_0101_0101_0101;
const TOPS: u64 = 0x8080_8080_8080_8080;
/// Lines up to this long are searched by words alone.
const BLOCK: usize = 32;

/// The place of the first CR or LF. Linear.
#[inline]
pub(super) fn line_end(text: &[u8]) -> Option<usize> {
    let (near, far) = text.split_at(text.len().min(BLOCK));
    if let Some(at) = end_by_words(near) {
        return Some(at);
    }
    if far.is_empty() {
        return None;
    }
    let (blocks, _) = far.as_chunks::<BLOCK>();
    let clear = blocks
        .iter()
        .take_while(|block| !holds_an_end(block))
        .count()
        * BLOCK;
    let (_, rest) = far.split_at(clear); // whole blocks of `far`
    end_by_words(rest).map(|at| near.len() + clear + at)
}

/// Whether `block` holds CR or LF; without a branch, so that the compiler uses
/// vectors.
#[inline]
fn holds_an_end(block: &[u8; BLOCK]) -> bool {
    block
        .iter()
        .fold(0, |found, &b| found | u8::from(b == LF) | u8::from(b == CR))
        != 0
}

/// [`line_end`], eight bytes at a time.
#[inline]
fn end_by_words(text: &[u8]) -> Option<usize> {
    let (words, tail) = text.as_chunks::<8>();
    for (index, bytes) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*bytes);
        let found = zeros(word ^ (ONES * LF as u64)) | zeros(word ^ (ONES * CR as u64));
        if found != 0 {
            return Some(index * 8 + (found.trailing_zeros() / 8) as usize);
        }
    }
    let at = tail.iter().position(|&b| b == LF || b == CR)?;
    Some(words.len() * 8 + at)
}

/// The top bit of the lowest zero byte of `word`. Bits above it may be set by
/// the borrow; those below are right.
#[inline]
const fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & TOPS
}

#[cfg(test)]
mod tests;
