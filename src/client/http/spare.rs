//! Memory that a call needs only until its response is dropped, some for each thread: the
//! next call of the thread has it.

use alloc::vec::Vec;
use core::cell::Cell;

use crate::http::FieldBuffer;

const LONGEST: usize = 16 << 10;

std::thread_local! {
    static FIELDS: Cell<FieldBuffer> = const { Cell::new(FieldBuffer::new()) };
    static CONTENT: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

pub(super) fn take_fields() -> FieldBuffer {
    // There is none while the thread ends, or while another call has it.
    FIELDS.try_with(Cell::take).unwrap_or_default()
}

pub(super) fn give_fields(mut fields: FieldBuffer) {
    if (1..=LONGEST).contains(&fields.memory()) {
        fields.clear();
        // Refused only while the thread ends.
        let _ = FIELDS.try_with(|kept| kept.set(fields));
    }
}

pub(super) fn take_content() -> Vec<u8> {
    CONTENT.try_with(Cell::take).unwrap_or_default()
}

pub(super) fn give_content(mut content: Vec<u8>) {
    if (1..=LONGEST).contains(&content.capacity()) {
        content.clear();
        let _ = CONTENT.try_with(|kept| kept.set(content));
    }
}

#[cfg(test)]
mod tests;
