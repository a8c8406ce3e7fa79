//! The content of a response, between the connection and the caller.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::mem;

use super::decode::Decode;
use super::error::ErrorKind;

/// What was received and not yet taken, and what was decoded of it.
#[derive(Default)]
pub(super) struct Content {
    received: Vec<u8>,
    /// How much of that was used.
    used: usize,
    decoding: Option<Decoding>,
    /// Nothing more will be received.
    ended: bool,
    /// What was taken since it was asked last.
    taken: usize,
    /// How much of what was received counts as taken, where all of it is kept.
    credited: usize,
}

struct Decoding {
    coding: Box<dyn Decode>,
    decoded: Vec<u8>,
    used: usize,
    /// How much more there may be.
    left: u64,
}

impl Content {
    /// Decodes what comes, at most `most` bytes.
    pub(super) fn decode_by(&mut self, coding: Box<dyn Decode>, most: u64) {
        self.decoding = Some(Decoding {
            coding,
            decoded: Vec::new(),
            used: 0,
            left: most,
        });
    }

    /// Takes what was received.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.used > self.received.len() / 2 {
            self.received.drain(..self.used);
            self.used = 0;
        }
        self.received.extend_from_slice(bytes);
    }

    /// Nothing more will be received.
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
        while decoding.used == decoding.decoded.len() {
            decoding.decoded.clear();
            decoding.used = 0;
            let input = self.received.get(self.used..).unwrap_or_default();
            if input.is_empty() && self.ended && decoding.coding.can_end() {
                return Ok(());
            }
            let used = decoding.coding.decode(input, &mut decoding.decoded);
            let used = used.map_err(ErrorKind::Coding)?;
            self.used += used;
            self.taken += used;
            let decoded = decoding.decoded.len();
            let left = decoding.left.checked_sub(decoded as u64);
            decoding.left = left.ok_or(ErrorKind::TooLarge("decoded"))?;
            if used == 0 && decoded == 0 {
                return match self.ended {
                    true => Err(ErrorKind::Coding(
                        "the body ends in the middle of its coding",
                    )),
                    false => Ok(()),
                };
            }
        }
        Ok(())
    }

    /// The piece that is there; empty if there is none.
    pub(super) fn piece(&self) -> &[u8] {
        let piece = match &self.decoding {
            None => self.received.get(self.used..),
            Some(decoding) => decoding.decoded.get(decoding.used..),
        };
        piece.unwrap_or_default()
    }

    /// Takes the first bytes of the piece.
    pub(super) fn consume(&mut self, bytes: usize) {
        match &mut self.decoding {
            None => {
                self.used += bytes;
                self.taken += bytes;
            }
            Some(decoding) => decoding.used += bytes,
        }
    }

    /// How many received bytes were taken since this was asked last.
    pub(super) const fn take_taken(&mut self) -> usize {
        mem::replace(&mut self.taken, 0)
    }

    /// Counts what was received as taken, though it is kept: a caller who wants all of it
    /// has the server go on.
    pub(super) const fn credit(&mut self) {
        self.taken += self.received.len() - self.credited;
        self.credited = self.received.len();
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

    /// Gives up the memory of all that has come, if that is the whole content and nothing
    /// of it was taken.
    pub(super) fn take_whole(&mut self) -> Option<Vec<u8>> {
        (self.ended && self.is_untouched()).then(|| mem::take(&mut self.received))
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
