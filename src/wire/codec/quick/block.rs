//! Blocks: tokens of a text become bits (RFC 1951 §3.2).

use super::bits::Bits;
use super::lengths::{Code, DISTANCES, LENGTHS, LITERALS, set_codes, set_lengths};

/// The symbol behind the last one of a block.
const END: usize = 256;

/// The order of the lengths of codes of the lengths of codes (RFC 1951 §3.2.7).
const ORDER: [usize; LENGTHS] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

/// The most bytes of a block without compression.
const STORED: usize = 0xffff;

/// The fewest tokens for which codes of their own are thought of. To find them takes as long
/// as to deflate a text of one kilobyte, and their description takes some 60 bytes.
const OWN_CODES: usize = 512;

/// The symbol of no distance, whose code has no bits.
const NOWHERE: u32 = 30;

/// The part of a token for lengths of 3 to 258 bytes, less these 3.
const MATCH: usize = 256;

/// A byte or a match. From the lowest bit: 9 bits of byte or [`MATCH`] and length, 5 of the
/// distance's symbol, 4 that count the bits behind it, and these.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token(u32);

impl Token {
    #[inline(always)]
    pub(super) const fn byte(byte: u8) -> Self {
        Self(byte as u32 | NOWHERE << 9)
    }

    /// Of 3 to 258 bytes, at most 32 KiB before.
    #[inline(always)]
    pub(super) const fn copy(length: usize, distance: usize) -> Self {
        let d = distance as u32 - 1;
        let count = 30 - (d | 2).leading_zeros(); // two symbols for each of them
        let symbol = 2 * count + (d >> count);
        let extra = d & ((1 << count) - 1);
        Self((length + MATCH - 3) as u32 | symbol << 9 | count << 14 | extra << 18)
    }

    #[inline(always)]
    const fn literal(self) -> usize {
        self.0 as usize & 0x1ff
    }

    #[inline(always)]
    const fn distance(self) -> usize {
        (self.0 >> 9) as usize & 0x1f
    }

    /// How many bits are behind the symbol of its distance.
    #[inline(always)]
    const fn extra(self) -> u32 {
        self.0 >> 14 & 15
    }
}

/// The symbol of a length, less 3; how many bits there are behind it, and which.
const fn length_symbol(l: usize) -> (usize, u32, u32) {
    match l {
        0..8 => (257 + l, 0, 0),
        255 => (285, 0, 0),
        _ => {
            let count = l.ilog2() - 2; // four symbols for each of them
            let symbol = 261 + 4 * count as usize + (l >> count & 3);
            (symbol, count, l as u32 & ((1 << count) - 1))
        }
    }
}

#[derive(Debug)]
struct Codes {
    literals: [Code; LITERALS],
    distances: [Code; DISTANCES],
}

/// The fixed ones (RFC 1951 §3.2.6).
static FIXED: Codes = Codes::fixed();
static FIXED_BITS: TokenBits = TokenBits::new(&FIXED);

impl Codes {
    const fn fixed() -> Self {
        let mut all = [Code::NONE; 288];
        let mut distances = [Code::NONE; DISTANCES];
        let mut at = 0;
        while at < all.len() {
            all[at].length = match at {
                144..256 => 9,
                256..280 => 7,
                _ => 8,
            };
            at += 1;
        }
        at = 0;
        while at < distances.len() {
            distances[at].length = 5;
            at += 1;
        }
        set_codes(&mut all);
        set_codes(&mut distances);
        let mut literals = [Code::NONE; LITERALS];
        at = 0;
        while at < literals.len() {
            literals[at] = all[at]; // without two that are never used
            at += 1;
        }
        Self {
            literals,
            distances,
        }
    }
}

/// The bits of the parts of tokens: from the lowest on, below how many they are.
struct TokenBits {
    literals: [u32; 512],
    distances: [u32; 32],
    end: Code,
}

/// Where the number of bits stands.
const COUNT: u32 = 27;

impl TokenBits {
    const fn new(codes: &Codes) -> Self {
        let (mut literals, mut distances) = ([0; 512], [0; 32]);
        let mut at = 0;
        while at < MATCH {
            let code = codes.literals[at];
            literals[at] = code.bits as u32 | (code.length as u32) << COUNT;
            let (symbol, count, extra) = length_symbol(at);
            let code = codes.literals[symbol];
            let all = code.length as u32 + count;
            literals[MATCH + at] = code.bits as u32 | extra << code.length as u32 | all << COUNT;
            at += 1;
        }
        at = 0;
        while at < DISTANCES {
            let code = codes.distances[at];
            distances[at] = code.bits as u32 | (code.length as u32) << COUNT;
            at += 1;
        }
        Self {
            literals,
            distances,
            end: codes.literals[END],
        }
    }

