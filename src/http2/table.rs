//! A table over stream numbers.

use alloc::vec::Vec;

/// An entry of a [`Table`]: it has a stream's number.
pub(crate) trait Numbered {
    fn number(&self) -> u32;
}

/// Streams by number, in an open-addressed table: open streams' numbers are dense, so the first
/// look nearly always hits. Allocates with the first stream and doubles.
#[derive(Debug)]
pub(crate) struct Table<T> {
    slots: Vec<Option<T>>, // a power of two, at most half of them taken
    len: usize,
}

impl<T: Numbered> Table<T> {
    pub(crate) const fn new() -> Self {
        Self {
            slots: Vec::new(),
            len: 0,
        }
    }

    #[inline]
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) const fn memory(&self) -> usize {
        self.slots.capacity() * size_of::<Option<T>>()
    }

    #[inline]
    pub(crate) fn get(&self, id: u32) -> Option<&T> {
        self.slots.get(self.find(id)?)?.as_ref()
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, id: u32) -> Option<&mut T> {
        let slot = self.find(id)?;
        self.slots.get_mut(slot)?.as_mut()
    }

    #[inline]
    pub(crate) fn insert(&mut self, stream: T) {
        // Half of the slots stay free, so that a search is short and ends.
        if (self.len + 1) * 2 > self.slots.len() {
            self.grow();
        }
        let mut slot = self.home(stream.number());
        while self.slots.get(slot).is_some_and(Option::is_some) {
            slot = self.next(slot);
        }
        if let Some(free) = self.slots.get_mut(slot) {
            *free = Some(stream);
            self.len += 1;
        }
    }

    /// Removes a stream if `judge`, which sees it last, says so; whether it did.
    #[inline]
    pub(crate) fn remove_if(&mut self, id: u32, judge: impl FnOnce(&mut T) -> bool) -> bool {
        let Some(at) = self.find(id) else {
            return false;
        };
        let Some(found) = self.slots.get_mut(at) else {
            return false;
        };
        if !found.as_mut().is_some_and(judge) {
            return false;
        }
        *found = None;
        self.close_gap(at);
        true
    }

    /// Moves back the streams that were pushed beyond a place that is free now.
    #[inline]
    fn close_gap(&mut self, mut hole: usize) {
        let mut slot = self.next(hole);
        while let Some(Some(stream)) = self.slots.get(slot) {
            let mask = self.slots.len() - 1;
            let pushed = slot.wrapping_sub(self.home(stream.number())) & mask;
            if pushed >= slot.wrapping_sub(hole) & mask {
                self.slots.swap(slot, hole); // both lie within
                hole = slot;
            }
            slot = self.next(slot);
        }
        self.len -= 1;
    }

    pub(crate) fn release(&mut self) {
        if self.len == 0 {
            self.slots = Vec::new();
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().flatten()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.slots.iter_mut().flatten()
    }

    #[inline]
    fn find(&self, id: u32) -> Option<usize> {
        let mut slot = self.home(id);
        loop {
            // Half the slots are free, so the search ends.
            match self.slots.get(slot)? {
                None => return None,
                Some(taken) if taken.number() == id => return Some(slot),
                Some(_) => slot = self.next(slot),
            }
        }
    }

    #[inline]
    const fn home(&self, id: u32) -> usize {
        (id >> 1) as usize & self.slots.len().wrapping_sub(1)
    }

    #[inline]
    const fn next(&self, slot: usize) -> usize {
        (slot + 1) & self.slots.len().wrapping_sub(1)
    }

    #[cold]
    fn grow(&mut self) {
        let size = (self.slots.len() * 2).max(4);
        let free = (0..size).map(|_| None).collect();
        let old = core::mem::replace(&mut self.slots, free);
        self.len = 0;
        for stream in old.into_iter().flatten() {
            self.insert(stream);
        }
    }
}

#[cfg(test)]
mod tests;
