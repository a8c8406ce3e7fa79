//! Limits on a call.

use core::time::Duration;

use crate::wire::setters;

/// Limits on what an endpoint accepts from its peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one message, checked as its prefix arrives: a peer that announces
    /// more gets RESOURCE_EXHAUSTED before any of it is held. 4 MiB, the
    /// default of all common implementations.
    pub message: usize,
    /// From the first byte of a message to its last. Stops a peer that begins
    /// a message and never ends it: its call ends with DEADLINE_EXCEEDED. 120
    /// s: 4 MiB at 35 KB a second.
    pub message_time: Duration,
    /// Bytes of the trailers in a gRPC-Web body, likewise. 8 KiB, what the
    /// specification suggests for metadata.
    pub trailers: usize,
}

impl Limits {
    /// Limits that are safe towards a peer one does not know.
    pub const DEFAULT: Self = Self {
        message: 4 << 20,
        message_time: Duration::from_secs(120),
        trailers: 8 << 10,
    };

    setters! {
        with_message message: usize,
        with_message_time message_time: Duration,
        with_trailers trailers: usize,
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
