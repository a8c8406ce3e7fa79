//! Kernels for x86-64: AVX2, and SSSE3 for what is older.

use core::arch::x86_64::{
    __m128i, __m256i, _mm_and_si128, _mm_andnot_si128, _mm_cmpeq_epi8, _mm_loadu_si128,
    _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi8, _mm_setzero_si128,
    _mm_shuffle_epi8, _mm_srli_epi16, _mm256_and_si256, _mm256_andnot_si256,
    _mm256_broadcastsi128_si256, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_min_epu8,
    _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8, _mm256_setzero_si256,
    _mm256_shuffle_epi8, _mm256_srli_epi16,
};

use super::blocks::{Blocks, HIGH, LOW, Masks};
use super::{Job, swar};

/// What this processor has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Words,
    Ssse3,
    Avx2,
}

#[cfg(feature = "std")]
#[inline]
fn level() -> Level {
    use core::sync::atomic::{AtomicU8, Ordering};
    /// 0 before the processor was asked.
    static KNOWN: AtomicU8 = AtomicU8::new(0);

    #[cold]
    fn ask() -> u8 {
        let avx2 = std::is_x86_feature_detected!("avx2")
            && std::is_x86_feature_detected!("bmi1")
            && std::is_x86_feature_detected!("bmi2")
            && std::is_x86_feature_detected!("lzcnt")
            && std::is_x86_feature_detected!("popcnt");
        let known = match std::is_x86_feature_detected!("ssse3") {
            _ if avx2 => 3,
            true => 2,
            false => 1,
        };
        KNOWN.store(known, Ordering::Relaxed);
        known
    }

    let known = match KNOWN.load(Ordering::Relaxed) {
        0 => ask(),
        known => known,
    };
    match known {
        3 => Level::Avx2,
        2 => Level::Ssse3,
        _ => Level::Words,
    }
}

#[cfg(not(feature = "std"))]
#[inline]
const fn level() -> Level {
    const AVX2: bool = cfg!(all(
        target_feature = "avx2",
        target_feature = "bmi1",
        target_feature = "bmi2",
        target_feature = "lzcnt",
        target_feature = "popcnt"
    ));
    match (AVX2, cfg!(target_feature = "ssse3")) {
        (true, _) => Level::Avx2,
        (false, true) => Level::Ssse3,
        (false, false) => Level::Words,
    }
}

/// Runs `job` with the widest vectors that are here.
#[inline]
pub(super) fn dispatch<J: Job>(job: J) -> Option<J::Output> {
    match level() {
        Level::Avx2 => Some(Avx2(()).run(job)),
        Level::Ssse3 => Some(Ssse3(()).run(job)),
        Level::Words => None,
    }
}

/// Vectors of 32 bytes. Made only where the processor has AVX2, BMI1, BMI2,
/// LZCNT and POPCNT.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Avx2(());

impl Avx2 {
    /// The proof, where there is one.
    #[cfg(test)]
    pub(crate) fn new() -> Option<Self> {
        (level() == Level::Avx2).then_some(Self(()))
    }

    /// Runs a job that is compiled for these vectors.
    #[inline]
    pub(crate) fn run<J: Job>(self, job: J) -> J::Output {
        // SAFETY: `self` proves that the processor has these features.
        unsafe { run_avx2(self, job) }
    }
}

#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn run_avx2<J: Job>(blocks: Avx2, job: J) -> J::Output {
    job.run(blocks)
}

impl Blocks for Avx2 {
    #[inline(always)]
    fn sixteen(self, text: &[u8; 16]) -> Masks {
        // SAFETY: AVX2, which `self` proves, includes SSSE3.
        unsafe { masks_16(text) }
    }

    #[inline(always)]
    fn thirty_two(self, text: &[u8; 32]) -> Masks {
        // SAFETY: `self` proves that the processor has AVX2.
        unsafe { masks_32(text) }
    }
}

/// Vectors of 16 bytes. Made only where the processor has SSSE3.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ssse3(());

impl Ssse3 {
    /// The proof, where there is one.
    #[cfg(test)]
    pub(crate) fn new() -> Option<Self> {
        (level() != Level::Words).then_some(Self(()))
    }

    /// Runs a job that is compiled for these vectors.
    #[inline]
    pub(crate) fn run<J: Job>(self, job: J) -> J::Output {
        // SAFETY: `self` proves that the processor has SSSE3.
        unsafe { run_ssse3(self, job) }
    }
}

