//! The fields that may stand in a trailer section (RFC 9110 §6.5.1).

use super::FieldRange;
use crate::wire::ascii;

/// Whether a field may stand in a trailer section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trailer {
    Kept,
    /// It is of no use after the content, and does no harm: it is left out.
    Dropped,
    /// Two readers could come to different ends, hosts or users: the message is
    /// malformed.
    Malformed,
}

/// Fields that frame the message, belong to its connection, route it or name
/// its sender.
const MALFORMED: [&str; 10] = [
    "host",
    "cookie",
    "upgrade",
    "connection",
    "keep-alive",
    "authorization",
    "content-length",
    "proxy-connection",
    "transfer-encoding",
    "proxy-authorization",
];

/// Fields that modify the request, control the response or say how to read the
/// content: after it they come too late.
const DROPPED: [&str; 26] = [
    "te",
    "age",
    "date",
    "vary",
    "range",
    "expect",
    "pragma",
    "expires",
    "trailer",
    "warning",
    "location",
    "if-match",
    "if-range",
    "set-cookie",
    "retry-after",
    "content-type",
    "max-forwards",
    "cache-control",
    "content-range",
    "if-none-match",
    "content-encoding",
    "www-authenticate",
    "content-location",
    "if-modified-since",
    "proxy-authenticate",
    "if-unmodified-since",
];

impl Trailer {
    pub(crate) fn of(name: &[u8]) -> Self {
        let is_in = |names: &[&str]| {
            let is = |known: &&str| ascii::eq_ignore_case(name, known.as_bytes());
            names.iter().any(is)
        };
        // A reader that merges trailers into the head would act on them.
        if is_in(&MALFORMED) {
            Self::Malformed
        } else if is_in(&DROPPED) {
            Self::Dropped
        } else {
            Self::Kept
        }
    }
}

pub(crate) fn may_trail(name: &[u8]) -> bool {
    Trailer::of(name) == Trailer::Kept
}

/// The fields that may stay in a trailer section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sifted {
    pub(crate) kept: usize,
    pub(crate) dropped: u16,
}

/// Leaves out of a trailer section what may not stand there; `None` if that
/// makes the message malformed.
pub(crate) fn sift(text: &[u8], ranges: &mut [FieldRange]) -> Option<Sifted> {
    let (mut kept, mut dropped) = (0, 0_u16);
    for at in 0..ranges.len() {
        let range = ranges[at]; // both are below the length: `kept` never passes `at`
        match Trailer::of(range.name_in(text)) {
            Trailer::Kept => {
                ranges[kept] = range;
                kept += 1;
            }
            Trailer::Dropped => dropped = dropped.saturating_add(1),
            Trailer::Malformed => return None,
        }
    }
    Some(Sifted { kept, dropped })
}

#[cfg(test)]
mod tests;
