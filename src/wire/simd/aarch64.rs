//! Kernels for AArch64, where NEON always is.

use core::arch::aarch64::{
    uint8x16_t, vandq_u8, vbicq_u8, vceqq_u8, vcltq_u8, vdupq_n_u8, vgetq_lane_u64, vld1q_u8,
    vorrq_u8, vpaddq_u8, vqtbl1q_u8, vreinterpretq_u64_u8, vshrq_n_u8, vtstq_u8,
};

use super::Job;
use super::blocks::{Blocks, HIGH, LOW, Masks};

/// Runs `job` with NEON.
#[inline]
pub(super) fn dispatch<J: Job>(job: J) -> J::Output {
    job.run(Neon)
}

/// Vectors of 16 bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Neon;

impl Blocks for Neon {
    #[inline(always)]
    fn sixteen(self, text: &[u8; 16]) -> Masks {
        // SAFETY: every AArch64 target with the standard ABI has NEON, and
        // each reference is good for 16 bytes.
        unsafe {
            let is = |v: uint8x16_t, b: u8| vceqq_u8(v, vdupq_n_u8(b));
            let text = vld1q_u8(text.as_ptr());
            let low = vqtbl1q_u8(vld1q_u8(LOW.as_ptr()), vandq_u8(text, vdupq_n_u8(15)));
            let high = vqtbl1q_u8(vld1q_u8(HIGH.as_ptr()), vshrq_n_u8::<4>(text));
            let (cr, lf) = (is(text, 13), is(text, 10));
            let control = vorrq_u8(vcltq_u8(text, vdupq_n_u8(32)), is(text, 127));
            let allowed = vorrq_u8(vorrq_u8(cr, lf), is(text, 9));
            bits([vtstq_u8(low, high), cr, lf, vbicq_u8(control, allowed)])
        }
    }
}

/// The masks of four vectors whose bytes are all ones or all zeros.
#[inline]
#[target_feature(enable = "neon")]
fn bits([token, cr, lf, control]: [uint8x16_t; 4]) -> Masks {
    const WEIGHTS: [u8; 16] = [1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128];
    // SAFETY: the array is 16 bytes long.
    let weights = unsafe { vld1q_u8(WEIGHTS.as_ptr()) };
    // Each sum of eight weighted bytes is one byte of a mask.
    let first = vpaddq_u8(vandq_u8(token, weights), vandq_u8(cr, weights));
    let second = vpaddq_u8(vandq_u8(lf, weights), vandq_u8(control, weights));
    let all = vpaddq_u8(vpaddq_u8(first, second), vdupq_n_u8(0));
    let sums = vgetq_lane_u64::<0>(vreinterpretq_u64_u8(all));
    let mask = |at: u32| sums >> at & 0xffff;
    Masks {
        token: mask(0),
        cr: mask(16),
        lf: mask(32),
        control: mask(48),
    }
}
