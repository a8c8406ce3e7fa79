//! Memory that a connection needs only while it is at work, some for each thread: one at
//! rest holds none.

use alloc::vec::Vec;
use core::cell::Cell;
use core::mem;

use crate::http::OwnedScratch;

/// The longest output whose memory is kept for the next one.
const LONGEST: usize = 64 << 10;

std::thread_local! {
    static SCRATCH: Cell<Option<OwnedScratch>> = const { Cell::new(None) };
    static OUTPUT: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Room for heads of so many fields, and what else cannot be a slice of the input.
pub(super) fn take_scratch(fields: usize) -> OwnedScratch {
    // There is none while the thread ends, or while another connection has it.
    let kept = SCRATCH.try_with(Cell::take).ok().flatten();
    let kept = kept.filter(|it| it.fields() >= fields);
    kept.unwrap_or_else(|| OwnedScratch::new(fields))
}

/// Keeps it for the next connection.
pub(super) fn give_scratch(scratch: OwnedScratch) {
    // Refused only while the thread ends.
    let _ = SCRATCH.try_with(|kept| kept.set(Some(scratch)));
}

/// Gives memory to an output that has none.
pub(super) fn fit_output(output: &mut Vec<u8>) {
    if output.capacity() == 0 {
        *output = OUTPUT.try_with(Cell::take).unwrap_or_default();
    }
}

/// Keeps the memory of an output that was written.
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
mod tests {
    use super::*;

    #[test]
    fn memory_goes_from_one_connection_to_the_next() {
        let scratch = take_scratch(100);
        assert!(scratch.fields() >= 100);
        give_scratch(scratch);
        assert!(take_scratch(50).fields() >= 100);
        let mut output = Vec::with_capacity(500);
        output.push(1);
        let place = output.as_ptr();
        give_output(&mut output);
        assert_eq!(output.capacity(), 0);
        fit_output(&mut output);
        assert!(output.is_empty() && output.as_ptr() == place);
        let mut long = Vec::with_capacity(LONGEST + 1);
        give_output(&mut long);
        assert_eq!(long.capacity(), 0);
        let mut next = Vec::new();
        fit_output(&mut next);
        assert_eq!(next.capacity(), 0);
    }
}
