//! Bytes that are appended often and in small pieces.

use alloc::vec::Vec;

use crate::link::{Account, Charge};

/// What the memory grows to at least, and in steps of, in bytes.
const STEP: usize = 4096;

/// Bytes one behind the other. The memory is longer than what is in it, so that
/// appending is one comparison and a copy, whose size the compiler often knows.
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

    /// Bytes of memory held.
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

    /// Appends the first `n` of `bytes`, of which it may copy all.
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

    /// Charges it to an account from here on.
    pub(super) fn charge_to(&mut self, account: &Account) {
        self.charge.move_to(Some(account));
    }

    /// Forgets all, and gives back what is beyond `most` bytes.
    pub(super) fn shrink_to(&mut self, most: usize) {
        self.len = 0;
        self.memory.truncate(most);
        self.memory.shrink_to(most);
        self.charge.set(self.memory.capacity());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec;

    proptest! {
        #[test]
        fn it_behaves_like_a_vector(steps in prop::collection::vec((0..7u8, 0..9000usize), 0..40)) {
            let (mut gathered, mut model) = (Gathered::new(), Vec::new());
            for (n, (step, size)) in steps.into_iter().enumerate() {
                let n = n as u8;
                match step {
                    0 => {
                        gathered.put(&vec![n; size]);
                        model.extend(vec![n; size]);
                    }
                    1 => {
                        gathered.put_front(&[n; 64], size % 80);
                        model.extend(vec![n; (size % 80).min(64)]);
                    }
                    2 => {
                        gathered.space(size).fill(n);
                        model.extend(vec![n; size]);
                    }
                    3 => {
                        gathered.truncate(size);
                        model.truncate(size);
                    }
                    4 => {
                        gathered.advance(size);
                        model.drain(..size.min(model.len()));
                    }
                    5 => {
                        let (few, many) = (vec![n; size / 7], vec![!n; size]);
                        gathered.put_all([&few, b"", &many]);
                        model.extend(few);
                        model.extend(many);
                    }
                    _ => {
                        gathered.shrink_to(size);
                        model.clear();
                        prop_assert!(gathered.capacity() <= size.max(8));
                    }
                }
                prop_assert_eq!(gathered.as_slice(), &model[..]);
                prop_assert_eq!((gathered.len(), gathered.is_empty()), (model.len(), model.is_empty()));
            }
        }
    }
}
