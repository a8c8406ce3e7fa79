//! Bytes that are appended at the end and used up in front.

use alloc::vec::Vec;
use core::mem;

use super::{Account, Charge, Full};

/// A buffer drained in front: used bytes stay until they outweigh the others, so that moving
/// costs each byte once.
///
/// ```text
///   | used | unused ............. |
///           ^ used                 ^ bytes.len()
/// ```
///
/// Charged to its account, if any.
#[derive(Debug, Default)]
pub(crate) struct DrainBuffer {
    bytes: Vec<u8>,
    used: usize, // <= bytes.len()
    charge: Charge,
}

impl DrainBuffer {
    pub(crate) const fn new() -> Self {
        Self::with_memory(Vec::new())
    }

    pub(crate) const fn with_memory(memory: Vec<u8>) -> Self {
        Self {
            bytes: memory,
            used: 0,
            charge: Charge::NONE,
        }
    }

    pub(crate) fn charge_to(&mut self, account: Option<&Account>) {
        self.charge.move_to(account);
        self.book();
    }

    pub(crate) const fn is_charged(&self) -> bool {
        self.charge.account().is_some()
    }

    fn book(&mut self) {
        self.charge.set(self.bytes.capacity());
    }

    pub(crate) const fn memory(&self) -> usize {
        self.bytes.capacity()
    }

    pub(crate) const fn len(&self) -> usize {
        self.bytes.len() - self.used // used <= len
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn unused(&self) -> &[u8] {
        self.bytes.get(self.used..).unwrap_or_default()
    }

    /// The unused bytes, for a machine that changes them in place.
    pub(crate) fn unused_mut(&mut self) -> &mut [u8] {
        self.bytes.get_mut(self.used..).unwrap_or_default()
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.compact();
        self.bytes.extend_from_slice(bytes);
        self.book();
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// [`Full`] if the account has no room; nothing is appended.
    pub(crate) fn try_push(&mut self, bytes: &[u8]) -> Result<(), Full> {
        self.compact();
        let (len, held) = (self.bytes.len() + bytes.len(), self.bytes.capacity());
        if len > held {
            let size = len.max(2 * held);
            self.charge.try_grow(size - self.charge.bytes().min(size))?;
            self.bytes.reserve_exact(size - self.bytes.len());
            self.book();
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// Appends bytes, taking their memory if the buffer is empty.
    pub(crate) fn push_owned(&mut self, bytes: Vec<u8>) {
        if !self.is_empty() {
            return self.push(&bytes);
        }
        (self.bytes, self.used) = (bytes, 0);
        self.book();
    }

    /// Notes that the first `n` bytes, or all, are used. They stay until something is appended.
    pub(crate) const fn advance(&mut self, n: usize) {
        let len = self.len();
        self.used += if n < len { n } else { len };
    }

    /// Uses and lends the first `n` bytes, or all.
    pub(crate) fn take(&mut self, n: usize) -> &mut [u8] {
        let from = self.used;
        self.advance(n);
        self.bytes.get_mut(from..self.used).unwrap_or_default()
    }

    /// Gives the memory back if all has been used, down to `most` bytes.
    pub(crate) fn release(&mut self, most: usize) {
        if self.is_empty() {
            self.clear();
            self.bytes.shrink_to(most);
            self.book();
        }
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.used = 0;
    }

    pub(crate) fn take_memory(&mut self) -> Vec<u8> {
        self.clear();
        let memory = mem::take(&mut self.bytes);
        self.book();
        memory
    }

    fn compact(&mut self) {
        if self.used > 0 && self.used >= self.len() {
            self.bytes.drain(..self.used); // used <= len
            self.used = 0;
        }
    }
}

#[cfg(test)]
mod tests;
