//! The Huffman code of header strings (RFC 7541 §5.2, appendix B).
//!
//! The code is canonical: the lengths of its 257 codes say all, codes of one
//! length are consecutive numbers in the order of their symbols. All tables
//! are made from the lengths at compile time.
//!
//! Decoding looks 12 bits up at once, which gives one or two symbols; codes
//! beyond 12 bits are found by comparing with the first code of each length.
//! 16 KiB of table, so that it lives in a first-level cache.

use crate::wire::Sink;

const EOS: u16 = 256;
const SYMBOLS: usize = 257;
const MAX_LEN: usize = 30;
/// Bits of one look-up.
const WIDTH: usize = 12;

/// The length in bits of the code of every symbol, EOS last.
#[rustfmt::skip]
static LENGTHS: [u8; SYMBOLS] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
    28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
    5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
    6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
    30,
];

/// The code as its canonical construction gives it.
struct Canonical {
    /// The code of every symbol, right-aligned.
    codes: [u32; SYMBOLS],
    /// All symbols by (length, symbol).
    sorted: [u16; SYMBOLS],
    /// The first code of each length, right-aligned.
    first: [u32; MAX_LEN + 1],
    /// One past the last code of each length, aligned to the left of 32 bits.
    limit: [u64; MAX_LEN + 1],
    /// Where the symbols of each length begin in `sorted`.
    offset: [u16; MAX_LEN + 1],
}

static CANONICAL: Canonical = canonical();

const fn canonical() -> Canonical {
    let mut table = Canonical {
        codes: [0; SYMBOLS],
        sorted: [0; SYMBOLS],
        first: [0; MAX_LEN + 1],
        limit: [0; MAX_LEN + 1],
        offset: [0; MAX_LEN + 1],
    };
    let (mut code, mut placed, mut len) = (0u32, 0, 1);
    while len <= MAX_LEN {
        code <<= 1;
        table.first[len] = code;
        table.offset[len] = placed as u16;
        let mut symbol = 0;
        while symbol < SYMBOLS {
            if LENGTHS[symbol] as usize == len {
                table.codes[symbol] = code;
                table.sorted[placed] = symbol as u16;
                code += 1;
                placed += 1;
            }
            symbol += 1;
        }
        table.limit[len] = (code as u64) << (32 - len);
        len += 1;
    }
    table
}

/// What 12 bits begin with: 0 (a code that is longer), 1 or 2 symbols.
#[derive(Clone, Copy)]
struct Pair {
    symbols: [u8; 2],
    /// Bits of all symbols, and of the first one.
    bits: u8,
    first_bits: u8,
}

impl Pair {
    const LONGER: Self = Self {
        symbols: [0, 0],
        bits: 0,
        first_bits: 0,
    };

    /// 0, 1 or 2.
    #[inline]
    const fn count(self) -> usize {
        (self.bits > 0) as usize + (self.bits > self.first_bits) as usize
    }
}

static PAIRS: [Pair; 1 << WIDTH] = pairs();

const fn pairs() -> [Pair; 1 << WIDTH] {
    let mut table = [Pair::LONGER; 1 << WIDTH];
    let code = canonical();
    let mut symbol = 0;
    while symbol < SYMBOLS {
        let len = LENGTHS[symbol] as usize;
        if len <= WIDTH {
            let start = (code.codes[symbol] as usize) << (WIDTH - len);
            let mut at = start;
            while at < start + (1 << (WIDTH - len)) {
                table[at] = Pair {
                    symbols: [symbol as u8, 0],
                    bits: len as u8,
                    first_bits: len as u8,
                };
                at += 1;
            }
        }
        symbol += 1;
    }
    let single = table;
    let mut at = 0;
    while at < 1 << WIDTH {
        let used = single[at].bits as usize;
        if used > 0 {
            let next = single[(at << used) & ((1 << WIDTH) - 1)];
            if next.bits > 0 && used + next.bits as usize <= WIDTH {
                table[at].symbols[1] = next.symbols[0];
                table[at].bits += next.bits;
            }
        }
        at += 1;
    }
    table
}

/// Why a string was not decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// It is not Huffman code.
    Invalid,
    /// It is longer than the room for it. What follows was not looked at.
    NoRoom,
}

