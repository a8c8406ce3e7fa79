//! The Range field (RFC 9110 §14).

use alloc::vec::Vec;

use crate::http::Fields;
use crate::wire::ascii;

/// More ranges than this are not worth their heads: the whole is sent
/// (RFC 9110 §14.2).
const MOST: usize = 16;

/// A part of a representation, in bytes. Never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    /// Its first byte.
    pub(super) first: u64,
    /// Its last byte.
    pub(super) last: u64,
}

impl Span {
    pub(super) const fn len(self) -> u64 {
        self.last - self.first + 1 // first <= last
    }
}

/// What a Range field asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ranges {
    /// Everything: there is no such field, or one that is to be ignored.
    Whole,
    /// These parts, at least one, in the order in which they were asked for.
    Parts(Vec<Span>),
    /// Nothing that is there.
    Unsatisfiable,
}

impl Ranges {
    /// Reads the Range field for a representation of `len` bytes.
    ///
    /// What is malformed, of another unit or sent twice is ignored. So are more
    /// than 16 ranges, and ranges that together are longer than the whole: they
    /// overlap, and would make us send more than there is (§14.2, §17.15).
    pub(super) fn of(fields: Fields<'_>, len: u64) -> Self {
        let mut values = fields.get_all("range");
        match (values.next(), values.next()) {
            (Some(value), None) => Self::parse(value, len).unwrap_or(Self::Whole),
            _ => Self::Whole,
        }
    }

    fn parse(value: &[u8], len: u64) -> Option<Self> {
        let at = value.iter().position(|&byte| byte == b'=')?;
        let (unit, set) = (value.get(..at)?, value.get(at + 1..)?);
        if !unit.eq_ignore_ascii_case(b"bytes") {
            return None;
        }
        let (mut spans, mut count, mut total, mut all) = (Vec::new(), 0, 0_u64, false);
        for spec in set.split(|&byte| byte == b',').map(ascii::trim_ows) {
            if spec.is_empty() {
                continue; // a list may have empty elements (§5.6.1)
            }
            count += 1;
            if count > MOST {
                return None;
            }
            let span = parse_spec(spec, len)?;
            // The end of nothing is all of it, but cannot be put in numbers.
            all |= len == 0 && spec.starts_with(b"-") && spec.iter().any(|&it| it > b'0');
            if let Some(span) = span {
                total = total.saturating_add(span.len());
                spans.push(span);
            }
        }
        match (count, spans.is_empty()) {
            (0, _) => None,
            (_, true) if all => None,
            (_, true) => Some(Self::Unsatisfiable),
            (_, false) if total > len => None,
            (_, false) => Some(Self::Parts(spans)),
        }
    }
}

/// One range: `first-last`, `first-` or `-length`. The outer `None` if it is
/// malformed, the inner one if it cannot be satisfied.
fn parse_spec(spec: &[u8], len: u64) -> Option<Option<Span>> {
    let at = spec.iter().position(|&byte| byte == b'-')?;
    let (before, after) = (spec.get(..at)?, spec.get(at + 1..)?);
    let span = match (before, after) {
        ([], []) => return None,
        ([], suffix) => {
            let first = len.saturating_sub(number(suffix)?);
            (first, len.checked_sub(1))
        }
        (first, []) => (number(first)?, len.checked_sub(1)),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            if last < first {
                return None; // §14.1.1: invalid
            }
            (first, len.checked_sub(1).map(|end| last.min(end)))
        }
    };
    Some(match span {
        (first, Some(last)) if first <= last => Some(Span { first, last }),
        _ => None,
    })
}

