//! The content of a response, between the connection and the caller.

use alloc::vec::Vec;
use core::fmt;
use core::mem;

use super::error::ErrorKind;
use super::spare;
use crate::coding::decode::Decoding;

/// A content up to this length is copied rather than given up with its memory.
const SHORT: usize = 4 << 10;

/// Received content that was not yet taken, and its decoded form.
#[derive(Default)]
pub(super) struct Content {
    received: Vec<u8>,
    used: usize,
    decoding: Option<Decoding>,
    ended: bool,
    /// Bytes taken since the last question.
    taken: usize,
    /// How much of what was received counts as taken, where all of it is kept.
    credited: usize,
}

impl Content {
    pub(super) fn decode_by(&mut self, decoding: Decoding) {
        self.decoding = Some(decoding);
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.used > self.received.len() / 2 {
            self.received.drain(..self.used);
            self.used = 0;
        }
        if self.received.capacity() == 0 {
            self.received = spare::take_content();
        }
        self.received.extend_from_slice(bytes);
    }

    pub(super) const fn end(&mut self) {
        self.ended = true;
    }

    pub(super) const fn has_ended(&self) -> bool {
        self.ended
    }

    /// Makes the next piece, unless there is one.
    pub(super) fn prepare(&mut self) -> Result<(), ErrorKind> {
        let Some(decoding) = &mut self.decoding else {
            return Ok(());
        };
        let input = self.received.get(self.used..).unwrap_or_default();
        let used = decoding.advance(input, self.ended)?;
        self.used += used;
        self.taken += used;
        Ok(())
    }

    pub(super) fn piece(&self) -> &[u8] {
        match &self.decoding {
            None => self.received.get(self.used..).unwrap_or_default(),
            Some(decoding) => decoding.piece(),
        }
    }

    pub(super) fn consume(&mut self, bytes: usize) {
        match &mut self.decoding {
            None => {
                self.used += bytes;
                self.taken += bytes;
            }
            Some(decoding) => decoding.consume(bytes),
        }
    }

    pub(super) fn decoded(&mut self) -> impl Iterator<Item = (&'static str, usize, usize)> {
        self.decoding.iter_mut().flat_map(Decoding::done)
    }

    pub(super) fn is_passed_on(&self) -> bool {
        self.decoding.is_none() && self.used == self.received.len()
    }

    pub(super) const fn passed_on(&mut self, bytes: usize) {
        self.taken += bytes;
    }

    pub(super) const fn take_taken(&mut self) -> usize {
        mem::replace(&mut self.taken, 0)
    }

    /// Counts what was received as taken, though kept, so that the server goes on.
    pub(super) const fn credit(&mut self) {
        self.taken += self.received.len() - self.credited;
        self.credited = self.received.len();
    }

    pub(super) fn memory(&self) -> usize {
        let decoded = self.decoding.as_ref().map_or(0, Decoding::memory);
        self.received.capacity() + decoded
    }

    /// Whether it is as it came, and nothing was taken.
    pub(super) const fn is_untouched(&self) -> bool {
        self.used == 0 && self.decoding.is_none()
    }

    /// Drops what was received; how much that was.
    pub(super) fn drop_received(&mut self) -> usize {
        let dropped = self.received.len() - self.used;
        self.received.clear();
        self.used = 0;
        self.taken += dropped;
        dropped
    }

    /// All that has come, if complete and untouched. Short content is copied, to reuse the
    /// memory.
    pub(super) fn take_whole(&mut self) -> Option<Vec<u8>> {
        let is_whole = self.ended && self.is_untouched();
        is_whole.then(|| match self.received.len() {
            ..=SHORT => self.received.as_slice().into(),
            _ => mem::take(&mut self.received),
        })
    }

    pub(super) fn give_up(&mut self) -> Vec<u8> {
        mem::take(&mut self.received)
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Content")
            .field("received", &(self.received.len() - self.used))
            .field("is_decoded", &self.decoding.is_some())
            .field("ended", &self.ended)
            .finish()
    }
}
