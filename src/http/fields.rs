//! Lists of fields, borrowed from wherever they lie.

use core::{fmt, slice};

use super::field::Shown;
use super::{Field, FieldRange};
use crate::wire::{Sink, ascii, simd};

/// A borrowed list of fields in the order they were sent.
///
/// ```
/// use barewire::http::{Field, Fields};
///
/// let list = [Field::new("Accept", "text/html, */*"), Field::new("accept", "text/css")];
/// let fields = Fields::new(&list);
/// assert_eq!(fields.get("ACCEPT"), Some(&b"text/html, */*"[..]));
/// assert!(fields.list("accept").eq([&b"text/html"[..], b"*/*", b"text/css"]));
/// ```
#[derive(Clone, Copy)]
pub struct Fields<'b> {
    place: Source<'b>,
}

#[derive(Clone, Copy)]
enum Source<'b> {
    Listed(&'b [Field<'b>]),
    Ranges {
        text: &'b [u8],
        ranges: &'b [FieldRange],
    },
    /// Ranges of a [`FieldBuffer`](super::FieldBuffer), in which every field can stand
    /// on the wire, and stands in the text as it does there: `name: value CRLF`.
    Checked {
        text: &'b [u8],
        ranges: &'b [FieldRange],
        special: Special,
    },
}

/// The fields that a machine has to look at among those that can stand on the wire.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Special {
    /// Nothing: the text is the fields one behind the other.
    #[default]
    Nothing,
    Host,
    /// Each of them: one among them may be its own business, or the text has gaps.
    Each,
}

impl fmt::Debug for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for field in self.iter() {
            map.entry(&Shown::Text(field.name), &field.shown_value());
        }
        map.finish()
    }
}

impl Default for Fields<'_> {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl<'b> Fields<'b> {
    /// No fields.
    pub const EMPTY: Self = Self {
        place: Source::Listed(&[]),
    };

    /// The fields of a slice.
    #[inline]
    pub const fn new(list: &'b [Field<'b>]) -> Self {
        Self {
            place: Source::Listed(list),
        }
    }

    /// The fields that `ranges` mark in `text`. A range outside the text gives
    /// empty parts.
    #[inline]
    pub const fn from_ranges(text: &'b [u8], ranges: &'b [FieldRange]) -> Self {
        Self {
            place: Source::Ranges { text, ranges },
        }
    }

    /// How many fields there are.
    #[inline]
    pub const fn len(&self) -> usize {
        match self.place {
            Source::Listed(list) => list.len(),
            Source::Ranges { ranges, .. } => ranges.len(),
            Source::Checked { ranges, .. } => ranges.len(),
        }
    }

    /// Whether it is empty.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The field at `index`.
    #[inline]
    pub fn at(&self, index: usize) -> Option<Field<'b>> {
        match self.place {
            Source::Listed(list) => list.get(index).copied(),
            Source::Ranges { text, ranges } => ranges.get(index).map(|range| range.field(text)),
            Source::Checked { text, ranges, .. } => {
                ranges.get(index).map(|range| range.field(text))
            }
        }
    }

    /// The fields of a [`FieldBuffer`](super::FieldBuffer).
    #[inline]
    pub(crate) const fn checked(
        text: &'b [u8],
        ranges: &'b [FieldRange],
        special: Special,
    ) -> Self {
        let place = Source::Checked {
            text,
            ranges,
            special,
        };
        Self { place }
    }

    /// All fields as lines to send, if checked and none frames, names a protocol or is Date.
    #[inline]
    pub(crate) const fn plain_lines(&self) -> Option<&'b [u8]> {
        match self.place {
            Source::Listed([]) => Some(&[]),
            Source::Checked {
                text,
                special: Special::Nothing,
                ..
            } => Some(text),
            _ => None,
        }
    }

    /// All fields of a request as lines to send and the number of Hosts, if checked and none
    /// else needs a look.
    #[inline]
    pub(crate) const fn request_lines(&self) -> Option<(&'b [u8], usize)> {
        if let Source::Checked {
            text,
            special: Special::Host,
            ..
        } = self.place
        {
            return Some((text, 1));
        }
        match self.plain_lines() {
            Some(lines) => Some((lines, 0)),
            None => None,
        }
    }

    /// Whether every field is known to be able to stand on the wire.
    #[inline]
    pub(crate) const fn is_checked(&self) -> bool {
        if let Source::Checked { .. } = self.place {
            return true;
        }
        false
    }

    /// The lines of all fields if they lie in one piece, and the places in it, counted from the
    /// last value.
    #[inline]
    pub(crate) fn lines(&self) -> Option<(&'b [u8], &'b [FieldRange], u32)> {
        let (text, ranges) = match self.place {
            Source::Listed(_) => return None,
            Source::Checked {
                text,
                ranges,
                special: Special::Nothing | Special::Host,
            } => return Some((text, ranges, 0)),
            Source::Ranges { text, ranges } | Source::Checked { text, ranges, .. } => {
                (text, ranges)
            }
        };
        let start = ranges.first()?.name;
        let mut at = start as usize;
        for range in ranges {
            let (name_end, value_end) = (range.name_end as usize, range.value_end as usize);
            let is_line = range.name as usize == at
                && range.name <= range.name_end
                && range.value as usize == name_end + 2
                && range.value <= range.value_end
                && text.get(name_end..name_end + 2) == Some(b": ")
                && text.get(value_end..value_end + 2) == Some(b"\r\n");
            if !is_line {
                return None;
            }
            at = value_end + 2;
        }
        Some((text.get(start as usize..at)?, ranges, start))
    }

    #[inline]
    pub(crate) fn put_line(&self, index: usize, out: &mut impl Sink) {
        if let Source::Checked { text, ranges, .. } = self.place {
            let line = ranges
                .get(index)
                .and_then(|range| text.get(range.name as usize..range.value_end as usize + 2));
            return out.put(line.unwrap_or_default());
        }
        if let Some(field) = self.at(index) {
            out.put(field.name);
            out.put(b": ");
            out.put(field.value);
            out.put(b"\r\n");
        }
    }

    /// All fields, in order.
    #[inline]
    pub fn iter(&self) -> FieldsIter<'b> {
        match self.place {
            Source::Listed(list) => FieldsIter {
                text: &[],
                ranges: [].iter(),
                list: list.iter(),
            },
            Source::Ranges { text, ranges } => FieldsIter {
                text,
                ranges: ranges.iter(),
                list: [].iter(),
            },
            Source::Checked { text, ranges, .. } => FieldsIter {
                text,
                ranges: ranges.iter(),
                list: [].iter(),
            },
        }
    }

    /// The value of the first field of this name (case-insensitive).
    #[inline]
    pub fn get(&self, name: &str) -> Option<&'b [u8]> {
        self.get_all(name).next()
    }

    /// The value of the first field of this name, if it is UTF-8.
    #[inline]
    pub fn get_str(&self, name: &str) -> Option<&'b str> {
        simd::as_text(self.get(name)?)
    }

    /// The values of all fields of this name, in order.
    #[inline]
    pub fn get_all<'n>(&self, name: &'n str) -> impl Iterator<Item = &'b [u8]> + use<'b, 'n> {
        self.iter()
            .filter(move |field| field.is(name))
            .map(|field| field.value)
    }

    /// Whether a field of this name is there.
    #[inline]
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The members of a comma-separated list that may stretch over several
    /// field lines of this name (RFC 9110 §5.3, §5.6.1). Empty members are
    /// skipped; commas inside quoted strings do not separate.
    #[inline]
    pub fn list<'n>(&self, name: &'n str) -> impl Iterator<Item = &'b [u8]> + use<'b, 'n> {
        self.get_all(name).flat_map(List::new)
    }

    /// Whether the comma-separated list `name` has the member `token`, in any
    /// case: `Connection: keep-alive, Upgrade` has `upgrade`.
    #[inline]
    pub fn list_contains(&self, name: &str, token: &str) -> bool {
        self.list(name)
            .any(|member| ascii::eq_ignore_case(member, token.as_bytes()))
    }
}