    /// Appends tokens and the end of the block.
    fn put(&self, tokens: &[Token], bits: &mut Bits<'_>) {
        const BITS: u64 = (1 << COUNT) - 1;
        bits.put_each(tokens, |&token| {
            let literal = self.literals[token.literal()];
            let distance = self.distances[token.distance()];
            // At most 20 bits, 15 and 13.
            let mut all = u64::from(literal) & BITS;
            let mut count = literal >> COUNT;
            all |= (u64::from(distance) & BITS) << count;
            count += distance >> COUNT;
            all |= u64::from(token.0 >> 18) << count;
            (all, count + token.extra())
        });
        bits.put(self.end.bits.into(), self.end.length.into());
    }
}

/// How often each symbol is used in a block.
struct Counts {
    literals: [u32; LITERALS],
    distances: [u32; DISTANCES],
    extra: u32,
}

impl Counts {
    fn of(tokens: &[Token]) -> Self {
        let (mut all, mut places, mut extra) = ([0_u32; 512], [0_u32; 32], 0);
        for token in tokens {
            all[token.literal()] += 1;
            places[token.distance()] += 1;
            extra += token.extra();
        }
        let mut counts = Self {
            literals: [0; LITERALS],
            distances: [0; DISTANCES],
            extra,
        };
        let (bytes, lengths) = all.split_at(MATCH);
        for (to, from) in counts.literals.iter_mut().zip(bytes) {
            *to = *from;
        }
        for (length, count) in lengths.iter().enumerate() {
            let (symbol, extra, _) = length_symbol(length);
            counts.literals[symbol] += count;
            counts.extra += extra * count;
        }
        for (to, from) in counts.distances.iter_mut().zip(places) {
            *to = from;
        }
        counts.literals[END] = 1;
        counts
    }

    /// Whether so many bytes without a match are used so evenly that codes cannot pay: the mean
    /// is not below the negative logarithm of the sum of squared shares (Rényi), and describing
    /// codes takes 64 bytes.
    fn are_even(&self, bytes: usize) -> bool {
        let counts = self.literals.iter().take(MATCH);
        let squares: u64 = counts.map(|&count| u64::from(count).pow(2)).sum();
        let bytes = bytes as u64; // at most those of a block
        squares <= bytes * bytes / 256 + bytes * 5 / 4
    }

    fn size(&self, codes: &Codes) -> u32 {
        let sum = |counts: &[u32], codes: &[Code]| -> u32 {
            let pairs = counts.iter().zip(codes);
            pairs
                .map(|(count, code)| count * u32::from(code.length))
                .sum()
        };
        self.extra + sum(&self.literals, &codes.literals) + sum(&self.distances, &codes.distances)
    }
}

/// Appends a block that stands for `plain`, as whatever takes least.
pub(super) fn put_block(tokens: &[Token], plain: &[u8], bits: &mut Bits<'_>) {
    // So much it takes without compression: three bits, the end of the byte, two lengths.
    let stored = |bits: &Bits<'_>| {
        let heads = plain.len().div_ceil(STORED).max(1) as u32;
        (bits.missing() + 11) / 8 * 8 + heads * 40 + plain.len() as u32 * 8
    };
    if tokens.len() < OWN_CODES {
        // Each token takes at most nine bits a byte with the fixed codes.
        if tokens.len() < plain.len() || Counts::of(tokens).size(&FIXED) < stored(bits) {
            bits.put(0b010, 3);
            return FIXED_BITS.put(tokens, bits);
        }
        return put_stored(plain, bits);
    }
    let counts = Counts::of(tokens);
    if tokens.len() == plain.len() && counts.are_even(plain.len()) {
        return put_stored(plain, bits);
    }
    let own = Own::new(&counts);
    let (by_own, by_fixed) = (own.size(&counts), counts.size(&FIXED));
    if by_own.min(by_fixed) > stored(bits) {
        put_stored(plain, bits);
    } else if by_own < by_fixed {
        bits.put(0b100, 3);
        own.put_head(bits);
        TokenBits::new(&own.codes).put(tokens, bits);
    } else {
        bits.put(0b010, 3);
        FIXED_BITS.put(tokens, bits);
    }
}

