//! A loop's memory for input: what reads go into, and what is kept for the next.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::Range;

use super::input_buffer::InputBuffer;
use crate::link::Account;
use crate::net::stores::placed::Placed;

/// The most memory that is kept for the next long input.
const LARGE: usize = 4 << 20;
const SPARE: usize = 64;

/// The one buffer that all reads go into, and the memory of input that was kept.
#[derive(Debug)]
pub(crate) struct InputBuffers {
    read: Placed,
    #[expect(
        clippy::vec_box,
        reason = "a connection holds a pointer, not the buffer"
    )]
    spare: Vec<Box<InputBuffer>>,
    /// Memory for the next long kept input; all of it initialised.
    large: Placed,
}

impl InputBuffers {
    /// With room for reads of `size` bytes, charged to the loop.
    pub(crate) fn new(size: usize, all: &Account) -> Self {
        let mut read = Placed::new(size);
        read.charge_to(Some(all));
        Self {
            read,
            spare: Vec::new(),
            large: Placed::default(),
        }
    }

    #[inline]
    pub(crate) fn read(&mut self) -> &mut [u8] {
        &mut self.read
    }

    /// Bytes that a read has room for.
    #[inline]
    pub(crate) fn size(&self) -> usize {
        self.read.len()
    }

    pub(super) fn behind<'b>(&mut self, kept: &'b mut InputBuffer, least: usize) -> &'b mut [u8] {
        kept.room(least, &mut self.large)
    }

    /// Moves kept input to the front of the next read; how long it was.
    pub(crate) fn put_in_front(&mut self, mut kept: Box<InputBuffer>, all: &Account) -> usize {
        let had = kept.len(); // below the size of a read
        self.read[..had].copy_from_slice(kept.bytes());
        self.give_back(kept, all);
        had
    }

    pub(crate) fn keep(&mut self, range: Range<usize>) -> Box<InputBuffer> {
        let mut kept = self.spare.pop().unwrap_or_default();
        kept.fill(&self.read[range]);
        kept
    }

    /// Keeps memory for the next use: each up to a read's size, and one larger, so that large
    /// messages do not map pages each time.
    pub(super) fn give_back(&mut self, mut kept: Box<InputBuffer>, all: &Account) {
        kept.charge_to(Some(all));
        let most = self.read.len();
        if (self.large.len().max(most) + 1..=LARGE).contains(&kept.size()) {
            self.large = kept.take_memory();
        }
        if self.spare.len() < SPARE {
            kept.clear(most);
            self.spare.push(kept);
        }
    }

    pub(super) fn release(&mut self) {
        self.spare = Vec::new();
        self.large = Placed::default();
    }
}
