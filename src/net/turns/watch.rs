//! A connection's notes on its peer while output is under way.

use alloc::boxed::Box;

use crate::wire::Instant;

/// Less than so much in a minute makes no difference.
pub(crate) const MUCH: u64 = 64 << 10;

/// Observations of a peer that output is under way to.
#[derive(Debug)]
pub(crate) struct Watch {
    /// Where the peer was; `None` if nothing was under way.
    pub(super) mark: Option<Mark>,
    /// The counts of bytes sent at two earlier times, at least half a minute apart.
    pub(super) earlier: [(Instant, u64); 2],
    pub(super) asked: Option<AwaitedAnswer>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    /// Bytes that it had taken. It may lie below zero, where what is under way
    /// counts for more than its bytes.
    pub(super) taken: i64,
    pub(super) since: Instant,
    /// The kernel had the rest, or some of it, and not the backlog alone.
    pub(super) is_on_its_way: bool,
}

#[derive(Debug)]
pub(super) struct AwaitedAnswer {
    /// Which wait of the link's it is.
    pub(super) since: u32,
    /// The count of bytes sent up to its end.
    pub(super) end: u64,
    pub(super) arrived: bool,
}

impl Watch {
    pub(super) fn new(now: Instant) -> Box<Self> {
        Box::new(Self {
            mark: None,
            earlier: [(now, 0); 2],
            asked: None,
        })
    }
}
