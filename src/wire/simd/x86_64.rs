//! Kernels for x86-64: AVX2, SSSE3 for what is older, and AVX-512 for long
//! payloads.

use core::arch::x86_64::{
    __m128i, __m256i, _mm_add_epi8, _mm_and_si128, _mm_cmpeq_epi8, _mm_cmplt_epi8, _mm_loadu_si128,
    _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi8, _mm_setzero_si128, _mm_shuffle_epi8,
    _mm_srli_epi16, _mm256_add_epi8, _mm256_and_si256, _mm256_broadcastsi128_si256,
    _mm256_cmpeq_epi8, _mm256_cmpgt_epi8, _mm256_loadu_si256, _mm256_movemask_epi8,
    _mm256_or_si256, _mm256_set1_epi8, _mm256_set1_epi32, _mm256_setzero_si256,
    _mm256_shuffle_epi8, _mm256_srli_epi16, _mm256_storeu_si256, _mm256_testz_si256,
    _mm256_xor_si256, _mm512_loadu_si512, _mm512_or_si512, _mm512_set1_epi32, _mm512_setzero_si512,
    _mm512_storeu_si512, _mm512_test_epi32_mask, _mm512_xor_si512,
};

use super::Job;
use super::blocks::{Blocks, Class, HALF, HIGH, WINDOW};
use super::swar::{self, Words};

/// The vector instructions that this processor has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Words,
    Ssse3,
    Avx2,
    Avx512,
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
        let avx512 = avx2 && std::is_x86_feature_detected!("avx512f");
        let known = match std::is_x86_feature_detected!("ssse3") {
            _ if avx512 => 4,
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
        4 => Level::Avx512,
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
        (true, _) if cfg!(target_feature = "avx512f") => Level::Avx512,
        (true, _) => Level::Avx2,
        (false, true) => Level::Ssse3,
        (false, false) => Level::Words,
    }
}

#[inline(always)]
pub(super) fn dispatch<J: Job>(job: J, text: &[u8], place: J::Destination<'_>) -> J::Output {
    match level() {
        Level::Avx2 | Level::Avx512 => Avx2(()).run(job, text, place),
        Level::Ssse3 => Ssse3(()).run(job, text, place),
        Level::Words => job.run(Words, text, place),
    }
}

/// Vectors of 32 bytes. Made only where the processor has AVX2, BMI1, BMI2,
/// LZCNT and POPCNT.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Avx2(());

impl Avx2 {
    #[inline]
    pub(crate) fn new() -> Option<Self> {
        matches!(level(), Level::Avx2 | Level::Avx512).then_some(Self(()))
    }

    #[inline]
    pub(crate) fn run<J: Job>(self, job: J, text: &[u8], place: J::Destination<'_>) -> J::Output {
        // SAFETY: `self` proves that the processor has these features.
        unsafe { run_avx2(self, job, text, place) }
    }
}

#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn run_avx2<J: Job>(blocks: Avx2, job: J, text: &[u8], place: J::Destination<'_>) -> J::Output {
    job.run(blocks, text, place)
}

impl Blocks for Avx2 {
    #[inline(always)]
    fn unusual(self, text: &[u8; WINDOW]) -> u32 {
        // SAFETY: `self` proves that the processor has AVX2.
        unsafe { unusual_32(text) }
    }

    #[inline(always)]
    fn other_than(self, class: &Class, text: &[u8; WINDOW]) -> u32 {
        // SAFETY: `self` proves that the processor has AVX2.
        unsafe { other_than_32(class, text) }
    }
}

/// Vectors of 16 bytes. Made only where the processor has SSSE3.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ssse3(());

impl Ssse3 {
    #[cfg(test)]
    pub(crate) fn new() -> Option<Self> {
        (level() != Level::Words).then_some(Self(()))
    }

    #[inline]
    pub(crate) fn run<J: Job>(self, job: J, text: &[u8], place: J::Destination<'_>) -> J::Output {
        // SAFETY: `self` proves that the processor has SSSE3.
        unsafe { run_ssse3(self, job, text, place) }
    }
}

