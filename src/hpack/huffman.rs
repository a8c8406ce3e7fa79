//! The Huffman code of header strings (RFC 7541 §5.2, appendix B).
//!
//! The code is canonical: the lengths of its 257 codes say all, codes of one
//! length are consecutive numbers in the order of their symbols. All tables
//! are made from the lengths at compile time.
//!
//! Decoding looks up 12 bits in one step, four times for each word of the input,
//! which gives one or two symbols each; codes beyond 12 bits are found by
//! comparing with the first code of each length.
//! 16 KiB of table, so that it lives in a first-level cache.

use crate::wire::Sink;

const EOS: u16 = 256;
const SYMBOLS: usize = 257;
const MAX_LEN: usize = 30;
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
    codes: [u32; SYMBOLS],
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

/// The one or two symbols that each 12 bits begin with, packed so that a decoder can
/// add entries up:
///
/// ```text
///   bits 0 to 7    length of the codes; 0: the first code is longer
///   bits 8 to 15   symbols, 1 or 2
///   bits 16 to 31  the symbols, the first one lowest
/// ```
static PAIRS: [u32; 1 << WIDTH] = pairs();

const fn pairs() -> [u32; 1 << WIDTH] {
    let mut table = [0; 1 << WIDTH];
    let code = canonical();
    let mut symbol = 0;
    while symbol < SYMBOLS {
        let len = LENGTHS[symbol] as usize;
        if len <= WIDTH {
            let start = (code.codes[symbol] as usize) << (WIDTH - len);
            let mut at = start;
            while at < start + (1 << (WIDTH - len)) {
                table[at] = (symbol << 16 | 1 << 8 | len) as u32;
                at += 1;
            }
        }
        symbol += 1;
    }
    let single = table;
    let mut at = 0;
    while at < 1 << WIDTH {
        let used = single[at] & 0xff;
        let next = single[(at << used) & ((1 << WIDTH) - 1)];
        if used > 0 && next > 0 && used + (next & 0xff) <= WIDTH as u32 {
            // The length and the number are sums, and the symbol goes above the first.
            table[at] += (next & 0xffff) + (next >> 16 << 24);
        }
        at += 1;
    }
    table
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    Invalid,
    /// It is longer than the room for it. What follows was not looked at.
    NoRoom,
}

/// Symbols of one group of look-ups, 8, and one more that is written in vain.
const GROUP: usize = 9;

/// Decodes `text` into the front of `out`; returns how many bytes it makes.
pub(super) fn decode(text: &[u8], out: &mut [u8]) -> Result<usize, Failure> {
    let mut reader = Reader {
        text,
        bits: 0,
        have: 0,
        pos: 0,
    };
    let mut at = 0;
    loop {
        reader.refill();
        let room = out.get_mut(at..).unwrap_or_default();
        let (n, stopped) = match room.first_chunk_mut() {
            Some(to) => reader.group(to),
            None => {
                let (after, n, stopped) = reader.last_group(room)?;
                reader = after;
                (n, stopped)
            }
        };
        at += n;
        if stopped {
            let left = reader.left();
            if left < 8 {
                // What stopped here begins with ten ones: that is padding.
                return if left < 0 {
                    Err(Failure::Invalid)
                } else {
                    Ok(at)
                };
            }
            if n == 0 {
                let (after, symbol) = reader.long_symbol()?;
                reader = after;
                *out.get_mut(at).ok_or(Failure::NoRoom)? = symbol;
                at += 1;
            }
        }
    }
}

/// The bits of a string, ones after its end: no code of up to 12 bits, so look-ups stop there.
///
/// Rarely called methods take and return it by value to keep it in registers.
#[derive(Clone, Copy)]
struct Reader<'t> {
    text: &'t [u8],
    /// Those that wait, from the top; below them stands the front of the next
    /// octet, which the next refill puts there again.
    bits: u64,
    /// How many wait: 56 to 63 after each refill.
    have: u32,
    pos: usize,
}

