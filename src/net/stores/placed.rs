//! Memory at a chosen place of its page.

use alloc::{vec, vec::Vec};
use core::ops::{Deref, DerefMut};

use crate::link::{Account, Charge};

/// Bytes of a page, on most systems.
const PAGE: usize = 4096;
/// Where in its page the memory begins.
const PLACE: usize = PAGE / 2;

/// Zeroed bytes from the middle of a page on.
///
/// The kernel keeps received bytes from the start of a page, where large allocations begin,
/// too; processors copy 2 to 4 times as slowly between places that are alike within the page.
#[derive(Debug, Default)]
pub(crate) struct Placed {
    memory: Vec<u8>,
    from: usize, // <= memory.len()
    charge: Charge,
}

impl Placed {
    /// So many bytes in the middle of a page; a page more is held.
    pub(crate) fn new(len: usize) -> Self {
        let mut memory = vec![0; len + PAGE];
        let address = memory.as_ptr().addr();
        let from = PLACE.wrapping_sub(address) % PAGE;
        memory.truncate(from + len);
        Self {
            memory,
            from,
            charge: Charge::NONE,
        }
    }

    pub(crate) fn anywhere(len: usize) -> Self {
        Self {
            memory: vec![0; len],
            from: 0,
            charge: Charge::NONE,
        }
    }

    pub(crate) fn charge_to(&mut self, account: Option<&Account>) {
        self.charge.set(self.memory.capacity());
        self.charge.move_to(account);
    }

    pub(crate) const fn account(&self) -> Option<&Account> {
        self.charge.account()
    }

    #[cfg(test)]
    pub(crate) const fn capacity(&self) -> usize {
        self.memory.capacity()
    }
}

impl Deref for Placed {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.memory[self.from..]
    }
}

impl DerefMut for Placed {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.memory[self.from..]
    }
}

#[cfg(test)]
mod tests;
