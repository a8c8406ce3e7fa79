//! Limits on a stream.

use crate::wire::setters;

/// Limits on what a decoder accepts from a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one block as they are sent, from its first field to the end of
    /// its last line, names and comments in between included; also of a line
    /// outside a block. Stops a stream that never sends a blank line from
    /// filling the caller's buffer. 1 MiB.
    pub event: usize,
    /// Bytes of an event ID. It outlives its event, and goes into the head of
    /// every later request. 4 KiB.
    pub id: usize,
}

impl Limits {
    /// Limits that are safe towards a server one does not know.
    pub const DEFAULT: Self = Self {
        event: 1 << 20,
        id: 4 << 10,
    };

    setters! {
        with_event event: usize,
        with_id id: usize,
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
