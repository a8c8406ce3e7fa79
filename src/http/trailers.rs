//! Which fields may stand in a trailer section (RFC 9110 §6.5.1).

use super::FieldRange;
use crate::wire::ascii;

/// Whether a field may stand in a trailer section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trailer {
    /// It stays.
    Kept,
    /// It is of no use behind the content, and does no harm: it is left out.
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
/// content: behind it they come too late.
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
    /// Looks a field's name up.
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

/// Whether an application may send a field of this name as a trailer.
pub(crate) fn may_trail(name: &[u8]) -> bool {
    Trailer::of(name) == Trailer::Kept
}

/// What is left of a trailer section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sifted {
    /// Fields that stay, at the front of the ranges.
    pub(crate) kept: usize,
    /// Fields that were left out.
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
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn names_are_found_in_any_case() {
        for (name, trailer) in [
            ("Content-Length", Trailer::Malformed),
            ("TRANSFER-ENCODING", Trailer::Malformed),
            ("host", Trailer::Malformed),
            ("Authorization", Trailer::Malformed),
            ("Vary", Trailer::Dropped),
            ("Content-Type", Trailer::Dropped),
            ("date", Trailer::Dropped),
            ("Set-Cookie", Trailer::Dropped),
            ("Location", Trailer::Dropped),
            ("grpc-status", Trailer::Kept),
            ("ETag", Trailer::Kept),
            ("Digest", Trailer::Kept),
            ("Server-Timing", Trailer::Kept),
            ("Hosts", Trailer::Kept),
        ] {
            assert_eq!(Trailer::of(name.as_bytes()), trailer, "{name}");
        }
    }

    #[test]
    fn no_name_stands_in_both_lists() {
        for name in MALFORMED {
            assert!(!DROPPED.contains(&name), "{name}");
        }
    }

    #[test]
    fn what_is_left_out_leaves_no_gap() {
        let text = b"a date b vary c";
        let range = |at: usize, len: usize| FieldRange {
            name: at as u32,
            name_end: (at + len) as u32,
            value: 0,
            value_end: 1,
        };
        let mut ranges = [(0, 1), (2, 4), (7, 1), (9, 4), (14, 1)].map(|(at, len)| range(at, len));
        let sifted = sift(text, &mut ranges).unwrap();
        assert_eq!((sifted.kept, sifted.dropped), (3, 2));
        let names: Vec<_> = ranges[..3].iter().map(|it| it.name_in(text)).collect();
        assert_eq!(names, [&b"a"[..], b"b", b"c"]);
        let mut ranges = [range(0, 4)];
        assert_eq!(sift(b"host", &mut ranges), None);
    }
}
