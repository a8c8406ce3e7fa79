//! How much of a call an endpoint bears.

use core::time::Duration;

/// What an endpoint accepts from its peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one message, judged by its prefix alone: a peer that announces
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

    /// The same with another limit on a message, in bytes.
    #[must_use]
    pub const fn with_message(mut self, bytes: usize) -> Self {
        self.message = bytes;
        self
    }

    /// The same with another limit on the time of a message.
    #[must_use]
    pub const fn with_message_time(mut self, time: Duration) -> Self {
        self.message_time = time;
        self
    }

    /// The same with another limit on the trailers, in bytes.
    #[must_use]
    pub const fn with_trailers(mut self, bytes: usize) -> Self {
        self.trailers = bytes;
        self
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
