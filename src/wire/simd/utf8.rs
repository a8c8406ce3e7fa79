//! UTF-8 in windows of 32 bytes, on x86-64 with AVX2.
//!
//! Three tables are asked, about a byte and the one before it: which faults the
//! high half of the first, its low half and the high half of the second allow.
//! A fault that all three allow is one (Keiser and Lemire, "Validating UTF-8 in
//! less than one instruction per byte", 2021). Only that a third or a fourth byte
//! must be a continuation is left, and told from the bytes two and three before.
//!
//! The bytes before are loaded, not shifted in, so that windows know nothing of
//! each other and the last one may overlap.

#[cfg(target_arch = "x86_64")]
use core::arch::x86_64::{
    __m256i, _mm256_alignr_epi8, _mm256_and_si256, _mm256_loadu_si256, _mm256_movemask_epi8,
    _mm256_or_si256, _mm256_permute2x128_si256, _mm256_set1_epi8, _mm256_setr_epi8,
    _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_srli_epi16, _mm256_subs_epu8,
    _mm256_testz_si256, _mm256_xor_si256,
};

#[cfg(target_arch = "x86_64")]
use super::blocks::WINDOW;
use crate::wire::{FAST, character::Character};

/// Texts from this length on are worth the windows.
#[cfg(target_arch = "x86_64")]
const LONG: usize = 64;

/// Whether `text` is UTF-8 (RFC 3629).
///
/// ```
/// use barewire::wire::simd::is_utf8;
///
/// assert!(is_utf8("caf\u{e9}".as_bytes()));
/// assert!(!is_utf8(b"caf\xe9"));
/// ```
#[inline]
pub fn is_utf8(text: &[u8]) -> bool {
    if !FAST {
        let mut open = Character::NONE;
        return open.step_through(text).is_none() && open.is_whole();
    }
    #[cfg(target_arch = "x86_64")]
    if text.len() >= LONG
        && let Some(avx2) = super::x86_64::Avx2::new()
    {
        return avx2.is_utf8(text);
    }
    core::str::from_utf8(text).is_ok()
}

/// `text` as text, if it is UTF-8.
///
/// ```
/// use barewire::wire::simd::as_text;
///
/// assert_eq!(as_text(b"ok"), Some("ok"));
/// assert_eq!(as_text(b"\xff"), None);
/// ```
#[inline]
pub fn as_text(text: &[u8]) -> Option<&str> {
    // SAFETY: it was just found to be UTF-8.
    is_utf8(text).then(|| unsafe { core::str::from_utf8_unchecked(text) })
}

#[cfg(target_arch = "x86_64")]
impl super::x86_64::Avx2 {
    #[inline]
    fn is_utf8(self, text: &[u8]) -> bool {
        // SAFETY: `self` proves that the processor has AVX2.
        unsafe { is_utf8_avx2(text) }
    }
}

/// Judges a text of at least [`LONG`] bytes.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn is_utf8_avx2(text: &[u8]) -> bool {
    let (Some(first), Some(last)) = (text.first_chunk::<WINDOW>(), text.last_chunk::<3>()) else {
        return false; // not reached: it is long
    };
    // A character that has begun is whole.
    if last[2] >= 0xc0 || last[1] >= 0xe0 || last[0] >= 0xf0 {
        return false;
    }
    let zero = _mm256_setzero_si256();
    let now = load(first);
    let before = _mm256_permute2x128_si256(zero, now, 0x20);
    let mut faults = faults(
        now,
        _mm256_alignr_epi8(now, before, 15),
        _mm256_alignr_epi8(now, before, 14),
        _mm256_alignr_epi8(now, before, 13),
    );
    let mut at = WINDOW;
    while at < text.len() {
        // The last window overlaps, and begins 3 bytes or more into the text.
        let from = at.min(text.len() - WINDOW);
        let Some(around) = text.get(from - 3..).and_then(<[u8]>::first_chunk) else {
            return false; // not reached: `from` is WINDOW or less before the end
        };
        faults = _mm256_or_si256(faults, window(around));
        at += WINDOW;
    }
    _mm256_testz_si256(faults, faults) != 0
}

