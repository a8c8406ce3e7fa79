//! Counts of a codec's work.

/// The work of an [`Inflater`](super::Inflater) or a [`Deflater`](super::Deflater) since it was
/// made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Messages that were inflated, or that it has made shorter. One that goes to many
    /// counts once.
    pub messages: u64,
    /// Bytes of these, plain.
    pub plain_bytes: u64,
    /// Bytes of these, compressed.
    pub compressed_bytes: u64,
    /// Messages that might have been compressed and were sent as they are: below the
    /// threshold, or no shorter.
    pub left_plain: u64,
}

impl Tally {
    pub(super) const NONE: Self = Self {
        messages: 0,
        plain_bytes: 0,
        compressed_bytes: 0,
        left_plain: 0,
    };

    /// Adds a message, or a part of one that `ends` with it.
    pub(crate) const fn add(&mut self, plain: usize, compressed: usize, ends: bool) {
        self.plain_bytes += plain as u64;
        self.compressed_bytes += compressed as u64;
        self.messages += ends as u64;
    }
}
