//! The answer that a writer gets.

use crate::link::UsageError;

/// The answer of a write.
///
/// While a connection waits, nothing more is read from it: who only answers
/// what arrives may ignore this. Who writes of its own accord must not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Go,
    /// Taken; but write no more until [`Writable`](crate::link::Event::Writable),
    /// which comes unless the exchange is complete by then.
    Wait,
    /// Not taken: the exchange is over or does not allow it.
    Over(UsageError),
}

impl Flow {
    /// Whether what was written has been taken.
    pub const fn is_taken(self) -> bool {
        matches!(self, Self::Go | Self::Wait)
    }
}
