//! Kernels for AArch64, where NEON always is.

use core::arch::aarch64::{
    uint8x16_t, vaddq_u8, vandq_u8, vceqzq_u8, vcltq_s8, vdupq_n_s8, vdupq_n_u8, vgetq_lane_u64,
    vld1q_u8, vpaddq_u8, vqtbl1q_u8, vreinterpretq_s8_u8, vreinterpretq_u64_u8, vshrq_n_u8,
};

use super::Job;
use super::blocks::{Blocks, Class, HIGH, WINDOW};

#[inline]
pub(super) fn dispatch<J: Job>(job: J, text: &[u8], place: J::Destination<'_>) -> J::Output {
    job.run(Neon, text, place)
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Neon;

impl Blocks for Neon {
    #[inline(always)]
    fn unusual(self, text: &[u8; WINDOW]) -> u32 {
        // SAFETY: every AArch64 target with the standard ABI has NEON.
        let unusual = |text| unsafe {
            // As signed numbers, one above its own, SP to `~` are 33 and more.
            let above = vreinterpretq_s8_u8(vaddq_u8(text, vdupq_n_u8(1)));
            vcltq_s8(above, vdupq_n_s8(33))
        };
        // SAFETY: as above.
        unsafe { bits(load(text).map(unusual)) }
    }

    #[inline(always)]
    fn other_than(self, class: &Class, text: &[u8; WINDOW]) -> u32 {
        // SAFETY: every AArch64 target with the standard ABI has NEON, and
        // both tables are 16 bytes long.
        let other = |text| unsafe {
            let low = vqtbl1q_u8(vld1q_u8(class.0.as_ptr()), vandq_u8(text, vdupq_n_u8(15)));
            let high = vqtbl1q_u8(vld1q_u8(HIGH.as_ptr()), vshrq_n_u8::<4>(text));
            vceqzq_u8(vandq_u8(low, high))
        };
        // SAFETY: as above.
        unsafe { bits(load(text).map(other)) }
    }
}

#[inline]
#[target_feature(enable = "neon")]
fn load(text: &[u8; WINDOW]) -> [uint8x16_t; 2] {
    // SAFETY: the reference is good for two times 16 bytes.
    unsafe { [vld1q_u8(text.as_ptr()), vld1q_u8(text.as_ptr().add(16))] }
}

/// A bit for each byte of two vectors whose bytes are all ones or all zeros.
#[inline]
#[target_feature(enable = "neon")]
fn bits([first, second]: [uint8x16_t; 2]) -> u32 {
    const WEIGHTS: [u8; 16] = [1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128];
    // SAFETY: the array is 16 bytes long.
    let weights = unsafe { vld1q_u8(WEIGHTS.as_ptr()) };
    // Each sum of eight weighted bytes is one byte of the answer.
    let sums = vpaddq_u8(vandq_u8(first, weights), vandq_u8(second, weights));
    let sums = vpaddq_u8(sums, sums);
    let sums = vpaddq_u8(sums, sums);
    vgetq_lane_u64::<0>(vreinterpretq_u64_u8(sums)) as u32
}
