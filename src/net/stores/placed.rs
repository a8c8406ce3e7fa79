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
/// nothing was under way before, and large allocations begin 16 bytes behind
/// one. Processors copy two to four times as slowly to where the place within
/// the page is that of the source, or up to 64 bytes behind it. So a message is
/// read to, and written from, half a page away.
#[derive(Debug, Default)]
pub(in crate::net) struct Placed {
    memory: Vec<u8>,
    from: usize, // <= memory.len()
    charge: Charge,
}

impl Placed {
    /// So many bytes in the middle of a page; a page more is held.
    pub(in crate::net) fn new(len: usize) -> Self {
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
    pub(in crate::net) fn anywhere(len: usize) -> Self {
        Self {
            memory: vec![0; len],
            from: 0,
            charge: Charge::NONE,
        }
    }

    /// Charges it to an account from here on.
    pub(in crate::net) fn charge_to(&mut self, account: Option<&Account>) {
        self.charge.set(self.memory.capacity());
        self.charge.move_to(account);
    }

    /// Who is charged for it.
    pub(in crate::net) const fn account(&self) -> Option<&Account> {
        self.charge.account()
    }

    /// Bytes of memory held.
    #[cfg(test)]
    pub(in crate::net) const fn capacity(&self) -> usize {
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
mod tests {
    use super::*;

    #[test]
    fn memory_begins_in_the_middle_of_a_page() {
        for len in [0, 1, 1000, PAGE, 66_560, 1 << 20] {
            let mut placed = Placed::new(len);
            assert_eq!((placed.len(), placed.as_ptr().addr() % PAGE), (len, PLACE));
            placed.fill(7);
            assert!(placed.capacity() >= len + PAGE);
            assert_eq!(Placed::anywhere(len).len(), len);
        }
    }
}
