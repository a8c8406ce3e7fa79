//! The unpredictable bytes of a WebSocket client: its key, and a mask for each frame.

use alloc::boxed::Box;
use core::fmt;
use std::io;

use crate::net::Random;

type Filling = Box<dyn FnMut(&mut [u8]) + Send>;

enum Source {
    System(Box<Random>),
    // In a box of its own, so that a connection is no larger for it.
    Given(Box<Filling>),
}

impl Source {
    #[inline]
    fn take<const N: usize>(&mut self) -> [u8; N] {
        match self {
            Self::System(random) => random.take(),
            Self::Given(source) => {
                let mut bytes = [0; N];
                source(&mut bytes);
                bytes
            }
        }
    }
}

/// Where masks come from. A connection that is no WebSocket owns no source.
pub(crate) struct Masks {
    source: Option<Source>,
}

impl Masks {
    pub(super) const NONE: Self = Self { source: None };

    /// Draws from here, rather than from the system.
    pub(super) fn draw_from(&mut self, source: impl FnMut(&mut [u8]) + Send + 'static) {
        self.source = Some(Source::Given(Box::new(Box::new(source))));
    }

    /// Draws the key of a handshake. All masks come from its source.
    ///
    /// # Errors
    /// The system has no unpredictable bytes.
    pub(crate) fn key(&mut self) -> io::Result<[u8; 16]> {
        let source = match self.source.take() {
            Some(source) => source,
            None => Source::System(Box::new(Random::new()?)),
        };
        Ok(self.source.insert(source).take())
    }

    /// The mask of one frame; zeros on a connection that masks nothing.
    pub(super) fn next(&mut self) -> [u8; 4] {
        self.source.as_mut().map_or([0; 4], Source::take)
    }
}

impl fmt::Debug for Masks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Masks") // what it holds is secret
    }
}

#[cfg(test)]
mod tests;
