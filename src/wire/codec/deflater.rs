//! A lent state to deflate with.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::Deflate;
use super::Tally;
use super::quick::{Kept, Quick};
use crate::wire::partly_shown;

const LEAST: u8 = 8;
const SIZES: usize = 8;
const USUAL: usize = 64 << 10;

type Make = fn(window_bits: u8) -> Box<dyn Deflate>;

/// How messages are compressed.
///
/// ```
/// use barewire::wire::codec::Compression;
///
/// let compression = Compression { level: 6, ..Compression::DEFAULT };
/// assert_eq!(compression.threshold, 64);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Compression {
    /// From 1, the fastest, to 9, the one that compresses best. Level 1 takes a fraction of
    /// the time and of the memory of the others.
    pub level: u8,
    /// Shorter messages, in bytes, are sent as they are.
    pub threshold: u32,
    /// Whether a connection that refers to earlier messages keeps a state of its own: at
    /// level 1 two and a half times the window, at others 252 KiB to 380 KiB. Else it keeps plain
    /// text alone, and each message begins by reading that again. One that has a state of its own
    /// and refers to 32 KiB in what it receives inflates short messages by one of its own, too:
    /// 47 KiB.
    pub dedicated: bool,
}

impl Compression {
    /// The fastest level, for messages of 64 bytes and more, with states that are lent.
    pub const DEFAULT: Self = Self {
        level: 1,
        threshold: 64,
        dedicated: false,
    };
}

impl Default for Compression {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Memory that machines are lent to deflate with: a small deflater for the fastest level, one
/// state of zlib-rs for each size of window that other levels use, and a buffer. It is taken
/// when it is used first.
///
/// ```
/// use barewire::wire::codec::{Compression, Deflater};
///
/// let mut deflater = Deflater::new();
/// let number = deflater.add(Compression { threshold: 256, ..Compression::DEFAULT });
/// assert_eq!((number, deflater.held()), (1, 0));
/// ```
pub struct Deflater {
    /// Makes the states of other levels than the fastest.
    make: Option<Make>,
    /// The fastest level's deflater, unless a state is made.
    quick: Option<Box<Quick>>,
    quick_levels: u8,
    smallest: u8,
    states: [Option<Box<dyn Deflate>>; SIZES],
    held: usize,
    packed: Vec<u8>,
    /// The compressions that connections name by number, after the first, which is the
    /// default.
    further: Vec<Compression>,
    pub(crate) tally: Tally,
}

/// A state that a connection owns, to refer to earlier messages.
#[derive(Debug)]
pub(crate) enum Dedicated {
    Quick(Kept),
    Made(Box<dyn Deflate>),
}

impl Dedicated {
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Quick(kept) => kept.size(),
            Self::Made(state) => state.size(),
        }
    }

    pub(crate) fn begin(&mut self, level: u8) {
        match self {
            Self::Quick(kept) => kept.clear(),
            Self::Made(state) => state.begin(level, &[]),
        }
    }
}

impl Deflater {
    /// Level 1 by a deflater of this crate, which takes 10 KiB for a window of 4 KiB and
    /// keeps to every size. The others by zlib-rs, with the feature `deflate`; without it
    /// there is no other level.
    pub const fn new() -> Self {
        #[cfg(feature = "deflate")]
        let (make, quick_levels): (Option<Make>, _) = (Some(super::zlib::make), 1);
        #[cfg(not(feature = "deflate"))]
        let (make, quick_levels) = (None, u8::MAX);
        Self::of(make, quick_levels, 9)
    }

    /// One whose states are made so, at all levels, for windows of 2 to the power of the
    /// argument bytes: not smaller than `smallest`. Where a smaller one was agreed on, messages
    /// go plain.
    pub const fn with(smallest: u8, make: Make) -> Self {
        Self::of(Some(make), 0, smallest)
    }

    const fn of(make: Option<Make>, quick_levels: u8, smallest: u8) -> Self {
        Self {
            make,
            quick: None,
            quick_levels,
            smallest,
            states: [const { None }; SIZES],
            held: 0,
            packed: Vec::new(),
            further: Vec::new(),
            tally: Tally::NONE,
        }
    }

    /// Adds a way to compress. Its number is what a connection is told; 0 is
    /// [`Compression::DEFAULT`].
    pub fn add(&mut self, compression: Compression) -> u8 {
        if compression == Compression::DEFAULT {
            return 0;
        }
        let known = self.further.iter().position(|it| *it == compression);
        let at = known.unwrap_or_else(|| {
            self.further.push(compression);
            self.further.len() - 1
        });
        u8::try_from(at + 1).unwrap_or(0)
    }

    #[inline]
    pub(crate) const fn can_do(&self, window_bits: u8) -> bool {
        self.quick_levels > 0 || self.smallest <= window_bits
    }

    /// The maker of states for this level, unless the small deflater serves it.
    fn maker(&self, level: u8, window_bits: u8) -> Option<Make> {
        let is_made = level > self.quick_levels && window_bits >= self.smallest;
        self.make.filter(|_| is_made || self.quick_levels == 0)
    }

    #[inline]
    pub(crate) fn compression(&self, number: u8) -> Compression {
        match usize::from(number).checked_sub(1) {
            None => Compression::DEFAULT,
            Some(at) => self.further.get(at).copied().unwrap_or_default(),
        }
    }

    /// Bytes of memory that it holds for the next message.
    #[inline]
    pub fn held(&self) -> usize {
        let quick = self.quick.as_ref().map_or(0, |it| it.size());
        self.held + quick + self.packed.capacity()
    }

    /// Its work so far.
    #[inline]
    pub const fn tally(&self) -> Tally {
        self.tally
    }

    /// A state of its own for a connection.
    pub(crate) fn make(&self, level: u8, window_bits: u8) -> Dedicated {
        match self.maker(level, window_bits) {
            None => Dedicated::Quick(Kept::new(window_bits)),
            Some(make) => {
                let mut state = make(window_bits);
                state.begin(level, &[]);
                Dedicated::Made(state)
            }
        }
    }

    pub(crate) fn deflate(
        &mut self,
        level: u8,
        window_bits: u8,
        window: &[u8],
        message: &[u8],
    ) -> &[u8] {
        self.packed.clear();
        let Some(make) = self.maker(level, window_bits) else {
            let quick = self.quick.get_or_insert_with(Quick::boxed);
            quick.deflate(window_bits, window, message, &mut self.packed);
            return &self.packed;
        };
        let at = usize::from(window_bits.saturating_sub(LEAST)).min(SIZES - 1);
        if let Some(place) = self.states.get_mut(at) {
            let held = &mut self.held;
            let state = place.get_or_insert_with(|| {
                let state = make(window_bits);
                *held += state.size();
                state
            });
            state.begin(level, window);
            state.deflate(message, &mut self.packed);
        }
        &self.packed
    }

    pub(crate) fn deflate_by(&mut self, state: &mut Dedicated, message: &[u8]) -> &[u8] {
        self.packed.clear();
        match state {
            Dedicated::Quick(kept) => {
                let quick = self.quick.get_or_insert_with(Quick::boxed);
                quick.deflate_behind(kept, message, &mut self.packed);
            }
            Dedicated::Made(state) => state.deflate(message, &mut self.packed),
        }
        &self.packed
    }

    /// Gives back memory beyond what is usual.
    #[inline]
    pub(crate) fn trim(&mut self) {
        if self.packed.capacity() > USUAL {
            self.packed = Vec::new();
        }
    }
}

impl Default for Deflater {
    fn default() -> Self {
        Self::new()
    }
}

partly_shown!(it: Deflater { held: it.held(), further });
