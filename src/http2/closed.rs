//! The streams that were closed last.

/// How many closed streams are remembered.
const REMEMBERED: usize = 32;

/// The streams that were closed last, and by whom: frames that the peer sent
/// before it knew are its right, others are not.
#[derive(Debug)]
pub(super) struct Closed {
    ring: [u32; REMEMBERED], // number * 2 + whether we have reset it; 0: none
    next: u8,                // < REMEMBERED
    forgetful: bool,
}

/// The record of a stream that is not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Past {
    /// We have reset it: the peer may not know yet.
    Reset,
    /// It came to its end, or the peer has reset it.
    Ended,
    /// Nothing; it was never opened, or so long ago that it is forgotten.
    Unknown,
}

impl Closed {
    pub(super) const fn new() -> Self {
        Self {
            ring: [0; REMEMBERED],
            next: 0,
            forgetful: false,
        }
    }

    pub(super) fn push(&mut self, id: u32, reset: bool) {
        if let Some(place) = self.ring.get_mut(self.next as usize) {
            // Only a reset of ours excuses late frames, so that only forgetting one matters.
            self.forgetful |= *place & 1 != 0;
            *place = id << 1 | u32::from(reset);
        }
        self.next = (self.next + 1) % REMEMBERED as u8;
    }

    pub(super) fn find(&self, id: u32) -> Past {
        match self.ring.iter().find(|&&closed| closed >> 1 == id) {
            Some(closed) if closed & 1 != 0 => Past::Reset,
            Some(_) => Past::Ended,
            None => Past::Unknown,
        }
    }

    /// Whether a stream that we have reset may have been forgotten.
    pub(super) const fn is_forgetful(&self) -> bool {
        self.forgetful
    }
}

#[cfg(test)]
mod tests;