/// Decodes `text` into the front of `out`; returns how many bytes it makes.
pub(super) fn decode(text: &[u8], out: &mut [u8]) -> Result<usize, Failure> {
    let (mut bits, mut have, mut pos, mut at) = (0u64, 0u32, 0, 0);
    // `have` bits wait at the top of `bits`, 56 to 63 after each refill; what
    // stands below them is the front of the next octet, which the next refill
    // puts there again.
    while let Some(word) = text.get(pos..).and_then(|rest| rest.first_chunk::<8>())
        && let Some(to) = out
            .get_mut(at..)
            .and_then(|rest| rest.first_chunk_mut::<8>())
    {
        bits |= u64::from_be_bytes(*word) >> have;
        pos += ((63 - have) >> 3) as usize;
        have |= 56;
        let mut n = 0; // at most 6 before each look-up
        for _ in 0..4 {
            let pair = PAIRS[(bits >> (64 - WIDTH)) as usize];
            if pair.bits == 0 {
                break;
            }
            to[n & 7] = pair.symbols[0];
            to[(n + 1) & 7] = pair.symbols[1];
            n += pair.count();
            bits <<= pair.bits;
            have -= u32::from(pair.bits);
        }
        if n == 0 {
            let (symbol, len) = longer(bits).ok_or(Failure::Invalid)?;
            to[0] = symbol;
            n = 1;
            bits <<= len;
            have -= len;
        }
        at += n;
    }
    decode_tail(text.get(pos..).unwrap_or_default(), bits, have, out, at)
}

/// Decodes the last few octets and judges the padding.
fn decode_tail(
    mut text: &[u8],
    mut bits: u64,
    mut have: u32,
    out: &mut [u8],
    mut at: usize,
) -> Result<usize, Failure> {
    loop {
        while have <= 56
            && let [octet, rest @ ..] = text
        {
            bits |= u64::from(*octet) << (56 - have);
            have += 8;
            text = rest;
        }
        // Ones after the end: what is left of the padding reads as EOS.
        let padded = if text.is_empty() && have < 64 {
            bits | u64::MAX >> have
        } else {
            bits
        };
        if have < 8 && padded == u64::MAX {
            return Ok(at);
        }
        let pair = PAIRS[(padded >> (64 - WIDTH)) as usize];
        if pair.bits > 0
            && u32::from(pair.bits) <= have
            && let Some(to) = out.get_mut(at..at + 2)
        {
            to.copy_from_slice(&pair.symbols);
            at += pair.count();
            bits <<= pair.bits;
            have -= u32::from(pair.bits);
            continue;
        }
        let (symbol, len) = match pair.first_bits {
            0 => longer(padded).ok_or(Failure::Invalid)?,
            len => (pair.symbols[0], u32::from(len)),
        };
        if len > have {
            return Err(Failure::Invalid);
        }
        *out.get_mut(at).ok_or(Failure::NoRoom)? = symbol;
        at += 1;
        bits <<= len;
        have -= len;
    }
}

/// The symbol of more than 12 bits at the top of `bits`, and its length;
/// `None` for EOS.
#[cold]
fn longer(bits: u64) -> Option<(u8, u32)> {
    let code = bits >> 32;
    for len in WIDTH + 1..=MAX_LEN {
        if code < CANONICAL.limit[len] {
            let nth = (code >> (32 - len)) as usize - CANONICAL.first[len] as usize;
            // Below the limit of this length and of no shorter one, so `nth`
            // counts codes of this length.
            let symbol = *CANONICAL.sorted.get(CANONICAL.offset[len] as usize + nth)?;
            return (symbol != EOS).then_some((symbol as u8, len as u32));
        }
    }
    None
}

/// How many octets `text` takes in Huffman code.
#[inline]
pub(super) fn encoded_len(text: &[u8]) -> usize {
    let bits: usize = text.iter().map(|&b| LENGTHS[b as usize] as usize).sum();
    bits.div_ceil(8)
}

