//! The connections that stay whole though they rest.

use alloc::vec::Vec;
use core::time::Duration;

use crate::net::Key;
use crate::wire::Instant;

/// How often some of those that are kept are looked at.
const TICK: Duration = Duration::from_millis(125);
/// How many looks go round them all.
const ROUND: usize = 8;
/// Room that the other list keeps while none is kept.
const FEW: usize = 16;
/// One that is wanted again after at most so many epochs is kept.
const SOON: u8 = 2;

/// About a second of the clock, of which 64 are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Epoch(u8);

impl Epoch {
    pub(super) const fn of(now: Instant) -> Self {
        Self::from_bits((now.as_nanos() >> 30) as u8)
    }

    pub(super) const fn from_bits(bits: u8) -> Self {
        Self(bits & 63)
    }

    pub(super) const fn bits(self) -> u8 {
        self.0
    }

    /// Whether this was a short while ago.
    pub(super) const fn is_recent(self, now: Self) -> bool {
        now.0.wrapping_sub(self.0) & 63 <= SOON
    }
}

/// Whether a whole connection is packed as soon as it rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Warmth {
    /// It is; no turn has ended since the last look.
    Unlisted,
    /// It is, and will be looked at if too many are whole.
    Listed,
    /// It was packed too soon last time: kept until unused for a second. It was not used since
    /// the last look ...
    Kept,
    KeptInUse,
}

impl Warmth {
    #[inline]
    pub(crate) fn turn_ended(&mut self) -> bool {
        let (next, is_new) = match self {
            Self::Listed | Self::KeptInUse => return false,
            Self::Unlisted => (Self::Listed, true),
            Self::Kept => (Self::KeptInUse, false),
        };
        *self = next;
        is_new
    }
}

/// The whole connections, by what becomes of them at rest. Some are gone.
#[derive(Debug)]
pub(super) struct Lists {
    pub(super) listed: Vec<Key>,
    kept: Vec<Key>,
    /// Those in front of it are looked at in this round, from behind ...
    hand: usize,
    share: usize,
    next: Instant,
}

/// The result of looking at a connection that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Stays,
    /// It is packed, gone, or listed elsewhere.
    Leaves,
}

impl Lists {
    pub(super) const fn new() -> Self {
        Self {
            listed: Vec::new(),
            kept: Vec::new(),
            hand: 0,
            share: 0,
            next: Instant::START,
        }
    }

    /// Lists one whose turn has ended. Those that are gone make room before the
    /// list grows.
    pub(super) fn list(&mut self, key: Key, is_there: impl Fn(Key) -> bool) {
        if self.listed.len() == self.listed.capacity() {
            self.listed.retain(|&key| is_there(key));
            self.listed.reserve(self.listed.len() + 1); // so that looking costs each the same
        }
        self.listed.push(key);
    }

    pub(super) fn keep(&mut self, key: Key) {
        self.kept.push(key);
    }

    /// Lets those that are kept be packed as soon as possible.
    #[cold]
    pub(super) fn keep_none(&mut self) {
        self.listed.append(&mut self.kept);
    }

    #[inline]
    pub(super) fn next(&self) -> Option<Instant> {
        (!self.kept.is_empty()).then_some(self.next)
    }

    /// Looks at some kept ones, if due: at each once in about a second.
    pub(super) fn look(&mut self, now: Instant, mut look: impl FnMut(Key) -> Look) {
        if now < self.next {
            return;
        }
        self.next = now + TICK;
        if self.hand == 0 {
            self.hand = self.kept.len();
            self.share = self.hand.div_ceil(ROUND);
        }
        for _ in 0..self.share.min(self.hand) {
            self.hand -= 1; // not 0, by the range
            let looked_at = self.kept.get(self.hand).map(|&key| look(key));
            if looked_at == Some(Look::Leaves) {
                // What comes in its place has been looked at in this round.
                self.kept.swap_remove(self.hand);
            }
        }
        if self.kept.is_empty() {
            self.kept = Vec::new();
            self.listed.shrink_to(FEW);
            self.hand = 0;
        }
    }
}
