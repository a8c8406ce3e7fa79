//! The compressed forms of a message that is published.

use std::sync::OnceLock;

use bytes::Bytes;

/// The smallest window, as a power of two.
const LEAST: u8 = 8;

/// One message as frames that are compressed for each size of window, by the loop that
/// needs it first. The frames refer to nothing before them.
#[derive(Debug, Default)]
pub(crate) struct PackedFrames([OnceLock<Option<Bytes>>; Self::SIZES]);

impl PackedFrames {
    pub(in crate::net) const SIZES: usize = 8;

    /// Where the frame for a window stands.
    pub(in crate::net) fn place(window_bits: u8) -> usize {
        usize::from(window_bits.saturating_sub(LEAST)).min(Self::SIZES - 1)
    }

    /// The frame at a place, which is made if nobody has made it; `None` if it is not
    /// worth it.
    pub(in crate::net) fn get_or_pack(
        &self,
        at: usize,
        pack: impl FnOnce() -> Option<Bytes>,
    ) -> Option<&Bytes> {
        self.0.get(at)?.get_or_init(pack).as_ref()
    }
}
