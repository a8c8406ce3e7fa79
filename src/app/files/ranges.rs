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
    pub(super) first: u64,
    pub(super) last: u64,
}

impl Span {
    pub(super) const fn len(self) -> u64 {
        self.last - self.first + 1 // first <= last
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ranges {
    /// Everything: there is no Range field, or it is to be ignored.
    Whole,
    /// These parts, at least one, in the order in which they were asked for.
    Parts(Vec<Span>),
    Unsatisfiable,
}

impl Ranges {
    /// Reads the Range field for a representation of `len` bytes.
    ///
    /// A malformed or repeated field, another unit, more than 16 ranges and ranges longer than
    /// the whole are ignored (§14.2, §17.15).
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
mod tests;