impl Reader<'_> {
    #[inline]
    fn refill(&mut self) {
        let rest = self.text.get(self.pos..).unwrap_or_default();
        let word = match rest.first_chunk() {
            Some(word) => u64::from_be_bytes(*word),
            None => self.last_word(rest.len()),
        };
        self.bits |= word >> self.have;
        self.pos += ((63 - self.have) >> 3) as usize;
        self.have |= 56;
    }

    /// The last `n` octets, fewer than 8, and ones.
    #[inline]
    fn last_word(&self, n: usize) -> u64 {
        let ones = u64::MAX >> (8 * n);
        if let Some(last) = self.text.last_chunk() {
            let last = u64::from_be_bytes(*last);
            // Shifted in two steps, because `n` may be 0.
            return ((last << (8 * (7 - n))) << 8) | ones;
        }
        // The whole string is short, and read in one go, in parts that overlap.
        let word = match (self.text.first_chunk(), self.text.last_chunk()) {
            _ if n == 0 => 0,
            (Some(first), Some(last)) => {
                let last = u64::from(u32::from_be_bytes(*last)) << (64 - 8 * n);
                u64::from(u32::from_be_bytes(*first)) << 32 | last
            }
            _ => {
                let octet = |nth: usize| {
                    let octet = self.text.get(nth).copied().unwrap_or_default();
                    u64::from(octet) << (8 * (7 - nth))
                };
                octet(0) | octet(n / 2) | octet(n - 1)
            }
        };
        word | ones
    }

    /// Looks up four times; returns how many symbols that gave, and whether a
    /// longer code stopped it before.
    #[inline]
    fn group(&mut self, to: &mut [u8; GROUP]) -> (usize, bool) {
        let (mut sum, mut stopped) = (0u32, false);
        for _ in 0..4 {
            let pair = PAIRS[(self.bits >> (64 - WIDTH)) as usize];
            let len = pair & 0xff;
            if len == 0 {
                stopped = true;
                break;
            }
            let n = (sum >> 8 & 7) as usize; // at most 6
            [to[n], to[n + 1]] = ((pair >> 16) as u16).to_le_bytes();
            // Neither sum, 48 and 8 at most, reaches into the next.
            sum = sum.wrapping_add(pair);
            self.bits <<= len;
        }
        self.have -= sum & 0xff;
        ((sum >> 8 & 0xff) as usize, stopped)
    }

    /// Looks up [a group](Self::group) where there is little room.
    #[cold]
    fn last_group(mut self, room: &mut [u8]) -> Result<(Self, usize, bool), Failure> {
        let mut symbols = [0; GROUP];
        let (n, stopped) = self.group(&mut symbols);
        match (symbols.get(..n), room.get_mut(..n)) {
            (Some(symbols), Some(room)) => room.copy_from_slice(symbols),
            _ if self.left() < 0 => return Err(Failure::Invalid),
            _ => return Err(Failure::NoRoom),
        }
        Ok((self, n, stopped))
    }

    /// Bits of the string that were not used; below zero if ones after it were.
    #[inline]
    const fn left(&self) -> isize {
        // A slice has at most isize::MAX octets, one of a block far fewer.
        self.have as isize - 8 * (self.pos as isize - self.text.len() as isize)
    }

    /// Takes a symbol of more than 12 bits, right after a refill.
    #[cold]
    fn long_symbol(mut self) -> Result<(Self, u8), Failure> {
        let (symbol, len) = longer(self.bits).ok_or(Failure::Invalid)?;
        self.bits <<= len;
        self.have -= len;
        if self.left() < 0 {
            return Err(Failure::Invalid);
        }
        Ok((self, symbol))
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

/// A short string in Huffman code, after its length: made in one pass.
pub(super) struct Short {
    octets: [u8; Self::MEMORY],
    len: usize,
}

impl Short {
    /// The longest string that is tried.
    const MOST: usize = 64;
    /// The length, the code, and what is written in vain.
    const MEMORY: usize = 1 + Self::MOST + 8;

    /// Codes `text` if it is short and the code is shorter; `None` also where
    /// only the general way can tell.
    #[inline]
    pub(super) fn encode(text: &[u8]) -> Option<Self> {
        if text.len() > Self::MOST {
            return None;
        }
        let mut octets = [0; Self::MEMORY];
        let (mut bits, mut have, mut at) = (0u64, 0u32, 1); // fewer than 32 bits between symbols
        let (pairs, last) = text.as_chunks::<2>();
        for &[a, b] in pairs {
            let (m, n) = (LENGTHS[a as usize], LENGTHS[b as usize]);
            if m + n > 32 {
                return None; // two octets beyond ASCII, say
            }
            let [a, b] = [a, b].map(|b| u64::from(CANONICAL.codes[b as usize]));
            bits = (bits << m | a) << n | b;
            have += u32::from(m + n);
            if have >= 32 {
                have -= 32;
                let word = ((bits >> have) as u32).to_be_bytes();
                *octets.get_mut(at..)?.first_chunk_mut()? = word;
                at += 4;
            }
        }
        for &b in last {
            let n = LENGTHS[b as usize];
            bits = bits << n | u64::from(CANONICAL.codes[b as usize]);
            have += u32::from(n); // at most 61
        }
        let padded = bits << (63 - have) << 1 | u64::MAX >> have;
        *octets.get_mut(at..)?.first_chunk_mut()? = padded.to_be_bytes();
        let coded = at - 1 + have.div_ceil(8) as usize;
        if coded >= text.len() {
            return None;
        }
        octets[0] = 0x80 | coded as u8; // below 64
        Some(Self {
            octets,
            len: 1 + coded,
        })
    }

    #[inline]
    pub(super) fn string(&self) -> &[u8] {
        self.octets.get(..self.len).unwrap_or_default()
    }
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
mod tests;
