//! The content to be sent after a head.

use bytes::Bytes;

use crate::http::{BodyLength, Fields};

/// The content of a response, or of a request of ours.
#[derive(Debug, Clone, Copy)]
pub enum Body<'a> {
    /// All of it; copied into the output.
    Whole(&'a [u8]),
    /// All of it; large ones leave without being copied.
    Shared(&'a Bytes),
    /// All of it, copied, and the trailers. Its length is not told. Where both are empty,
    /// HTTP/2 ends with the head.
    Trailed {
        /// The bytes.
        bytes: &'a [u8],
        /// The fields after the content.
        trailers: Fields<'a>,
    },
    /// It follows in writes, and ends with `finish`.
    Streamed {
        /// Its length in bytes, where it is known.
        length: Option<u64>,
        /// Whether it stays open until a side hangs up: an event stream. It then
        /// ends as soon as the peer has sent FIN.
        endless: bool,
    },
}

impl Body<'_> {
    #[inline]
    pub(crate) fn length(&self) -> BodyLength {
        match self {
            Self::Whole(_) | Self::Shared(_) => BodyLength::Known(self.here() as u64),
            Self::Trailed { .. } => BodyLength::Unknown,
            Self::Streamed { length, .. } => BodyLength::from(*length),
        }
    }

    /// Whether it has no end of its own.
    #[inline]
    pub(super) const fn is_endless(&self) -> bool {
        matches!(self, Self::Streamed { endless: true, .. })
    }

    /// How many bytes of it are given with the head.
    #[inline]
    pub(crate) fn here(&self) -> usize {
        match self {
            Self::Whole(bytes) | Self::Trailed { bytes, .. } => bytes.len(),
            Self::Shared(bytes) => bytes.len(),
            Self::Streamed { .. } => 0,
        }
    }
}
