//! The length of content that is to be sent.

/// How long content will be that is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyLength {
    /// Exactly this many bytes, which Content-Length tells.
    Known(u64),
    /// Not known yet: HTTP/1.1 sends it in chunks, or ends it by closing the
    /// connection where the peer is of version 1.0.
    Unknown,
}

impl BodyLength {
    /// The length, if it is known.
    pub(crate) const fn known(self) -> Option<u64> {
        match self {
            Self::Known(length) => Some(length),
            Self::Unknown => None,
        }
    }
}

impl From<Option<u64>> for BodyLength {
    #[inline]
    fn from(length: Option<u64>) -> Self {
        length.map_or(Self::Unknown, Self::Known)
    }
}
