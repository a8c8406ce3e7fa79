//! Memory that a connection needs only while it is at work, some for each thread: one at
//! rest holds none.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::cell::Cell;
use core::mem;

use crate::http::OwnedScratch;
#[cfg(feature = "deflate")]
use crate::wire::codec::Deflater;

/// The longest output whose memory is kept for the next one.
const LONGEST: usize = 64 << 10;

std::thread_local! {
    static SCRATCH: Cell<Option<Box<OwnedScratch>>> = const { Cell::new(None) };
    #[cfg(feature = "deflate")]
    static DEFLATER: Cell<Option<Box<Deflater>>> = const { Cell::new(None) };
    static OUTPUT: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Room for heads of so many fields, and what else cannot be a slice of the input.
pub(super) fn take_scratch(fields: usize) -> Box<OwnedScratch> {
    // There is none while the thread ends, or while another connection has it.
    let kept = SCRATCH.try_with(Cell::take).ok().flatten();
    let kept = kept.filter(|it| it.fields() >= fields);
    kept.unwrap_or_else(|| Box::new(OwnedScratch::new(fields)))
}

pub(super) fn give_scratch(mut scratch: Box<OwnedScratch>) {
    if let Some(inflater) = scratch.inflater() {
        inflater.trim();
    }
    // Refused only while the thread ends.
    let _ = SCRATCH.try_with(|kept| kept.set(Some(scratch)));
}

/// A codec to compress messages with.
#[cfg(feature = "deflate")]
pub(super) fn take_deflater() -> Box<Deflater> {
    let kept = DEFLATER.try_with(Cell::take).ok().flatten();
    kept.unwrap_or_default()
}

#[cfg(feature = "deflate")]
pub(super) fn give_deflater(deflater: Box<Deflater>) {
    let _ = DEFLATER.try_with(|kept| kept.set(Some(deflater)));
}

pub(super) fn fit_output(output: &mut Vec<u8>) {
    if output.capacity() == 0 {
        *output = OUTPUT.try_with(Cell::take).unwrap_or_default();
    }
}

pub(super) fn give_output(output: &mut Vec<u8>) {
    output.clear();
    if output.capacity() <= LONGEST {
        let output = mem::take(output);
        // Refused only while the thread ends.
        let _ = OUTPUT.try_with(|kept| kept.set(output));
    } else {
        *output = Vec::new();
    }
}

#[cfg(test)]
mod tests;
