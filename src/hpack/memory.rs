//! The memory of tables: arrays of the caller's, or memory that grows.

#[cfg(any(feature = "alloc", test))]
use alloc::{boxed::Box, vec};

use super::FIELD_OVERHEAD;

/// The largest table that is ever kept, in bytes as RFC 7541 §4.1 counts them.
pub const MAX_CAPACITY: u32 = 64 * 1024;

/// Where an entry lies, and what an encoder compares first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Entry {
    pub(super) at: u16,
    pub(super) name: u16,   // length; an entry's text is below 64 KiB
    pub(super) value: u16,  // length
    pub(super) before: u16, // how far the one before it in its bucket is; 0: none
    pub(super) hash: u32,
}

impl Entry {
    /// No entry: fills arrays.
    pub const EMPTY: Self = Self {
        at: 0,
        name: 0,
        value: 0,
        before: 0,
        hash: 0,
    };

    pub(super) const fn len(self) -> usize {
        self.name as usize + self.value as usize
    }
}

/// The memory in which a table keeps its entries.
pub trait Memory: Sized {
    /// The largest table that this memory can ever hold, in bytes as RFC 7541
    /// §4.1 counts them; at most [`MAX_CAPACITY`].
    fn ceiling(&self) -> u32;
    /// The ring of text and the ring of records.
    fn rings(&self) -> (&[u8], &[Entry]);
    /// Both rings, for writing.
    fn rings_mut(&mut self) -> (&mut [u8], &mut [Entry]);
    /// Fresh memory with at least this much of each, for a table of
    /// `capacity` bytes; `None` if there is no more.
    fn larger(&self, text: usize, entries: usize, capacity: u32) -> Option<Self>;
    /// Fresh memory with exactly this much of each, if that is less than there
    /// is now; `None` from memory that does not shrink.
    fn smaller(&self, text: usize, entries: usize) -> Option<Self> {
        let _ = (text, entries);
        None
    }
}

/// Arrays that the caller lends: a table without an allocator.
///
/// A table of n bytes takes n bytes of text and n / 32 entries.
#[derive(Debug)]
pub struct Borrowed<'m> {
    /// The ring of text.
    pub text: &'m mut [u8],
    /// The ring of records.
    pub entries: &'m mut [Entry],
}

impl Memory for Borrowed<'_> {
    fn ceiling(&self) -> u32 {
        let entries = self.entries.len().saturating_mul(FIELD_OVERHEAD as usize);
        let bytes = self.text.len().min(entries);
        u32::try_from(bytes).map_or(MAX_CAPACITY, |bytes| bytes.min(MAX_CAPACITY))
    }

    fn rings(&self) -> (&[u8], &[Entry]) {
        (self.text, self.entries)
    }

    fn rings_mut(&mut self) -> (&mut [u8], &mut [Entry]) {
        (self.text, self.entries)
    }

    fn larger(&self, _text: usize, _entries: usize, _capacity: u32) -> Option<Self> {
        None
    }
}

/// Memory that is allocated when the first entry comes, and grows with use up
/// to the table's capacity: 256 bytes of text and 8 records at first.
#[cfg(any(feature = "alloc", test))]
#[derive(Debug, Default)]
pub struct Growing {
    text: Box<[u8]>,
    entries: Box<[Entry]>,
}

#[cfg(any(feature = "alloc", test))]
impl Memory for Growing {
    fn ceiling(&self) -> u32 {
        MAX_CAPACITY
    }

    #[inline]
    fn rings(&self) -> (&[u8], &[Entry]) {
        (&self.text, &self.entries)
    }

    #[inline]
    fn rings_mut(&mut self) -> (&mut [u8], &mut [Entry]) {
        (&mut self.text, &mut self.entries)
    }

    fn larger(&self, text: usize, entries: usize, capacity: u32) -> Option<Self> {
        let grown = |now: usize, need: usize, least: usize, most: usize| {
            let len = if need > now { need.max(now * 2) } else { now };
            len.max(least).min(most.max(need))
        };
        let most = capacity as usize;
        let text = grown(self.text.len(), text, 256, most);
        let entries = grown(self.entries.len(), entries, 8, most / 32);
        Some(Self {
            text: vec![0; text].into_boxed_slice(),
            entries: vec![Entry::EMPTY; entries].into_boxed_slice(),
        })
    }

    fn smaller(&self, text: usize, entries: usize) -> Option<Self> {
        (text < self.text.len() || entries < self.entries.len()).then(|| Self {
            text: vec![0; text].into_boxed_slice(),
            entries: vec![Entry::EMPTY; entries].into_boxed_slice(),
        })
    }
}