#[target_feature(enable = "ssse3")]
fn run_ssse3<J: Job>(blocks: Ssse3, job: J, text: &[u8], place: J::Destination<'_>) -> J::Output {
    job.run(blocks, text, place)
}

impl Blocks for Ssse3 {
    #[inline(always)]
    fn unusual(self, text: &[u8; WINDOW]) -> u32 {
        // SAFETY: `self` proves that the processor has SSSE3.
        halves(text, |half| unsafe { unusual_16(half) })
    }

    #[inline(always)]
    fn other_than(self, class: &Class, text: &[u8; WINDOW]) -> u32 {
        // SAFETY: `self` proves that the processor has SSSE3.
        halves(text, |half| unsafe { other_than_16(class, half) })
    }
}

#[inline(always)]
fn halves(text: &[u8; WINDOW], judge: impl Fn(&[u8; 16]) -> u32) -> u32 {
    match text.as_chunks() {
        ([first, second], _) => judge(first) | judge(second) << 16,
        _ => !0, // not reached: 32 bytes are two times 16
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

// As signed numbers, one above its own, SP to `~` are 33 and more; what is below
// SP is less, and DEL and beyond are negative or, of 255, zero.

#[inline]
#[target_feature(enable = "avx2")]
fn unusual_32(text: &[u8; 32]) -> u32 {
    let above = _mm256_add_epi8(load_32(text), _mm256_set1_epi8(1));
    let unusual = _mm256_cmpgt_epi8(_mm256_set1_epi8(33), above);
    _mm256_movemask_epi8(unusual).cast_unsigned()
}

#[inline]
#[target_feature(enable = "ssse3")]
fn unusual_16(text: &[u8; 16]) -> u32 {
    let above = _mm_add_epi8(load_16(text), _mm_set1_epi8(1));
    let unusual = _mm_cmplt_epi8(above, _mm_set1_epi8(33));
    _mm_movemask_epi8(unusual).cast_unsigned()
}

#[inline]
#[target_feature(enable = "avx2")]
fn other_than_32(class: &Class, text: &[u8; 32]) -> u32 {
    let text = load_32(text);
    let low = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(load_16(&class.0)), text);
    let nibbles = _mm256_and_si256(_mm256_srli_epi16(text, 4), _mm256_set1_epi8(15));
    let high = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(load_16(&HIGH)), nibbles);
    let other = _mm256_cmpeq_epi8(_mm256_and_si256(low, high), _mm256_setzero_si256());
    _mm256_movemask_epi8(other).cast_unsigned()
}

#[inline]
#[target_feature(enable = "ssse3")]
fn other_than_16(class: &Class, text: &[u8; 16]) -> u32 {
    let text = load_16(text);
    let low = _mm_shuffle_epi8(load_16(&class.0), text);
    let nibbles = _mm_and_si128(_mm_srli_epi16(text, 4), _mm_set1_epi8(15));
    let high = _mm_shuffle_epi8(load_16(&HIGH), nibbles);
    let other = _mm_cmpeq_epi8(_mm_and_si128(low, high), _mm_setzero_si128());
    _mm_movemask_epi8(other).cast_unsigned()
}

/// Which of 16 bytes are rare in a request target, and which are `?`.
#[inline(always)]
pub(super) fn target_bytes(block: &[u8; HALF]) -> (u32, u32) {
    #[inline]
    #[target_feature(enable = "sse2")]
    fn judged(block: &[u8; HALF]) -> (u32, u32) {
        let bits = |v: __m128i| _mm_movemask_epi8(v).cast_unsigned();
        let is = |v: __m128i, b: u8| _mm_cmpeq_epi8(v, _mm_set1_epi8(b.cast_signed()));
        // SAFETY: the reference is good for 16 bytes, and the load asks for no
        // alignment.
        let block = unsafe { _mm_loadu_si128(block.as_ptr().cast()) };
        // All up to `#` and from `{` on: the sum of the latter is negative.
        let above = _mm_add_epi8(block, _mm_set1_epi8(5));
        let ends = _mm_cmplt_epi8(above, _mm_set1_epi8(0x24 + 5));
        // `<`, `>`, `\` and `^`, which are alike but for these bits.
        let marks = _mm_and_si128(block, _mm_set1_epi8(0x9d_u8.cast_signed()));
        let rare = _mm_or_si128(is(marks, 0x1c), is(block, b'`'));
        (bits(_mm_or_si128(ends, rare)), bits(is(block, b'?')))
    }
    // SAFETY: every x86-64 processor has SSE2.
    unsafe { judged(block) }
}

