//! A source of unpredictable bytes: a loop's, or that of a client's WebSocket.

use core::fmt;
use sha1::{Digest, Sha1};
use std::io;

/// Bytes drawn from the system at a time.
const DRAW: usize = 256;

/// Unpredictable bytes, drawn from the system in batches: one system call for
/// 64 WebSocket masks. Every byte is handed out once and wiped.
pub(crate) struct Random {
    buffer: [u8; DRAW],
    used: usize, // <= DRAW
    secret: [u8; 32],
    draws: u64,
}

impl Random {
    /// A source that has proved to work.
    pub(crate) fn new() -> io::Result<Self> {
        let mut random = Self {
            buffer: [0; DRAW],
            used: DRAW,
            secret: [0; 32],
            draws: 0,
        };
        getrandom::fill(&mut random.secret)
            .map_err(|error| io::Error::other(alloc::string::ToString::to_string(&error)))?;
        Ok(random)
    }

    /// Fills `into`.
    pub(crate) fn fill(&mut self, into: &mut [u8]) {
        let mut rest = into;
        while !rest.is_empty() {
            if self.used == DRAW {
                self.draw();
            }
            let n = rest.len().min(DRAW - self.used);
            let (front, back) = rest.split_at_mut(n);
            let drawn = &mut self.buffer[self.used..self.used + n];
            front.copy_from_slice(drawn);
            drawn.fill(0);
            self.used += n;
            rest = back;
        }
    }

    /// Draws a new batch. A system whose source worked once does not fail
    /// later; should it, hashes of a secret drawn at the start stand in:
    /// predictable bytes never leave here.
    fn draw(&mut self) {
        if getrandom::fill(&mut self.buffer).is_err() {
            self.expand();
        }
        self.used = 0;
    }

    /// Fills the buffer with SHA-1 of the secret and a counter.
    fn expand(&mut self) {
        for block in self.buffer.chunks_mut(20) {
            self.draws += 1;
            let digest = Sha1::new()
                .chain_update(self.secret)
                .chain_update(self.draws.to_be_bytes())
                .finalize();
            block.copy_from_slice(&digest[..block.len()]);
        }
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random") // what it holds is secret
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;

    #[test]
    fn no_mask_comes_twice() {
        let mut random = Random::new().unwrap();
        let masks: BTreeSet<[u8; 8]> = (0..10_000)
            .map(|_| {
                let mut mask = [0; 8];
                random.fill(&mut mask);
                mask
            })
            .collect();
        assert_eq!(masks.len(), 10_000);
    }

    #[test]
    fn a_fill_longer_than_a_batch_is_whole() {
        let mut random = Random::new().unwrap();
        let mut long = [0; 3 * DRAW + 5];
        random.fill(&mut long);
        for chunk in long.chunks(32) {
            assert!(chunk.len() < 32 || chunk.iter().any(|&b| b != 0));
        }
    }

    #[test]
    fn the_stand_in_differs_between_draws_and_sources() {
        let (mut a, mut b) = (Random::new().unwrap(), Random::new().unwrap());
        a.expand();
        b.expand();
        assert_ne!(a.buffer, b.buffer);
        let first = a.buffer;
        a.expand();
        assert_ne!(a.buffer, first);
    }
}
