//! Conditional requests (RFC 9110 §13).

use alloc::vec::Vec;

use crate::http::{Fields, Method, date};
use crate::wire::ascii;

/// The validators that tell one state of a representation from others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Validators {
    /// The entity tag as sent. Weak while the file may still change without it (RFC 9110
    /// §8.8.1).
    pub(crate) tag: Vec<u8>,
    /// When it was changed last, in seconds since 1970.
    pub(crate) modified: Option<u64>,
}

/// The result of a request's conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The request is served. Its Range field counts, or does not.
    Serve { range: bool },
    /// 304: the client has it already.
    NotModified,
    /// 412: it is not what the client takes it for.
    Failed,
}

impl Validators {
    /// Weighs the conditions of GET or HEAD in the order of RFC 9110 §13.2.2. `now` is in
    /// seconds since 1970.
    pub(crate) fn weigh(&self, method: Method<'_>, fields: Fields<'_>, now: u64) -> Verdict {
        // Most requests have no field of those that matter here.
        let may_matter = |first| matches!(first, Some(b'i' | b'I' | b'r' | b'R'));
        if !fields
            .iter()
            .any(|field| may_matter(field.name.first().copied()))
        {
            return Verdict::Serve { range: false };
        }
        if fields.contains("if-match") {
            // Strong comparison (§13.1.1): a weak tag is like none.
            if !self.is_listed(fields, "if-match", |ours, theirs| !ours && !theirs) {
                return Verdict::Failed;
            }
        } else if let (Some(date), Some(modified)) =
            (date_of(fields, "if-unmodified-since", now), self.modified)
            && modified > date
        {
            return Verdict::Failed;
        }
        if fields.contains("if-none-match") {
            // Weak comparison (§13.1.2).
            if self.is_listed(fields, "if-none-match", |_, _| true) {
                return Verdict::NotModified;
            }
        } else if let (Some(date), Some(modified)) =
            (date_of(fields, "if-modified-since", now), self.modified)
            && modified <= date
        {
            return Verdict::NotModified;
        }
        // Range is defined for GET alone (§14.2).
        let range = method == Method::GET && self.allows_range(fields, now);
        Verdict::Serve { range }
    }

    /// Whether the field `name` holds `*` or one of our tags; the flags say whether ours and
    /// theirs may be weak.
    fn is_listed(
        &self,
        fields: Fields<'_>,
        name: &str,
        will_do: impl Fn(bool, bool) -> bool,
    ) -> bool {
        let ours = tag(&self.tag);
        let is_ours = |text| match (tag(text), ours) {
            _ if text == b"*" => true,
            (Some((theirs, weak)), Some((ours, is_weak))) => {
                will_do(is_weak, weak) && theirs == ours
            }
            _ => false,
        };
        fields.get_all(name).any(|list| {
            // A backslash is a part of a tag like any other (§8.8.3).
            let mut quoted = false;
            let ends = |&byte: &u8| {
                quoted ^= byte == b'"';
                byte == b',' && !quoted
            };
            list.split(ends).map(ascii::trim_ows).any(is_ours)
        })
    }

    /// If-Range (§13.1.5): a strong tag or the exact date sent, unless our tag is weak
    /// (§8.8.2.2).
    fn allows_range(&self, fields: Fields<'_>, now: u64) -> bool {
        let mut values = fields.get_all("if-range");
        match (values.next(), values.next()) {
            (None, _) => true,
            (Some(value), None) => match tag(value) {
                // The same text: both strong, or both weak.
                Some((_, is_weak)) => !is_weak && value == self.tag,
                None if self.tag.starts_with(b"W/") => false,
                None => self.modified.is_some() && date::parse(value, now) == self.modified,
            },
            (Some(_), Some(_)) => false,
        }
    }
}

/// The text of an entity tag between its quotes, and whether it is weak
/// (§8.8.3).
fn tag(text: &[u8]) -> Option<(&[u8], bool)> {
    let (text, weak) = match text.strip_prefix(b"W/") {
        Some(text) => (text, true),
        None => (text, false),
    };
    let tag = text.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    (!tag.contains(&b'"')).then_some((tag, weak))
}

/// The date in the field `name`, which is ignored if malformed or repeated (§13.1.3, §13.1.4).
fn date_of(fields: Fields<'_>, name: &str, now: u64) -> Option<u64> {
    let mut values = fields.get_all(name);
    match (values.next(), values.next()) {
        (Some(value), None) => date::parse(value, now),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
