//! A lent state to inflate with.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::{Inflate, Tally};
use crate::wire::partly_shown;

const SPARE: usize = 4;
const USUAL: usize = 64 << 10;

type Make = fn() -> Box<dyn Inflate>;

/// Memory that machines are lent to inflate with: states, and one buffer for the
/// inflated bytes. It is taken when it is used first.
///
/// ```
/// # #[cfg(feature = "deflate")] {
/// use barewire::wire::codec::Inflater;
///
/// let inflater = Inflater::new();
/// assert_eq!(inflater.held(), 0);
/// # }
/// ```
pub struct Inflater {
    make: Make,
    spare: Vec<Box<dyn Inflate>>,
    states: usize,
    /// Plain text, up to its length.
    plain: Vec<u8>,
    pub(crate) tally: Tally,
}

impl Inflater {
    /// One whose states are those of zlib-rs.
    #[cfg(feature = "deflate")]
    pub fn new() -> Self {
        Self::with(|| Box::new(super::zlib::Inflating::new()))
    }

    /// One whose states are made so.
    pub const fn with(make: Make) -> Self {
        Self {
            make,
            spare: Vec::new(),
            states: 0,
            plain: Vec::new(),
            tally: Tally::NONE,
        }
    }

    /// Bytes of memory that it holds for the next message.
    #[inline]
    pub const fn held(&self) -> usize {
        self.states + self.plain.capacity()
    }

    /// Its work so far.
    #[inline]
    pub const fn tally(&self) -> Tally {
        self.tally
    }

    /// Gives back memory beyond what is usual: to be called once what was inflated last
    /// has been looked at.
    #[inline]
    pub fn trim(&mut self) {
        if self.plain.len() > USUAL {
            self.plain = Vec::new();
        }
    }

    pub(crate) fn take(&mut self) -> Box<dyn Inflate> {
        match self.spare.pop() {
            Some(state) => {
                self.states -= state.size();
                state
            }
            None => (self.make)(),
        }
    }

    pub(crate) fn give_back(&mut self, state: Box<dyn Inflate>) {
        if self.spare.len() < SPARE {
            self.states += state.size();
            self.spare.push(state);
        }
    }

    /// The buffer, of at least `size` bytes.
    pub(crate) fn room(&mut self, size: usize) -> &mut [u8] {
        if self.plain.len() < size {
            self.plain.resize(size, 0);
        }
        &mut self.plain
    }

    pub(crate) const fn plain(&mut self) -> &mut [u8] {
        self.plain.as_mut_slice()
    }
}

#[cfg(feature = "deflate")]
impl Default for Inflater {
    fn default() -> Self {
        Self::new()
    }
}

partly_shown!(it: Inflater { held: it.held() });
