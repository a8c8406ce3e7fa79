//! The work of a lent state.

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Purpose {
    /// Bodies, whose length is known or not.
    Body,
    /// Event streams: many, each perhaps with a state, so with a small window;
    /// [`stream`](super::stream) writes head and tail.
    Events,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// More: what can be coded better with it may be kept back.
    More,
    /// Perhaps nothing for a while: all of it has to come out.
    Flush,
    End,
}

/// The library had no memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failed;