impl<'b> IntoIterator for Fields<'b> {
    type Item = Field<'b>;
    type IntoIter = FieldsIter<'b>;

    fn into_iter(self) -> FieldsIter<'b> {
        self.iter()
    }
}

/// Fields one by one, in order.
#[derive(Debug, Clone)]
pub struct FieldsIter<'b> {
    // Those of ranges, or those of a list.
    text: &'b [u8],
    ranges: slice::Iter<'b, FieldRange>,
    list: slice::Iter<'b, Field<'b>>,
}

impl<'b> Iterator for FieldsIter<'b> {
    type Item = Field<'b>;

    #[inline]
    fn next(&mut self) -> Option<Field<'b>> {
        // One of the two is empty: a loop over both needs no look at the kind of list.
        match self.ranges.next() {
            Some(range) => Some(range.field(self.text)),
            None => self.list.next().copied(),
        }
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let len = self.ranges.len() + self.list.len();
        (len, Some(len))
    }
}

/// The members of one comma-separated value (RFC 9110 §5.6.1).
#[derive(Debug, Clone)]
pub struct List<'b> {
    rest: &'b [u8],
}

impl<'b> List<'b> {
    /// The members of `value`.
    #[inline]
    pub const fn new(value: &'b [u8]) -> Self {
        Self { rest: value }
    }
}

impl<'b> Iterator for List<'b> {
    type Item = &'b [u8];

    fn next(&mut self) -> Option<&'b [u8]> {
        while !self.rest.is_empty() {
            let end = member_end(self.rest);
            let (member, rest) = self.rest.split_at(end); // end <= rest.len()
            self.rest = rest.get(1..).unwrap_or_default();
            let member = ascii::trim_ows(member);
            if !member.is_empty() {
                return Some(member);
            }
        }
        None
    }
}

/// Where the first member of a list ends: at a comma outside quotes, or at the
/// end.
fn member_end(list: &[u8]) -> usize {
    let (mut quoted, mut escaped) = (false, false);
    for (at, &b) in list.iter().enumerate() {
        match b {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            // A comma in a quoted string belongs to the member (RFC 9110 §5.6.4).
            b',' if !quoted => return at,
            _ => {}
        }
    }
    list.len()
}

#[cfg(test)]
mod tests;
