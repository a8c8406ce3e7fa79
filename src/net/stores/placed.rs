//! Memory at a chosen place of its page.

use alloc::{vec, vec::Vec};
use core::ops::{Deref, DerefMut};

use crate::link::{Account, Charge};

/// Bytes of a page, on most systems.
const PAGE: usize = 4096;
/// Where in its page the memory begins.
const PLACE: usize = PAGE / 2;

/// Zeroed bytes that begin in the middle of a page.
///
/// The kernel keeps what a peer has sent from the beginning of a page on, if
/// nothing was under way before, and large allocations begin 16 bytes after
/// one. Processors copy two to four times as slowly to where the place within
/// the page is that of the source, or up to 64 bytes after it. So a message is
/// read to, and written from, half a page away.
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

    /// So many bytes, wherever they are.
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

    /// Bytes of memory held.
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