#[target_feature(enable = "ssse3")]
fn run_ssse3<J: Job>(blocks: Ssse3, job: J) -> J::Output {
    job.run(blocks)
}

impl Blocks for Ssse3 {
    #[inline(always)]
    fn sixteen(self, text: &[u8; 16]) -> Masks {
        // SAFETY: `self` proves that the processor has SSSE3.
        unsafe { masks_16(text) }
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_32(bytes: &[u8; 32]) -> __m256i {
    // SAFETY: the reference is good for 32 bytes, and the load asks for no
    // alignment.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "ssse3")]
fn load_16(bytes: &[u8; 16]) -> __m128i {
    // SAFETY: the reference is good for 16 bytes, and the load asks for no
    // alignment.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn masks_32(text: &[u8; 32]) -> Masks {
    let bits = |v: __m256i| u64::from(_mm256_movemask_epi8(v).cast_unsigned());
    let is = |v: __m256i, b: i8| _mm256_cmpeq_epi8(v, _mm256_set1_epi8(b));
    let text = load_32(text);
    let low = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(load_16(&LOW)), text);
    let nibbles = _mm256_and_si256(_mm256_srli_epi16(text, 4), _mm256_set1_epi8(15));
    let high = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(load_16(&HIGH)), nibbles);
    let other = _mm256_cmpeq_epi8(_mm256_and_si256(low, high), _mm256_setzero_si256());
    let (cr, lf) = (is(text, 13), is(text, 10));
    let below = _mm256_cmpeq_epi8(_mm256_min_epu8(text, _mm256_set1_epi8(31)), text);
    let control = _mm256_or_si256(below, is(text, 127));
    let allowed = _mm256_or_si256(_mm256_or_si256(cr, lf), is(text, 9));
    Masks {
        token: bits(other) ^ 0xffff_ffff,
        cr: bits(cr),
        lf: bits(lf),
        control: bits(_mm256_andnot_si256(allowed, control)),
    }
}

#[inline]
#[target_feature(enable = "ssse3")]
fn masks_16(text: &[u8; 16]) -> Masks {
    let bits = |v: __m128i| u64::from(_mm_movemask_epi8(v).cast_unsigned());
    let is = |v: __m128i, b: i8| _mm_cmpeq_epi8(v, _mm_set1_epi8(b));
    let text = load_16(text);
    let low = _mm_shuffle_epi8(load_16(&LOW), text);
    let nibbles = _mm_and_si128(_mm_srli_epi16(text, 4), _mm_set1_epi8(15));
    let high = _mm_shuffle_epi8(load_16(&HIGH), nibbles);
    let other = _mm_cmpeq_epi8(_mm_and_si128(low, high), _mm_setzero_si128());
    let (cr, lf) = (is(text, 13), is(text, 10));
    let below = _mm_cmpeq_epi8(_mm_min_epu8(text, _mm_set1_epi8(31)), text);
    let control = _mm_or_si128(below, is(text, 127));
    let allowed = _mm_or_si128(_mm_or_si128(cr, lf), is(text, 9));
    Masks {
        token: bits(other) ^ 0xffff,
        cr: bits(cr),
        lf: bits(lf),
        control: bits(_mm_andnot_si128(allowed, control)),
    }
}

/// Masks a long payload.
#[inline]
pub(super) fn mask(payload: &mut [u8], key: [u8; 4]) {
    #[target_feature(enable = "avx2")]
    fn wide(payload: &mut [u8], key: [u8; 4]) {
        swar::mask_wide(payload, key);
    }
    match level() {
        // SAFETY: the level says that the processor has AVX2.
        Level::Avx2 => unsafe { wide(payload, key) },
        Level::Ssse3 | Level::Words => swar::mask_wide(payload, key),
    }
}

/// Masks a long payload and says whether it is US-ASCII then.
#[inline]
pub(super) fn mask_is_ascii(payload: &mut [u8], key: [u8; 4]) -> bool {
    #[target_feature(enable = "avx2")]
    fn wide(payload: &mut [u8], key: [u8; 4]) -> bool {
        swar::mask_wide_is_ascii(payload, key)
    }
    match level() {
        // SAFETY: the level says that the processor has AVX2.
        Level::Avx2 => unsafe { wide(payload, key) },
        Level::Ssse3 | Level::Words => swar::mask_wide_is_ascii(payload, key),
    }
}
