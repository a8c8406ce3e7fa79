//! The work of a lent state.

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Purpose {
    /// Bodies, whose length is known or not.
    Body,
    /// Streams of events, which are many and of which each may have a state: with a small
    /// window, and without head and tail ([`stream`](super::stream) writes these).
    Events,
}

/// How the output ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// More: what can be coded better with it may be kept back.
    More,
    /// Perhaps nothing for a while: all of it has to come out.
    Flush,
    /// Nothing.
    End,
}

/// The library had no memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failed;
