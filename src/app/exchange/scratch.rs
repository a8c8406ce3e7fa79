//! Memory of a loop that calls use while they are served.

use alloc::vec::Vec;

use crate::http::FieldBuffer;

/// What is kept of memory that was needed once, in bytes.
const KEPT: usize = 64 << 10;

/// Memory that is lent to one call at a time.
#[derive(Debug, Default)]
pub(in crate::app) struct Scratch {
    /// Frames of a response.
    pub(in crate::app) frames: Vec<u8>,
    /// A message that was inflated.
    #[cfg(feature = "gzip")]
    pub(in crate::app) message: Vec<u8>,
    /// A message that has been compressed.
    #[cfg(feature = "gzip")]
    pub(in crate::app) packed: Vec<u8>,
    /// Trailers.
    pub(in crate::app) trailers: FieldBuffer,
    /// What compresses and inflates.
    #[cfg(feature = "gzip")]
    pub(in crate::app) gzip: crate::grpc::Gzip,
}

impl Scratch {
    /// Gives back what is beyond the usual.
    #[cfg(feature = "gzip")]
    pub(in crate::app) fn shrink(&mut self) {
        for memory in [&mut self.message, &mut self.packed] {
            memory.clear();
            memory.shrink_to(KEPT);
        }
    }

    /// Takes back the memory of frames.
    pub(in crate::app) fn keep_frames(&mut self, mut frames: Vec<u8>) {
        if frames.capacity() <= KEPT {
            frames.clear();
            self.frames = frames;
        }
    }
}
