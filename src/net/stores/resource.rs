//! The resources that a loop has only so many of.

use crate::net::{Limits, Share};

/// Something that a loop has only so many of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Resource {
    /// Timers of handlers ([`Limits::timers`]).
    Timers,
    /// Exchanges that go on after their handler has returned
    /// ([`Limits::sessions`]).
    Sessions,
    /// Places of sessions in rooms and broadcasters ([`Limits::memberships`]).
    Memberships,
    /// Requests that wait for blocking work ([`Limits::jobs`]).
    Jobs,
    /// Files that stay open while their bodies are sent ([`Limits::files`]).
    Files,
    /// Futures that were not ready at their first poll ([`Limits::futures`]).
    Futures,
}

pub(super) const RESOURCES: usize = 6;

impl Resource {
    /// All of them.
    pub const ALL: [Self; RESOURCES] = [
        Self::Timers,
        Self::Sessions,
        Self::Memberships,
        Self::Jobs,
        Self::Files,
        Self::Futures,
    ];

    /// Its name in metrics.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Timers => "timers",
            Self::Sessions => "sessions",
            Self::Memberships => "memberships",
            Self::Jobs => "jobs",
            Self::Files => "files",
            Self::Futures => "futures",
        }
    }

    pub(super) const fn at(self) -> usize {
        match self {
            Self::Timers => 0,
            Self::Sessions => 1,
            Self::Memberships => 2,
            Self::Jobs => 3,
            Self::Files => 4,
            Self::Futures => 5,
        }
    }

    /// The limit's name, for the log.
    pub(in crate::net) const fn limit(self) -> &'static str {
        match self {
            Self::Timers => "Limits::timers",
            Self::Sessions => "Limits::sessions",
            Self::Memberships => "Limits::memberships",
            Self::Jobs => "Limits::jobs",
            Self::Files => "Limits::files",
            Self::Futures => "Limits::futures",
        }
    }

    pub(super) const fn share(self, limits: &Limits) -> Share {
        match self {
            Self::Timers => limits.timers,
            Self::Sessions => limits.sessions,
            Self::Memberships => limits.memberships,
            Self::Jobs => limits.jobs,
            Self::Files => limits.files,
            Self::Futures => limits.futures,
        }
    }
}

/// Why nothing more of a [`Resource`] is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Exhausted {
    /// The loop has no more.
    #[error("the loop has as many {0:?} as it may have")]
    Loop(Resource),
    /// The peer's address has used up its share.
    #[error("the address has its share of {0:?}")]
    Address(Resource),
    /// The connection has used up its share.
    #[error("the connection has its share of {0:?}")]
    Connection(Resource),
}