/// A decimal number; one that is too large is as large as can be.
fn number(digits: &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for &digit in digits {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        value = value.saturating_mul(10).saturating_add(digit);
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Field;
    use alloc::vec;
    use proptest::prelude::*;

    fn ranges(value: &str, len: u64) -> Ranges {
        Ranges::of(Fields::new(&[Field::new("Range", value)]), len)
    }

    fn parts(spans: &[(u64, u64)]) -> Ranges {
        Ranges::Parts(
            spans
                .iter()
                .map(|&(first, last)| Span { first, last })
                .collect(),
        )
    }

    #[test]
    fn the_examples_of_the_standard() {
        // RFC 9110 §14.1.2, a representation of 10,000 bytes.
        let cases = [
            ("bytes=0-499", parts(&[(0, 499)])),
            ("bytes=500-999", parts(&[(500, 999)])),
            ("bytes=-500", parts(&[(9500, 9999)])),
            ("bytes=9500-", parts(&[(9500, 9999)])),
            ("bytes=0-0,-1", parts(&[(0, 0), (9999, 9999)])),
            (
                "bytes= 0-0, 4500-5499, -1",
                parts(&[(0, 0), (4500, 5499), (9999, 9999)]),
            ),
            ("bytes=500-600,601-999", parts(&[(500, 600), (601, 999)])),
            ("bytes=500-700,601-999", parts(&[(500, 700), (601, 999)])),
        ];
        for (value, expected) in cases {
            assert_eq!(ranges(value, 10_000), expected, "{value}");
        }
    }

    #[test]
    fn what_reaches_beyond_the_end_is_cut_and_what_lies_there_is_left_out() {
        assert_eq!(ranges("bytes=5-100", 10), parts(&[(5, 9)]));
        assert_eq!(ranges("bytes=-100", 10), parts(&[(0, 9)]));
        assert_eq!(ranges("BYTES=2-3,10-,100-200", 10), parts(&[(2, 3)]));
        assert_eq!(
            ranges("bytes=0-99999999999999999999999", 10),
            parts(&[(0, 9)])
        );
        for none in [
            "bytes=10-",
            "bytes=10-10,11-",
            "bytes=-0",
            "bytes=99999999999999999999999-",
        ] {
            assert_eq!(ranges(none, 10), Ranges::Unsatisfiable, "{none}");
        }
    }

    #[test]
    fn of_nothing_there_is_no_part() {
        assert_eq!(ranges("bytes=0-", 0), Ranges::Unsatisfiable);
        assert_eq!(ranges("bytes=0-0", 0), Ranges::Unsatisfiable);
        assert_eq!(ranges("bytes=-0", 0), Ranges::Unsatisfiable);
        assert_eq!(ranges("bytes=-5", 0), Ranges::Whole);
    }

    #[test]
    fn what_is_malformed_is_ignored() {
        for bad in [
            "",
            "bytes",
            "bytes=",
            "bytes=,",
            "bytes=-",
            "bytes=a-b",
            "bytes=1-0",
            "bytes=0-1,x",
            "bytes=0--1",
            "bytes 0-1",
            "items=0-1",
            "bytes=0-1-2",
            "bytes=+1-2",
            "bytes=0x1-2",
            "bytes =0-1",
            "bytes=0- 1",
        ] {
            assert_eq!(ranges(bad, 10), Ranges::Whole, "{bad:?}");
        }
        let twice = [
            Field::new("Range", "bytes=0-1"),
            Field::new("range", "bytes=2-3"),
        ];
        assert_eq!(Ranges::of(Fields::new(&twice), 10), Ranges::Whole);
        assert_eq!(Ranges::of(Fields::EMPTY, 10), Ranges::Whole);
    }

    #[test]
    fn a_few_bytes_ask_for_no_more_than_there_is() {
        assert_eq!(ranges("bytes=0-,0-", 10), Ranges::Whole);
        assert_eq!(ranges("bytes=0-5,3-9", 10), Ranges::Whole);
        let many = |n: usize| std::format!("bytes={}", vec!["0-0"; n].join(","));
        assert!(matches!(ranges(&many(MOST), 1000), Ranges::Parts(_)));
        assert_eq!(ranges(&many(MOST + 1), 1000), Ranges::Whole);
        assert_eq!(
            ranges(&many(MOST + 1).replace("0-0", "5000-"), 1000),
            Ranges::Whole
        );
    }

    proptest! {
        #[test]
        fn whatever_is_sent_no_part_leaves_the_whole(value in "bytes=[-0-9, ]{0,30}|.{0,20}", len in 0..200_u64) {
            if let Ranges::Parts(spans) = ranges(&value, len) {
                prop_assert!(!spans.is_empty() && spans.len() <= MOST);
                prop_assert!(spans.iter().all(|it| it.first <= it.last && it.last < len));
                prop_assert!(spans.iter().map(|it| it.len()).sum::<u64>() <= len);
            }
        }
    }
}
