//! Bytes that are appended often and in small pieces.

use alloc::vec::Vec;

use crate::link::{Account, Charge};

/// The least size of the memory, and the steps in which it grows, in bytes.
const STEP: usize = 4096;

/// Bytes in memory longer than they are, so that appending is a comparison and a copy.
///
/// ```text
///  memory  | HTTP/1.1 200 OK ...  | what was there before, or zeros |
///                                 ^ len
/// ```
#[derive(Debug, Default)]
pub(super) struct Gathered {
    memory: Vec<u8>,
    len: usize, // <= memory.len()
    charge: Charge,
}

impl Gathered {
    pub(super) const fn new() -> Self {
        Self {
            memory: Vec::new(),
            len: 0,
            charge: Charge::NONE,
        }
    }

    #[inline(always)]
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    #[inline(always)]
    pub(super) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[inline(always)]
    pub(super) const fn capacity(&self) -> usize {
        self.memory.capacity()
    }

    #[inline(always)]
    pub(super) fn as_slice(&self) -> &[u8] {
        &self.memory[..self.len] // len <= memory.len()
    }

    #[inline(always)]
    pub(super) fn put(&mut self, bytes: &[u8]) {
        self.put_all([bytes]);
    }

    /// Appends pieces, for which it looks once whether there is room.
    #[inline(always)]
    pub(super) fn put_all<const N: usize>(&mut self, pieces: [&[u8]; N]) {
        let end = pieces
            .iter()
            .try_fold(self.len, |end, it| end.checked_add(it.len()));
        if let Some(end) = end
            && let Some(mut place) = self.memory.get_mut(self.len..end)
        {
            for piece in pieces {
                // The place is as long as all pieces.
                let (front, rest) = place.split_at_mut(piece.len());
                front.copy_from_slice(piece);
                place = rest;
            }
            self.len = end;
        } else {
            pieces
                .into_iter()
                .for_each(|piece| self.put_and_grow(piece));
        }
    }

    #[inline(always)]
    pub(super) fn put_front<const N: usize>(&mut self, bytes: &[u8; N], n: usize) {
        let place = self.memory.get_mut(self.len..self.len.saturating_add(N));
        if let Some(place) = place.and_then(|place| place.first_chunk_mut()) {
            *place = *bytes;
            self.len += n.min(N);
        } else {
            self.put_and_grow(bytes.get(..n).unwrap_or(bytes));
        }
    }

    #[cold]
    #[inline(never)]
    fn put_and_grow(&mut self, bytes: &[u8]) {
        self.space(bytes.len()).copy_from_slice(bytes);
    }

    /// Appends `n` bytes, whatever they are, and lends them for writing.
    #[inline]
    pub(super) fn space(&mut self, n: usize) -> &mut [u8] {
        if n > self.memory.len() - self.len {
            self.grow(n);
        }
        let at = self.len;
        self.len += n;
        &mut self.memory[at..at + n] // there is room for n from `at` on
    }

    /// Makes room for `n` more.
    #[cold]
    fn grow(&mut self, n: usize) {
        let wanted = self.len.saturating_add(n).next_multiple_of(STEP);
        self.memory.reserve(wanted - self.memory.len()); // it is shorter
        self.memory.resize(wanted, 0);
        self.charge.set(self.memory.capacity());
    }

    #[inline(always)]
    pub(super) fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Drops the first `n` bytes, or all if there are fewer.
    pub(super) fn advance(&mut self, n: usize) {
        let n = n.min(self.len);
        self.memory.copy_within(n..self.len, 0);
        self.len -= n;
    }

    pub(super) fn charge_to(&mut self, account: &Account) {
        self.charge.move_to(Some(account));
    }

    /// Forgets all, and frees what is beyond `most` bytes.
    pub(super) fn shrink_to(&mut self, most: usize) {
        self.len = 0;
        self.memory.truncate(most);
        self.memory.shrink_to(most);
        self.charge.set(self.memory.capacity());
    }
}

#[cfg(test)]
mod tests;
