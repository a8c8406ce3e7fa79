//! Character classes and numbers of the textual protocols.

use super::{FAST, Sink};

pub(super) const TOKEN: u8 = 1;
const VALUE: u8 = 2;
const TARGET: u8 = 4;
const PATH: u8 = 16;
pub(super) const PLAIN_NAME: u8 = 8;

/// One byte of class bits per octet.
static CLASS: [u8; 256] = CLASSES;

const CLASSES: [u8; 256] = classes();

/// Whether `b` is of the class that has this bit.
#[inline(always)]
pub(super) const fn is_in(class: u8, b: u8) -> bool {
    CLASS[b as usize] & class != 0
}

pub(super) const fn is_known_in(class: u8, b: u8) -> bool {
    CLASSES[b as usize] & class != 0
}

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut c = 0;
    while c < 256 {
        let b = c as u8;
        let mut class = 0;
        if in_tchar_grammar(b) {
            class |= TOKEN;
        }
        if matches!(b, b'\t' | b' '..=b'~' | 0x80..=0xff) {
            class |= VALUE;
        }
        if matches!(b, b'!'..=b'~') && !matches!(b, b'"' | b'#' | b'<' | b'>') {
            class |= TARGET;
            if !matches!(b, b'\\' | b'`' | b'{' | b'}') {
                class |= PATH;
            }
        }
        if matches!(b, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.') {
            class |= PLAIN_NAME;
        }
        table[c] = class;
        c += 1;
    }
    table
}

const fn in_tchar_grammar(b: u8) -> bool {
    matches!(b, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'0'..=b'9' | b'A'..=b'Z' | b'^'..=b'z' | b'|' | b'~')
}

/// Whether `b` is a `tchar` (RFC 9110 §5.6.2).
#[inline]
pub const fn is_tchar(b: u8) -> bool {
    CLASS[b as usize] & TOKEN != 0
}

/// Whether `b` may stand in a field value: HTAB, SP, VCHAR or obs-text
/// (RFC 9110 §5.5).
#[inline]
pub const fn is_field_vchar(b: u8) -> bool {
    CLASS[b as usize] & VALUE != 0
}

/// Whether `b` is a visible US-ASCII character, the outer bound of what may
/// stand in a request-target (RFC 9112 §3.2).
#[inline]
pub const fn is_vchar(b: u8) -> bool {
    matches!(b, b'!'..=b'~')
}

/// Whether `b` may stand in a request-target, after the `?`: RFC 3986, and what browsers send
/// (WHATWG URL §1.3): visible US-ASCII without `"`, `#`, `<` and `>`.
#[inline]
pub(crate) const fn is_in_target(b: u8) -> bool {
    CLASS[b as usize] & TARGET != 0
}

/// As [`is_in_target`], without `\`, the grave accent, `{` and `}`, which browsers encode in a
/// path.
#[inline]
pub(crate) const fn is_in_path(b: u8) -> bool {
    CLASS[b as usize] & PATH != 0
}

/// Whether `text` is a `token`: one or more `tchar` (RFC 9110 §5.6.2).
#[inline]
pub fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().fold(TOKEN, |all, &b| all & CLASS[b as usize]) != 0
}

/// Whether `text` holds only what a field value may hold. White space at its
/// ends is not judged.
#[inline]
pub fn is_field_value(text: &[u8]) -> bool {
    let clean =
        |word: &[u8; 8]| !may_hold_control(*word) || word.iter().all(|&b| is_field_vchar(b));
    match text.last_chunk::<8>() {
        // The last eight octets overlap the whole words before them.
        Some(last) => clean(last) && text.as_chunks::<8>().0.iter().all(clean),
        None => text.iter().all(|&b| is_field_vchar(b)),
    }
}

/// Whether `text` is of SP and VCHAR alone.
#[inline]
pub(crate) fn is_printable(text: &[u8]) -> bool {
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let plain = |word: &[u8; 8]| u64::from_ne_bytes(*word) & HIGH == 0 && !may_hold_control(*word);
    match text.last_chunk::<8>() {
        // The last eight octets overlap the whole words before them.
        Some(last) => plain(last) && text.as_chunks::<8>().0.iter().all(plain),
        None => text.iter().all(|b| matches!(b, b' '..=b'~')),
    }
}

/// Whether one of eight octets is below SP or is DEL.
#[inline]
const fn may_hold_control(word: [u8; 8]) -> bool {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    let word = u64::from_ne_bytes(word);
    let del = word ^ (ONES * 0x7f);
    // A byte below n borrows into its high bit, unless that was set.
    let low = word.wrapping_sub(ONES * 0x20) & !word;
    let zero = del.wrapping_sub(ONES) & !del;
    (low | zero) & HIGH != 0
}

