//! Unpredictable bytes for masks.

use alloc::boxed::Box;
use core::fmt;

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
