//! A long list whose entries never move.

use alloc::vec::Vec;

const LEAF: usize = 512;

/// Entries by number, in leaves added one by one.
///
/// A list in one piece is copied as it grows and leaves spare room: some ten bytes for each of
/// many connections.
#[derive(Debug)]
pub(crate) struct Table<T> {
    leaves: Vec<Vec<T>>, // all but the last one are full
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Table<T> {
    pub(crate) const fn new() -> Self {
        Self { leaves: Vec::new() }
    }

    #[inline]
    pub(crate) const fn len(&self) -> usize {
        match self.leaves.as_slice() {
            [] => 0,
            [full @ .., last] => full.len() * LEAF + last.len(),
        }
    }

    #[inline(always)]
    pub(crate) fn get(&self, at: usize) -> Option<&T> {
        self.leaves.get(at / LEAF)?.get(at % LEAF)
    }

    #[inline(always)]
    pub(crate) fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        self.leaves.get_mut(at / LEAF)?.get_mut(at % LEAF)
    }

    pub(crate) fn push(&mut self, entry: T) {
        let is_only = self.leaves.len() == 1;
        match self.leaves.last_mut() {
            Some(leaf) if leaf.len() < LEAF => {
                // The first one grows bit by bit: many tables stay small.
                if is_only && leaf.len() == leaf.capacity() {
                    leaf.reserve_exact((leaf.len() / 4 + 4).min(LEAF - leaf.len()));
                }
                leaf.push(entry);
            }
            _ => {
                let room = if self.leaves.is_empty() { 4 } else { LEAF };
                let mut leaf = Vec::with_capacity(room);
                leaf.push(entry);
                self.leaves.push(leaf);
            }
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.leaves.iter().flatten()
    }
}

#[cfg(test)]
mod tests;
