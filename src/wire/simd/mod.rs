//! Vector kernels behind a safe face.
//!
//! A job is handed over whole and dispatched once, by the processor: the job's
//! own loop is compiled for each instruction set, with the kernels in it.
//! [`swar`] is the portable twin of every kernel and the oracle that it is
//! tested against.
//!
//! ```text
//!  job ──dispatch──▶ avx2     job.run(Avx2)   32 bytes a step
//!                    ssse3    job.run(Ssse3)  16 bytes a step
//!                    neon     job.run(Neon)   16 bytes a step
//!                    portable job.run(Words)   8 bytes a step
//! ```
//!
//! The processor is asked once (with `std`; without it, what the target says at
//! compile time counts) and the answer is kept.

#[cfg(target_arch = "aarch64")]
#[allow(unsafe_code)] // the kernels: each says why it is sound
pub(crate) mod aarch64;
mod blocks;
#[allow(unsafe_code)] // what was found is not looked for again: each says why it is sound
mod lines;
pub mod swar;
#[allow(unsafe_code)] // what was judged is not judged again: each says why it is sound
pub(crate) mod text;
#[allow(unsafe_code)] // the kernel: it says why it is sound
mod utf8;
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)] // the kernels: each says why it is sound
pub(crate) mod x86_64;

use super::FAST;
pub(crate) use blocks::{Blocks, Class, WINDOW};
pub(crate) use lines::{FieldLine, HeadLines};
pub use utf8::{as_text, is_utf8};

/// From this size on a payload is worth the choice of a kernel.
const LONG_PAYLOAD: usize = 192;

/// From this size on a payload that is checked, too, is worth the choice of a kernel.
const LONG_TEXT: usize = 64;

/// Work on blocks of text, compiled once for each instruction set.
pub(crate) trait Job {
    type Destination<'p>;

    type Output;

    /// Does the work. Implementations and what they call with `blocks` are `#[inline(always)]`,
    /// to be compiled for the vectors.
    fn run<B: Blocks>(self, blocks: B, text: &[u8], place: Self::Destination<'_>) -> Self::Output;
}

/// Runs `job` with the widest vectors of this processor. What it needs comes in
/// three parts, so that registers hold it.
#[inline(always)]
pub(crate) fn dispatch<J: Job>(job: J, text: &[u8], place: J::Destination<'_>) -> J::Output {
    #[cfg(target_arch = "x86_64")]
    return x86_64::dispatch(job, text, place);
    #[cfg(target_arch = "aarch64")]
    return aarch64::dispatch(job, text, place);
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    job.run(swar::Words, text, place)
}

/// Exclusive-ors `payload` with the 4 bytes of `key`, repeated from its first
/// byte on (RFC 6455 §5.3). Masking and unmasking are the same.
///
/// To mask in pieces, rotate the key by the bytes done so far.
#[inline]
pub fn mask(payload: &mut [u8], key: [u8; 4]) {
    if !FAST {
        return swar::mask(payload, key);
    }
    if payload.len() < LONG_PAYLOAD {
        return swar::mask_short(payload, key);
    }
    #[cfg(target_arch = "x86_64")]
    x86_64::mask(payload, key);
    #[cfg(not(target_arch = "x86_64"))]
    swar::mask_long(payload, key, swar::mask_steps);
}

/// [Masks](mask) and checks the result in one pass: whether all of it is US-ASCII.
#[inline]
pub fn mask_is_ascii(payload: &mut [u8], key: [u8; 4]) -> bool {
    if !FAST || payload.len() < LONG_TEXT {
        return swar::mask_is_ascii(payload, key);
    }
    #[cfg(target_arch = "x86_64")]
    return x86_64::mask_is_ascii(payload, key);
    #[cfg(not(target_arch = "x86_64"))]
    swar::mask_long(payload, key, swar::mask_steps)
}
