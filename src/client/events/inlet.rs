//! The bytes of a body that no event has taken yet.

use alloc::vec::Vec;

/// Memory that is kept while nothing is in it.
const KEPT: usize = 64 << 10;

/// What has arrived of a body and belongs to no event that was given out.
#[derive(Debug, Default)]
pub(super) struct Inlet {
    bytes: Vec<u8>,
    at: usize,
}

impl Inlet {
    /// What the next event is looked for in.
    pub(super) fn unread(&mut self) -> &mut [u8] {
        self.bytes.get_mut(self.at..).unwrap_or_default()
    }

    /// So many bytes at the front are done with.
    pub(super) fn take(&mut self, used: usize) {
        self.at += used;
        if self.at < self.bytes.len() {
            return;
        }
        self.at = 0;
        self.bytes.clear();
        if self.bytes.capacity() > KEPT {
            self.bytes = Vec::new();
        }
    }

    /// Further bytes have come. What was done with goes, so that a byte moves at most
    /// once for each piece in which an event has ended.
    pub(super) fn fill(&mut self, piece: &[u8]) {
        if self.at > 0 {
            self.bytes.drain(..self.at);
            self.at = 0;
        }
        self.bytes.extend_from_slice(piece);
    }

    /// Nothing of it belongs to what comes next.
    pub(super) fn clear(&mut self) {
        self.take(self.bytes.len() - self.at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_comes_again_in_front_of_what_arrives() {
        let mut inlet = Inlet::default();
        inlet.fill(b"abc");
        inlet.take(2);
        assert_eq!(inlet.unread(), b"c");
        inlet.fill(b"def");
        assert_eq!(inlet.unread(), b"cdef");
        inlet.take(4);
        assert_eq!(inlet.unread(), b"");
        inlet.fill(b"g");
        assert_eq!(inlet.unread(), b"g");
        inlet.clear();
        assert_eq!(inlet.unread(), b"");
    }

    #[test]
    fn memory_of_a_large_event_is_given_back() {
        let mut inlet = Inlet::default();
        inlet.fill(&[0; 2 * KEPT]);
        inlet.take(2 * KEPT);
        assert_eq!(inlet.bytes.capacity(), 0);
        inlet.fill(&[0; 100]);
        inlet.take(100);
        assert!(
            inlet.bytes.capacity() >= 100,
            "and that of a small one kept"
        );
    }
}
