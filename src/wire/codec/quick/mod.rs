//! A deflater for messages: small, and quick at short ones (RFC 1951).
//!
//! A state of zlib takes 137 KiB and more whatever its window is, and to clear one takes
//! longer than to deflate a short message. Here there is a table of where four bytes were seen
//! last, as 16 bits of their position: 4 KiB for a window of 4 KiB. An entry may be out of date:
//! what it leads to is compared with what is wanted, so that it is never wrong.
//!
//! ```text
//!   finding ── tokens: bytes, and matches with earlier text ──► block ──► bits
//!      │                                                          │
//!      └── table                                                  └── lengths of codes
//! ```
//! The first match that is found is taken, from four bytes on. A block has codes of its
//! own where these pay.

mod bits;
mod block;
mod finding;
mod lengths;
mod table;

use alloc::boxed::Box;
use alloc::vec::Vec;

use block::Token;
use finding::{BLOCK, deflate};
use table::Table;

/// The largest table of a message that is deflated by itself: 8 KiB.
const LARGEST: u32 = 12;
/// A buffer of no more than this is kept.
const USUAL: usize = 64 << 10;

/// The memory that is lent for a message.
#[derive(Debug)]
pub(super) struct Quick {
    table: Table,
    tokens: Box<[Token; BLOCK]>,
    /// Where a window and a message are put together.
    joined: Vec<u8>,
}

impl Quick {
    pub(super) fn boxed() -> Box<Self> {
        Box::new(Self {
            table: Table::default(),
            tokens: Box::new([Token::byte(0); BLOCK]),
            joined: Vec::new(),
        })
    }

    pub(super) const fn size(&self) -> usize {
        size_of::<[Token; BLOCK]>() + self.table.size() + self.joined.capacity()
    }

    /// Deflates a message that may refer to the `window`, of at most 2 to the power of
    /// `bits` bytes.
    pub(super) fn deflate(&mut self, bits: u8, window: &[u8], message: &[u8], out: &mut Vec<u8>) {
        let all = window.len() + message.len();
        self.table
            .begin((all.max(1).ilog2() + 1).clamp(8, LARGEST.max(bits.into())));
        let place = (0, 1 << bits);
        if window.is_empty() {
            return deflate(&mut self.table, message, 0, place, &mut self.tokens, out);
        }
        self.table.note(window, 0);
        self.join(window, message);
        let (plain, from) = (&self.joined, window.len());
        deflate(&mut self.table, plain, from, place, &mut self.tokens, out);
        self.trim();
    }

    pub(super) fn deflate_behind(&mut self, kept: &mut Kept, message: &[u8], out: &mut Vec<u8>) {
        let window = kept.window();
        if kept.plain.len() + message.len() > kept.most() {
            kept.forget(window);
        }
        let from = kept.plain.len();
        if from + message.len() <= kept.most() {
            kept.grow(from + message.len());
            kept.plain.extend_from_slice(message);
            let place = (kept.start, window);
            deflate(
                &mut kept.table,
                &kept.plain,
                from,
                place,
                &mut self.tokens,
                out,
            );
            return;
        }
        self.join(&kept.plain, message);
        let place = (kept.start, window);
        deflate(
            &mut kept.table,
            &self.joined,
            from,
            place,
            &mut self.tokens,
            out,
        );
        let rest = self.joined.len() - window; // it is longer than `most`
        kept.start = kept.start.wrapping_add(rest as u16);
        kept.plain.clear();
        kept.grow(window);
        kept.plain
            .extend_from_slice(self.joined.get(rest..).unwrap_or_default());
        self.trim();
    }

    fn join(&mut self, window: &[u8], message: &[u8]) {
        self.joined.clear();
        self.joined.reserve_exact(window.len() + message.len());
        self.joined.extend_from_slice(window);
        self.joined.extend_from_slice(message);
    }

    fn trim(&mut self) {
        if self.joined.capacity() > USUAL {
            self.joined = Vec::new();
        }
    }
}

#[derive(Debug)]
pub(crate) struct Kept {
    plain: Vec<u8>,
    /// The position of its first byte.
    start: u16,
    table: Table,
    bits: u8,
}

impl Kept {
    /// For a window of 2 to the power of `bits` bytes, 8 to 15.
    pub(super) fn new(bits: u8) -> Self {
        let mut table = Table::default();
        table.begin(u32::from(bits - 1));
        Self {
            plain: Vec::new(),
            start: 0,
            table,
            bits,
        }
    }

    pub(super) const fn size(&self) -> usize {
        self.plain.capacity() + self.table.size()
    }

    pub(super) fn clear(&mut self) {
        self.plain.clear();
        self.table.begin(u32::from(self.bits - 1));
    }

    const fn window(&self) -> usize {
        1 << self.bits
    }

    /// The most that is kept, so that not each message moves all that was before.
    const fn most(&self) -> usize {
        self.window() + self.window() / 2
    }

    /// Forgets all but the last `rest` bytes.
    fn forget(&mut self, rest: usize) {
        let old = self.plain.len().saturating_sub(rest);
        self.plain.drain(..old);
        self.start = self.start.wrapping_add(old as u16);
    }

    fn grow(&mut self, size: usize) {
        if size > self.plain.capacity() {
            let room = size.next_power_of_two().min(self.most());
            self.plain.reserve_exact(room - self.plain.len());
        }
    }
}

#[cfg(test)]
mod tests;
