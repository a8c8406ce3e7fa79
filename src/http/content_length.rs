//! The length of a message's content, as its fields have it.

use crate::wire::ascii;

/// The Content-Length of a head (RFC 9110 §8.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum ContentLength {
    #[default]
    Absent,
    One(u64),
    /// One number more than once, in a list or in several fields.
    Repeated(u64),
    /// Not a number, one beyond 64 bits, or different ones.
    Invalid,
}

impl ContentLength {
    /// Takes a repeated number for one, which a client may do.
    pub(crate) const fn collapsed(self) -> Self {
        match self {
            Self::Repeated(n) => Self::One(n),
            Self::Absent | Self::One(_) | Self::Invalid => self,
        }
    }

    pub(crate) fn add(&mut self, value: &[u8]) {
        // One number, mostly, and in one field.
        if *self == Self::Absent
            && let Some(n) = ascii::parse_decimal(value)
        {
            *self = Self::One(n);
            return;
        }
        // Senders and intermediaries join fields to a list, so that one may hold several.
        for member in value.split(|&b| b == b',') {
            *self = match (*self, ascii::parse_decimal(ascii::trim_ows(member))) {
                (Self::Absent, Some(n)) => Self::One(n),
                (Self::One(m) | Self::Repeated(m), Some(n)) if m == n => Self::Repeated(n),
                (Self::Absent | Self::One(_) | Self::Repeated(_) | Self::Invalid, _) => {
                    Self::Invalid
                }
            };
        }
    }
}

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

#[cfg(test)]
mod tests;
