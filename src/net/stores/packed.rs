//! The compressed forms of a message that is published.

use std::sync::OnceLock;

use bytes::Bytes;

/// The smallest window, as a power of two.
const LEAST: u8 = 8;

/// One message, compressed for each window size by the first loop that needs it, without
/// references to others.
#[derive(Debug, Default)]
pub(crate) struct PackedFrames([OnceLock<Option<Bytes>>; Self::SIZES]);

impl PackedFrames {
    pub(in crate::net) const SIZES: usize = 8;

    pub(in crate::net) fn place(window_bits: u8) -> usize {
        usize::from(window_bits.saturating_sub(LEAST)).min(Self::SIZES - 1)
    }

    /// The frame at a place, made on first use; `None` if not worth it.
    pub(in crate::net) fn get_or_pack(
        &self,
        at: usize,
        pack: impl FnOnce() -> Option<Bytes>,
    ) -> Option<&Bytes> {
        self.0.get(at)?.get_or_init(pack).as_ref()
    }
}