fn put_stored(plain: &[u8], bits: &mut Bits<'_>) {
    for piece in plain.chunks(STORED) {
        put_stored_piece(piece, bits);
    }
}

/// Appends a block without compression of at most 65,535 bytes.
pub(super) fn put_stored_piece(piece: &[u8], bits: &mut Bits<'_>) {
    let length = piece.len() as u16;
    let ([a, b], [c, d]) = (length.to_le_bytes(), (!length).to_le_bytes());
    bits.put_bytes(3, [&[a, b, c, d], piece]);
}

/// Codes of its own that a block describes at its front (RFC 1951 §3.2.7).
struct Own {
    codes: Codes,
    used: (usize, usize),
    lengths: [(u8, u8); LITERALS + DISTANCES],
    count: usize,
    head: [Code; LENGTHS],
    head_used: usize,
}

impl Own {
    fn new(counts: &Counts) -> Self {
        let mut own = Self {
            codes: Codes {
                literals: [Code::NONE; LITERALS],
                distances: [Code::NONE; DISTANCES],
            },
            used: (0, 0),
            lengths: [(0, 0); LITERALS + DISTANCES],
            count: 0,
            head: [Code::NONE; LENGTHS],
            head_used: 0,
        };
        set_lengths(&counts.literals, &mut own.codes.literals, 15);
        set_lengths(&counts.distances, &mut own.codes.distances, 15);
        set_codes(&mut own.codes.literals);
        set_codes(&mut own.codes.distances);
        let used = |codes: &[Code]| codes.iter().rposition(|it| it.length > 0);
        let literals = used(&own.codes.literals).map_or(257, |at| at + 1);
        let distances = used(&own.codes.distances).map_or(1, |at| at + 1);
        own.used = (literals, distances);
        own.describe();
        own
    }

    /// Puts the lengths of the codes together.
    fn describe(&mut self) {
        let mut all = [0_u8; LITERALS + DISTANCES];
        let (literals, distances) = self.used;
        let lengths = self.codes.literals.iter().take(literals);
        let lengths = lengths.chain(self.codes.distances.iter().take(distances));
        for (place, code) in all.iter_mut().zip(lengths) {
            *place = code.length;
        }
        let mut rest = all.get(..literals + distances).unwrap_or_default();
        let (mut counts, mut before) = ([0_u32; LENGTHS], None);
        while let Some(&length) = rest.first() {
            let run = rest.iter().take_while(|&&it| it == length).count();
            let (symbol, extra, taken) = match (length, run) {
                (0, 11..) => (18, run.min(138) - 11, run.min(138)),
                (0, 3..) => (17, run - 3, run),
                (_, 3..) if before == Some(length) => (16, run.min(6) - 3, run.min(6)),
                _ => (usize::from(length), 0, 1),
            };
            counts[symbol] += 1;
            if let Some(place) = self.lengths.get_mut(self.count) {
                *place = (symbol as u8, extra as u8);
                self.count += 1;
            }
            before = Some(length);
            rest = rest.get(taken..).unwrap_or_default();
        }
        set_lengths(&counts, &mut self.head, 7);
        set_codes(&mut self.head);
        let used = ORDER.iter().rposition(|&at| self.head[at].length > 0);
        self.head_used = used.map_or(4, |at| at + 1).max(4);
    }

    /// How many bits a block takes with these codes.
    fn size(&self, counts: &Counts) -> u32 {
        let lengths = self.lengths.iter().take(self.count);
        let lengths: u32 = lengths
            .map(|&(symbol, _)| u32::from(self.head[symbol as usize].length) + extra_of(symbol))
            .sum();
        14 + 3 * self.head_used as u32 + lengths + counts.size(&self.codes)
    }

    fn put_head(&self, bits: &mut Bits<'_>) {
        let (literals, distances) = self.used;
        bits.put(literals as u32 - 257, 5);
        bits.put(distances as u32 - 1, 5);
        bits.put(self.head_used as u32 - 4, 4);
        for &at in ORDER.iter().take(self.head_used) {
            bits.put(self.head[at].length.into(), 3);
        }
        for &(symbol, extra) in self.lengths.iter().take(self.count) {
            let code = self.head[symbol as usize];
            bits.put(code.bits.into(), code.length.into());
            bits.put(extra.into(), extra_of(symbol));
        }
    }
}

/// The bits behind the symbol of a length of codes.
const fn extra_of(symbol: u8) -> u32 {
    match symbol {
        16 => 2,
        17 => 3,
        18 => 7,
        _ => 0,
    }
}
