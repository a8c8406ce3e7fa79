//! Input that waits to be used.

use crate::link::Account;
use crate::net::stores::placed::Placed;

/// Up to this size memory grows fourfold.
const STEP: usize = 1 << 20;
/// From this size on it has its place in a page: what is smaller is not at the
/// same place of each page.
const PLACED: usize = 128 << 10;

/// Bytes that were read and not used: the front of a message that has not
/// arrived in full, or what a peer sent ahead.
///
/// The memory is initialised once, when it is made or grown, never per read.
#[derive(Debug, Default)]
pub(in crate::net) struct InputBuffer {
    memory: Placed, // all of it initialised
    start: usize,   // start <= end <= memory.len()
    end: usize,
    /// The link asked for more bytes: feeding it these is not worth it.
    pub(super) is_short: bool,
}

impl InputBuffer {
    /// Bytes waiting.
    pub(in crate::net) const fn len(&self) -> usize {
        self.end - self.start
    }

    /// Bytes that there is room for.
    pub(super) fn size(&self) -> usize {
        self.memory.len()
    }

    /// Bytes of memory held.
    #[cfg(test)]
    const fn capacity(&self) -> usize {
        self.memory.capacity()
    }

    /// Charges it to an account from here on.
    pub(in crate::net) fn charge_to(&mut self, account: Option<&Account>) {
        self.memory.charge_to(account);
    }

    /// How much more memory it would take to read `n` bytes behind what waits.
    pub(super) fn growth(&self, n: usize) -> usize {
        match self.fits(n) || self.can_slide(n) {
            true => 0,
            false => self.next_size(n).saturating_sub(self.memory.len()),
        }
    }

    fn fits(&self, more: usize) -> bool {
        self.memory.len() - self.end >= more
    }

    /// Whether moving what waits to the front makes the room, and costs no more
    /// than what has been used.
    fn can_slide(&self, more: usize) -> bool {
        self.memory.len() - self.len() >= more && self.start >= self.len()
    }

    fn next_size(&self, more: usize) -> usize {
        let len = self.len();
        (len + more).max((4 * len).min(2 * len.max(STEP)))
    }

    /// What waits.
    pub(in crate::net) fn bytes(&mut self) -> &mut [u8] {
        &mut self.memory[self.start..self.end]
    }

    /// Drops `used` bytes from the front.
    pub(super) fn advance(&mut self, used: usize) {
        self.start += used.min(self.len());
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Keeps a copy of `bytes` in place of what was there.
    pub(in crate::net) fn fill(&mut self, bytes: &[u8]) {
        (self.start, self.end) = (0, 0);
        self.reserve(bytes.len());
        self.memory[..bytes.len()].copy_from_slice(bytes);
        self.end = bytes.len();
    }

    /// Lends room behind what waits: at least `least` bytes. Where its own
    /// memory has to grow, that of `large` is taken if it is enough.
    pub(in crate::net) fn room(&mut self, least: usize, large: &mut Placed) -> &mut [u8] {
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

    /// Gives up the memory.
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

    /// Makes room for `more` bytes behind what waits: first by moving it to
    /// the front, then by making the memory four times as large, or twice from
    /// 1 MiB on. What has arrived sets the size, never what was announced.
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
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn bytes_come_out_in_the_order_they_went_in() {
        let (mut input_buffer, mut model) = (InputBuffer::default(), Vec::new());
        let mut large = Placed::new(90);
        for round in 0..200_usize {
            let piece: Vec<u8> = (0..round % 37).map(|i| (round * 31 + i) as u8).collect();
            input_buffer.room(piece.len(), &mut large)[..piece.len()].copy_from_slice(&piece);
            input_buffer.filled(piece.len());
            model.extend_from_slice(&piece);
            let used = (round * 17 % 41).min(model.len());
            input_buffer.advance(used);
            model.drain(..used);
            assert_eq!(input_buffer.bytes(), &model[..], "round {round}");
        }
        input_buffer.fill(b"new");
        assert_eq!(input_buffer.bytes(), b"new");
        input_buffer.clear(0);
        assert_eq!((input_buffer.len(), input_buffer.capacity()), (0, 0));
    }
}
