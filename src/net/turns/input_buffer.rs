//! Input that waits to be used.

use crate::link::Account;
use crate::net::stores::placed::Placed;

/// Up to this size memory grows fourfold.
const STEP: usize = 1 << 20;
/// From this size on it has its place in a page: what is smaller is not at the
/// same place of each page.
const PLACED: usize = 128 << 10;

/// Read and unused bytes: the front of a message, or what a peer sent ahead.
///
/// Memory is initialised when made or grown, never per read.
#[derive(Debug, Default)]
pub(crate) struct InputBuffer {
    memory: Placed, // all of it initialised
    start: usize,   // start <= end <= memory.len()
    end: usize,
    /// The link asked for more bytes: feeding it these is not worth it.
    pub(super) is_short: bool,
}

impl InputBuffer {
    pub(super) const fn len(&self) -> usize {
        self.end - self.start
    }

    pub(super) fn size(&self) -> usize {
        self.memory.len()
    }

    #[cfg(test)]
    const fn capacity(&self) -> usize {
        self.memory.capacity()
    }

    pub(crate) fn charge_to(&mut self, account: Option<&Account>) {
        self.memory.charge_to(account);
    }

    /// How much more memory a read of `n` bytes behind what waits would take.
    pub(super) fn growth(&self, n: usize) -> usize {
        match self.fits(n) || self.can_slide(n) {
            true => 0,
            false => self.next_size(n).saturating_sub(self.memory.len()),
        }
    }

    fn fits(&self, more: usize) -> bool {
        self.memory.len() - self.end >= more
    }

    /// Whether sliding makes the room, at no more cost than what was used.
    fn can_slide(&self, more: usize) -> bool {
        self.memory.len() - self.len() >= more && self.start >= self.len()
    }

    fn next_size(&self, more: usize) -> usize {
        let len = self.len();
        (len + more).max((4 * len).min(2 * len.max(STEP)))
    }

    pub(crate) fn bytes(&mut self) -> &mut [u8] {
        &mut self.memory[self.start..self.end]
    }

    pub(super) fn advance(&mut self, used: usize) {
        self.start += used.min(self.len());
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Keeps a copy of `bytes` in place of what was there.
    pub(super) fn fill(&mut self, bytes: &[u8]) {
        (self.start, self.end) = (0, 0);
        self.reserve(bytes.len());
        self.memory[..bytes.len()].copy_from_slice(bytes);
        self.end = bytes.len();
    }

    /// Lends at least `least` bytes behind what waits. If memory must grow, that of `large` is
    /// taken if enough.
    pub(crate) fn room(&mut self, least: usize, large: &mut Placed) -> &mut [u8] {
        let len = self.len();
        if self.memory.len() - self.end < least && large.len() >= len + least {
            large[..len].copy_from_slice(&self.memory[self.start..self.end]);
            large.charge_to(self.memory.account());
            self.memory = core::mem::take(large);
            (self.start, self.end) = (0, len);
        }
        self.reserve(least);
        &mut self.memory[self.end..]
    }

    pub(super) fn take_memory(&mut self) -> Placed {
        (self.start, self.end) = (0, 0);
        core::mem::take(&mut self.memory)
    }

    /// `n` bytes of the room have been filled.
    pub(super) fn filled(&mut self, n: usize) {
        self.end = (self.end + n).min(self.memory.len());
    }

    /// Forgets everything; keeps memory up to `most` bytes.
    pub(super) fn clear(&mut self, most: usize) {
        (self.start, self.end, self.is_short) = (0, 0, false);
        if self.memory.len() > most {
            self.memory = Placed::default();
        }
    }

    /// Makes room for `more` bytes: by sliding, then fourfold memory, or twofold from 1 MiB on.
    /// What has arrived sets the size.
    fn reserve(&mut self, more: usize) {
        if self.fits(more) {
            return;
        }
        let waiting = self.start..self.end;
        let len = waiting.len();
        if self.can_slide(more) {
            self.memory.copy_within(waiting, 0);
        } else {
            let size = self.next_size(more);
            let mut memory = if size < PLACED {
                Placed::anywhere(size)
            } else {
                Placed::new(size)
            };
            memory[..len].copy_from_slice(&self.memory[waiting]);
            memory.charge_to(self.memory.account());
            self.memory = memory;
        }
        (self.start, self.end) = (0, len);
    }
}

#[cfg(test)]
mod tests;
