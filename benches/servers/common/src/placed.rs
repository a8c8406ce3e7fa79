//! Memory at a chosen place of its page.

use std::ops::{Deref, DerefMut};

/// Bytes of a page.
const PAGE: usize = 4096;

/// Zeroed bytes that begin in the middle of a page.
///
/// The kernel keeps what is sent from the beginning of a page on, and copies by
/// `rep movsb`, which is up to four times slower where the other side's place in
/// its page is the same or a few bytes behind, as that of a large allocation
/// is. A floor must not pay for that.
#[derive(Debug)]
pub struct Placed {
    memory: Vec<u8>,
    from: usize,
    length: usize,
}

impl Placed {
    /// So many bytes.
    pub fn new(length: usize) -> Self {
        let memory = vec![0; length + PAGE];
        let from = (PAGE / 2).wrapping_sub(memory.as_ptr().addr()) % PAGE;
        Self {
            memory,
            from,
            length,
        }
    }
}

impl From<&[u8]> for Placed {
    fn from(bytes: &[u8]) -> Self {
        let mut placed = Self::new(bytes.len());
        placed.copy_from_slice(bytes);
        placed
    }
}

impl Deref for Placed {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.memory[self.from..][..self.length]
    }
}

impl DerefMut for Placed {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.memory[self.from..][..self.length]
    }
}