/// Appends `text` in Huffman code, padded with ones; `len` is its
/// [`encoded_len`].
pub(super) fn encode(text: &[u8], len: usize, out: &mut impl Sink) {
    let (words, rest) = out.space(len).as_chunks_mut::<4>();
    let mut words = words.iter_mut();
    let (mut bits, mut have) = (0u64, 0u32); // fewer than 32 bits between symbols
    for &b in text {
        let n = u32::from(LENGTHS[b as usize]);
        bits = bits << n | u64::from(CANONICAL.codes[b as usize]);
        have += n;
        if have >= 32 {
            have -= 32;
            if let Some(word) = words.next() {
                *word = ((bits >> have) as u32).to_be_bytes();
            }
        }
    }
    let padded = bits << 32 | u64::from(u32::MAX);
    let last = ((padded >> have) as u32).to_be_bytes();
    // Up to 31 bits are left: a whole word, or the few octets after the last.
    match words.next() {
        Some(word) => *word = last,
        None => rest.iter_mut().zip(last).for_each(|(to, b)| *to = b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{string::String, vec, vec::Vec};
    use proptest::prelude::*;

    fn encoded(text: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        encode(text, encoded_len(text), &mut out);
        out
    }

    fn decoded(code: &[u8], room: usize) -> Result<Vec<u8>, Failure> {
        let mut out = vec![0; room];
        decode(code, &mut out).map(|len| out[..len].to_vec())
    }

    /// The code bit by bit, from its definition.
    fn naive(code: &[u8]) -> Option<Vec<u8>> {
        let bits: String = code.iter().map(|b| std::format!("{b:08b}")).collect();
        let (mut out, mut start) = (Vec::new(), 0);
        for end in 1..=bits.len() {
            let word = u32::from_str_radix(&bits[start..end], 2).ok()?;
            let hit = (0..SYMBOLS)
                .find(|&s| LENGTHS[s] as usize == end - start && CANONICAL.codes[s] == word);
            match hit {
                Some(256) => return None,
                Some(symbol) => {
                    out.push(symbol as u8);
                    start = end;
                }
                None if end - start > MAX_LEN => return None,
                None => {}
            }
        }
        let padding = &bits[start..];
        (padding.len() < 8 && !padding.contains('0')).then_some(out)
    }

    #[test]
    fn codes_of_appendix_b_come_out() {
        for (symbol, code) in [
            (0, 0x1ff8),
            (10, 0x3ffffffc),
            (b'0' as usize, 0),
            (b'a' as usize, 3),
            (b'~' as usize, 0x1ffd),
            (249, 0xffffffe),
            (256, 0x3fffffff),
        ] {
            assert_eq!(CANONICAL.codes[symbol], code, "{symbol}");
        }
        assert!(size_of_val(&PAIRS) + size_of_val(&CANONICAL) <= 64 * 1024);
    }

    #[test]
    fn every_symbol_survives_in_every_company() {
        for a in 0..=255u8 {
            for b in [b'0', b'a', b'&', b'z', 0, 10, 255] {
                let text = [a, b, a, a, b, b, a, b'e', a];
                assert_eq!(decoded(&encoded(&text), 9).as_deref(), Ok(&text[..]));
            }
        }
    }

    #[test]
    fn padding_is_short_and_of_ones() {
        assert_eq!(decoded(&[0b0000_0111], 9), Ok(vec![b'0']));
        assert_eq!(decoded(&[0b0000_0110], 9), Err(Failure::Invalid));
        assert_eq!(decoded(&[0b0000_0111, 0xff], 9), Err(Failure::Invalid));
        assert_eq!(decoded(&[0xff], 9), Err(Failure::Invalid));
        assert_eq!(decoded(&[0xff; 4], 9), Err(Failure::Invalid), "EOS");
        assert_eq!(decoded(&[0xff; 40], 99), Err(Failure::Invalid), "EOS");
        assert_eq!(decoded(&[], 0), Ok(vec![]));
    }

    #[test]
    fn nothing_is_written_beyond_the_room() {
        let code = encoded(&[b'0'; 100]);
        for room in 0..100 {
            assert_eq!(decoded(&code, room), Err(Failure::NoRoom), "{room}");
        }
        assert_eq!(decoded(&code, 100), Ok(vec![b'0'; 100]));
    }

    proptest! {
        #[test]
        fn text_survives_a_round_trip(text in proptest::collection::vec(
            prop_oneof![4 => 32..127u8, 1 => any::<u8>()], 0..80)) {
            let code = encoded(&text);
            prop_assert_eq!(decoded(&code, text.len()), Ok(text));
        }

        #[test]
        fn any_octets_decode_as_the_definition_has_it(
            code in proptest::collection::vec(
                prop_oneof![any::<u8>(), Just(0xff), 0xf0..=255u8], 0..24)) {
            prop_assert_eq!(decoded(&code, 64).ok(), naive(&code));
        }
    }
}
