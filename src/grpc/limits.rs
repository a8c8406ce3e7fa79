//! How much of a call an endpoint bears.

/// What an endpoint accepts from its peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one message, judged by its prefix alone: a peer that announces
    /// more gets RESOURCE_EXHAUSTED before any of it is held. 4 MiB, the
    /// default of all common implementations.
    pub message: usize,
    /// Bytes of the trailers in a gRPC-Web body, likewise. 8 KiB, what the
    /// specification suggests for metadata.
    pub trailers: usize,
}

impl Limits {
    /// Limits that are safe towards a peer one does not know.
    pub const DEFAULT: Self = Self {
        message: 4 << 20,
        trailers: 8 << 10,
    };

    /// The same with another limit on a message, in bytes.
    #[must_use]
    pub const fn with_message(mut self, bytes: usize) -> Self {
        self.message = bytes;
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