/// Whether both are the same but for the case of letters of US-ASCII.
///
/// ```
/// use barewire::wire::ascii::eq_ignore_case;
///
/// assert!(eq_ignore_case(b"Keep-Alive", b"keep-alive"));
/// assert!(!eq_ignore_case(b"@", b"`"));
/// ```
#[inline]
pub fn eq_ignore_case(a: &[u8], b: &[u8]) -> bool {
    if !FAST {
        return eq_in_steps(a, b);
    }
    a.eq_ignore_ascii_case(b)
}

/// [`eq_ignore_case`], byte by byte.
#[inline(never)]
fn eq_in_steps(a: &[u8], b: &[u8]) -> bool {
    let same = |(a, b): (&u8, &u8)| a == b || (a ^ b == 0x20 && a.is_ascii_alphabetic());
    a.len() == b.len() && a.iter().zip(b).all(same)
}

/// `text` without the optional white space (SP, HTAB) at its ends.
#[inline]
pub const fn trim_ows(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = text {
        text = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

/// Parses `1*DIGIT`. `None` for an empty text, another octet, or a number
/// beyond `u64`.
#[inline]
pub const fn parse_decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    let mut n: u64 = 0;
    let mut rest = text;
    while let [b, tail @ ..] = rest {
        let digit = b.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        n = match n.checked_mul(10) {
            Some(n) => match n.checked_add(digit as u64) {
                Some(n) => n,
                None => return None,
            },
            None => return None,
        };
        rest = tail;
    }
    Some(n)
}

/// The value of a hexadecimal digit in either case.
#[inline]
pub const fn hex_digit(b: u8) -> Option<u8> {
    match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'a'..=b'f' => Some(b - b'a' + 10),
        b'A'..=b'F' => Some(b - b'A' + 10),
        _ => None,
    }
}

/// Parses `1*HEXDIG`. `None` for an empty text, another octet, or a number
/// beyond `u64` (leading zeros do not count).
#[inline]
pub const fn parse_hex(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    let mut n: u64 = 0;
    let mut rest = text;
    while let [b, tail @ ..] = rest {
        let Some(digit) = hex_digit(*b) else {
            return None;
        };
        if n >> 60 != 0 {
            return None;
        }
        n = n << 4 | digit as u64;
        rest = tail;
    }
    Some(n)
}

/// The decimal digits of a number, without the formatting machinery.
///
/// ```
/// use barewire::wire::ascii::Decimal;
///
/// assert_eq!(Decimal::new(1024).as_bytes(), b"1024");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Decimal {
    digits: [u8; MAX_DECIMAL],
    start: u8, // < MAX_DECIMAL
}

/// The most digits of a number.
pub(crate) const MAX_DECIMAL: usize = 20;

/// Writes the digits of `n` at the end of `room`, which has at least
/// [`MAX_DECIMAL`] bytes, and returns how many they are.
#[inline]
pub(crate) fn write_decimal(mut n: u64, room: &mut [u8]) -> usize {
    let mut len = 0;
    for place in room.iter_mut().rev() {
        *place = b'0' + (n % 10) as u8;
        n /= 10;
        len += 1;
        if n == 0 {
            break;
        }
    }
    len
}

impl Decimal {
    /// The digits of `n`.
    #[inline]
    pub fn new(n: u64) -> Self {
        let mut digits = [0; MAX_DECIMAL];
        let len = write_decimal(n, &mut digits);
        Self {
            digits,
            start: (MAX_DECIMAL - len) as u8, // 1 to 20 digits
        }
    }

    /// One to 20 digits, no leading zero.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.digits[self.start as usize..]
    }

    /// The digits as text.
    #[inline]
    pub fn as_str(&self) -> &str {
        // Digits are ASCII, so the fallback is never taken.
        core::str::from_utf8(self.as_bytes()).unwrap_or("0")
    }
}

/// Appends `n` in decimal: 1 to 20 bytes.
#[inline]
pub fn put_decimal(n: u64, out: &mut impl Sink) {
    out.put(Decimal::new(n).as_bytes());
}

/// Appends `n` in lower-case hexadecimal: 1 to 16 bytes.
#[inline]
pub fn put_hex(n: u64, out: &mut impl Sink) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let len = (64 - n.leading_zeros()).div_ceil(4).max(1);
    let mut text = [0; 16];
    for i in 0..len {
        text[i as usize] = DIGITS[(n >> ((len - 1 - i) * 4) & 15) as usize];
    }
    out.put(&text[..len as usize]);
}

#[cfg(test)]
mod tests;