/// The errors in the last [`WINDOW`] of these bytes.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx2")]
fn window(around: &[u8; WINDOW + 3]) -> __m256i {
    let at = |from: usize| {
        let window = around.get(from..).and_then(<[u8]>::first_chunk);
        load(window.unwrap_or(&[0xff; WINDOW])) // all four are there
    };
    let (now, third) = (at(3), at(0));
    if _mm256_movemask_epi8(_mm256_or_si256(now, third)) == 0 {
        return _mm256_setzero_si256(); // all is US-ASCII
    }
    faults(now, at(2), at(1), third)
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx2")]
fn load(bytes: &[u8; WINDOW]) -> __m256i {
    // SAFETY: the reference is good for 32 bytes, and the load asks for no
    // alignment.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

/// Bytes that are not 0 where a byte cannot follow those one, two and three
/// before it.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx2")]
fn faults(now: __m256i, first: __m256i, second: __m256i, third: __m256i) -> __m256i {
    let low = _mm256_set1_epi8(15);
    let high_half = |v: __m256i| _mm256_and_si256(_mm256_srli_epi16(v, 4), low);
    let ask = |t: &[u8; 16], v: __m256i| _mm256_shuffle_epi8(table(t), v);
    let possible = _mm256_and_si256(
        _mm256_and_si256(
            ask(&FIRST_HIGH, high_half(first)),
            ask(&FIRST_LOW, _mm256_and_si256(first, low)),
        ),
        ask(&SECOND_HIGH, high_half(now)),
    );
    let least = |lead: u8| _mm256_set1_epi8((lead - 0x80).cast_signed());
    let must_continue = _mm256_or_si256(
        _mm256_subs_epu8(second, least(0xe0)),
        _mm256_subs_epu8(third, least(0xf0)),
    );
    let must_continue = _mm256_and_si256(must_continue, _mm256_set1_epi8(0x80_u8.cast_signed()));
    // Two continuations in a row are a fault exactly where none must be.
    _mm256_xor_si256(must_continue, possible)
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx2")]
fn table(t: &[u8; 16]) -> __m256i {
    let t = t.map(u8::cast_signed);
    _mm256_setr_epi8(
        t[0], t[1], t[2], t[3], t[4], t[5], t[6], t[7], t[8], t[9], t[10], t[11], t[12], t[13],
        t[14], t[15], t[0], t[1], t[2], t[3], t[4], t[5], t[6], t[7], t[8], t[9], t[10], t[11],
        t[12], t[13], t[14], t[15],
    )
}

#[cfg(target_arch = "x86_64")]
mod fault {
    /// A lead and no continuation.
    pub(super) const TOO_SHORT: u8 = 1 << 0;
    pub(super) const TOO_LONG: u8 = 1 << 1;
    pub(super) const OVERLONG_3: u8 = 1 << 2;
    /// Beyond U+10FFFF by the second byte.
    pub(super) const TOO_LARGE: u8 = 1 << 3;
    pub(super) const SURROGATE: u8 = 1 << 4;
    pub(super) const OVERLONG_2: u8 = 1 << 5;
    /// Beyond U+10FFFF by the lead, whatever follows; or too long for four.
    pub(super) const LARGE_LEAD: u8 = 1 << 6;
    pub(super) const OVERLONG_4: u8 = 1 << 6;
    pub(super) const TWO_CONTINUATIONS: u8 = 1 << 7;
    /// Those that the low half of the first byte does not tell.
    pub(super) const ANY_LOW: u8 = TOO_SHORT | TOO_LONG | TWO_CONTINUATIONS;
}

#[cfg(target_arch = "x86_64")]
static FIRST_HIGH: [u8; 16] = {
    use fault::*;
    let mut table = [TOO_LONG; 16];
    table[0x8] = TWO_CONTINUATIONS;
    table[0x9] = TWO_CONTINUATIONS;
    table[0xa] = TWO_CONTINUATIONS;
    table[0xb] = TWO_CONTINUATIONS;
    table[0xc] = TOO_SHORT | OVERLONG_2;
    table[0xd] = TOO_SHORT;
    table[0xe] = TOO_SHORT | OVERLONG_3 | SURROGATE;
    table[0xf] = TOO_SHORT | TOO_LARGE | LARGE_LEAD | OVERLONG_4;
    table
};

#[cfg(target_arch = "x86_64")]
static FIRST_LOW: [u8; 16] = {
    use fault::*;
    let mut table = [ANY_LOW | TOO_LARGE | LARGE_LEAD; 16];
    table[0x0] = ANY_LOW | OVERLONG_2 | OVERLONG_3 | OVERLONG_4;
    table[0x1] = ANY_LOW | OVERLONG_2;
    table[0x2] = ANY_LOW;
    table[0x3] = ANY_LOW;
    table[0x4] = ANY_LOW | TOO_LARGE;
    table[0xd] = ANY_LOW | TOO_LARGE | LARGE_LEAD | SURROGATE;
    table
};

#[cfg(target_arch = "x86_64")]
static SECOND_HIGH: [u8; 16] = {
    use fault::*;
    const CONTINUATION: u8 = TOO_LONG | OVERLONG_2 | TWO_CONTINUATIONS;
    let mut table = [TOO_SHORT; 16];
    table[0x8] = CONTINUATION | OVERLONG_3 | LARGE_LEAD | OVERLONG_4;
    table[0x9] = CONTINUATION | OVERLONG_3 | TOO_LARGE;
    table[0xa] = CONTINUATION | SURROGATE | TOO_LARGE;
    table[0xb] = CONTINUATION | SURROGATE | TOO_LARGE;
    table
};

#[cfg(test)]
mod tests;
