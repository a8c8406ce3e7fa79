//! The unpredictable bytes of a WebSocket client: its key, and a mask for each frame.

use alloc::boxed::Box;
use core::fmt;
use std::io;

use crate::net::Random;

type Source = Box<dyn FnMut(&mut [u8]) + Send>;

/// Where masks come from. A connection that is no WebSocket owns no source.
pub(crate) struct Masks {
    source: Option<Source>,
}

impl Masks {
    pub(super) const NONE: Self = Self { source: None };

    /// Draws from here, rather than from the system.
    pub(super) fn draw_from(&mut self, source: impl FnMut(&mut [u8]) + Send + 'static) {
        self.source = Some(Box::new(source));
    }

    /// Draws the key of a handshake. All masks come from its source.
    ///
    /// # Errors
    /// The system has no unpredictable bytes.
    pub(crate) fn key(&mut self) -> io::Result<[u8; 16]> {
        let source = match self.source.take() {
            Some(source) => source,
            None => {
                let mut random = Box::new(Random::new()?);
                Box::new(move |into: &mut [u8]| random.fill(into))
            }
        };
        let mut key = [0; 16];
        self.source.insert(source)(&mut key);
        Ok(key)
    }

    /// The mask of one frame; zeros on a connection that masks nothing.
    pub(super) fn next(&mut self) -> [u8; 4] {
        let mut mask = [0; 4];
        if let Some(source) = &mut self.source {
            source(&mut mask);
        }
        mask
    }
}

impl fmt::Debug for Masks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Masks") // what it holds is secret
    }
}

#[cfg(test)]
mod tests;
