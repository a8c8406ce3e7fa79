//! A source of unpredictable bytes: a loop's, or that of a client's WebSocket.

use alloc::boxed::Box;
use core::fmt;
use std::io;

use sha1::{Digest, Sha1};

/// Bytes drawn from the system at a time.
const DRAW: usize = 256;

/// Unpredictable bytes from the system in batches, each handed out once and wiped.
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

    /// The next few bytes, as masks of frames are.
    #[inline]
    pub(crate) fn take<const N: usize>(&mut self) -> [u8; N] {
        let rest = self.buffer.get_mut(self.used..).unwrap_or_default();
        if let Some(drawn) = rest.first_chunk_mut() {
            self.used += N;
            return core::mem::replace(drawn, [0; N]);
        }
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// Draws a new batch. Should the system fail later, hashes of a secret stand in: bytes stay
    /// unpredictable.
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

type Source = Box<dyn FnMut(&mut [u8])>;

/// A source of unpredictable bytes: the system's, or one that a test knows.
///
/// ```
/// use barewire::net::Entropy;
///
/// let mut counted = 0;
/// let mut entropy = Entropy::new(move |into| {
///     counted += 1;
///     into.fill(counted);
/// });
/// assert_eq!(entropy.take(), [1, 1, 1, 1]);
/// assert_eq!(entropy.take(), [2, 2, 2, 2, 2, 2]);
/// ```
pub struct Entropy {
    source: Source,
}

impl Entropy {
    /// Draws from `source`, which fills what it is given and does its own
    /// batching.
    pub fn new(source: impl FnMut(&mut [u8]) + 'static) -> Self {
        Self {
            source: Box::new(source),
        }
    }

    /// The next `N` bytes.
    pub fn take<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.source)(&mut bytes);
        bytes
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy") // what it holds is secret
    }
}

#[cfg(test)]
mod tests;