#[inline]
pub(super) fn mask(payload: &mut [u8], key: [u8; 4]) {
    mask_by_level::<false>(payload, key);
}

#[inline]
pub(super) fn mask_is_ascii(payload: &mut [u8], key: [u8; 4]) -> bool {
    mask_by_level::<true>(payload, key)
}

/// Masks a long payload; if it is to be judged, says whether it is US-ASCII then.
#[inline]
fn mask_by_level<const JUDGED: bool>(payload: &mut [u8], key: [u8; 4]) -> bool {
    #[target_feature(enable = "avx512f")]
    fn widest<const JUDGED: bool>(payload: &mut [u8], key: [u8; 4]) -> bool {
        swar::mask_long(payload, key, |steps, key| mask_64::<JUDGED>(steps, key))
    }
    #[target_feature(enable = "avx2")]
    fn wide<const JUDGED: bool>(payload: &mut [u8], key: [u8; 4]) -> bool {
        swar::mask_long(payload, key, |steps, key| mask_32::<JUDGED>(steps, key))
    }
    match level() {
        // SAFETY: the level says that the processor has AVX-512F.
        Level::Avx512 => unsafe { widest::<JUDGED>(payload, key) },
        // SAFETY: the level says that the processor has AVX2.
        Level::Avx2 => unsafe { wide::<JUDGED>(payload, key) },
        Level::Ssse3 | Level::Words => swar::mask_long(payload, key, swar::mask_steps),
    }
}

/// The top bits of four bytes.
const TOPS: i32 = 0x8080_8080_u32.cast_signed();

#[inline]
#[target_feature(enable = "avx512f")]
fn mask_64<const JUDGED: bool>(steps: &mut [[u8; 64]], key: [u8; 4]) -> bool {
    let key = _mm512_set1_epi32(i32::from_ne_bytes(key));
    let mut seen = _mm512_setzero_si512();
    for step in steps {
        let place = step.as_mut_ptr().cast();
        // SAFETY: the reference is good for 64 bytes, both ways, and no alignment
        // is asked for.
        let plain = unsafe {
            let plain = _mm512_xor_si512(_mm512_loadu_si512(place), key);
            _mm512_storeu_si512(place, plain);
            plain
        };
        if JUDGED {
            seen = _mm512_or_si512(seen, plain);
        }
    }
    _mm512_test_epi32_mask(seen, _mm512_set1_epi32(TOPS)) == 0
}

#[inline]
#[target_feature(enable = "avx2")]
fn mask_32<const JUDGED: bool>(steps: &mut [[u8; 64]], key: [u8; 4]) -> bool {
    let key = _mm256_set1_epi32(i32::from_ne_bytes(key));
    let mut seen = _mm256_setzero_si256();
    for half in steps.as_flattened_mut().as_chunks_mut::<32>().0 {
        let place = half.as_mut_ptr().cast();
        // SAFETY: the reference is good for 32 bytes, both ways, and no alignment
        // is asked for.
        let plain = unsafe {
            let plain = _mm256_xor_si256(_mm256_loadu_si256(place), key);
            _mm256_storeu_si256(place, plain);
            plain
        };
        if JUDGED {
            seen = _mm256_or_si256(seen, plain);
        }
    }
    _mm256_testz_si256(seen, _mm256_set1_epi32(TOPS)) == 1
}
