//! Lists of fields, borrowed from wherever they lie.

#[cfg(feature = "alloc")]
use alloc::vec::Vec;
use core::str;

use crate::wire::{Sink, ascii};

/// One field line (RFC 9110 §5): a token, and a value without white space at
/// its ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'b> {
    /// The name, in the case it was sent in.
    pub name: &'b [u8],
    /// The value: HTAB, SP, VCHAR and obs-text.
    pub value: &'b [u8],
}

impl<'b> Field<'b> {
    /// A field from constant text. Nothing is checked here: what cannot stand
    /// on the wire is refused where it is sent.
    #[inline]
    pub const fn new(name: &'b str, value: &'b str) -> Self {
        Self {
            name: name.as_bytes(),
            value: value.as_bytes(),
        }
    }

    /// Whether this is the field `name`, in any case.
    #[inline]
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// Checks that the field can stand on the wire: the name is a token, and
    /// the value has no CR, LF, NUL or other control and no white space at its
    /// ends (RFC 9110 §5.1, §5.5).
    ///
    /// # Errors
    /// [`InvalidField`] says which part cannot.
    pub fn check(&self) -> Result<(), InvalidField> {
        if !ascii::is_token(self.name) {
            return Err(InvalidField::Name);
        }
        if !ascii::is_field_value(self.value)
            || ascii::trim_ows(self.value).len() != self.value.len()
        {
            return Err(InvalidField::Value);
        }
        Ok(())
    }
}

/// A field that an application must not send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidField {
    /// The name is not a token.
    #[error("field name is not a token (RFC 9110 §5.1)")]
    Name,
    /// The value holds a control character or begins or ends with white space.
    #[error("field value holds what no value may hold (RFC 9110 §5.5)")]
    Value,
}

/// Where a field lies in its text, as offsets: `[name, name_end)` and
/// `[value, value_end)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FieldRange {
    /// First byte of the name.
    pub name: u32,
    /// One past the last byte of the name.
    pub name_end: u32,
    /// First byte of the value.
    pub value: u32,
    /// One past the last byte of the value.
    pub value_end: u32,
}

impl FieldRange {
    /// No field: fills arrays.
    pub const EMPTY: Self = Self {
        name: 0,
        name_end: 0,
        value: 0,
        value_end: 0,
    };
}

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
#[derive(Debug, Clone, Copy)]
pub struct Fields<'b> {
    place: Place<'b>,
}

#[derive(Debug, Clone, Copy)]
enum Place<'b> {
    Listed(&'b [Field<'b>]),
    Ranges {
        text: &'b [u8],
        ranges: &'b [FieldRange],
    },
    /// The same of a [`FieldBuffer`]: every field can stand on the wire, and
    /// stands in the text as it does there: `name: value CRLF`.
    #[cfg(feature = "alloc")]
    Checked {
        text: &'b [u8],
        ranges: &'b [FieldRange],
    },
}

impl Default for Fields<'_> {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl<'b> Fields<'b> {
    /// No fields.
    pub const EMPTY: Self = Self {
        place: Place::Listed(&[]),
    };

    /// The fields of a slice.
    #[inline]
    pub const fn new(list: &'b [Field<'b>]) -> Self {
        Self {
            place: Place::Listed(list),
        }
    }

    /// The fields that `ranges` mark in `text`. A range outside the text gives
    /// empty parts.
    #[inline]
    pub const fn from_ranges(text: &'b [u8], ranges: &'b [FieldRange]) -> Self {
        Self {
            place: Place::Ranges { text, ranges },
        }
    }

    /// How many fields there are.
    #[inline]
    pub const fn len(&self) -> usize {
        match self.place {
            Place::Listed(list) => list.len(),
            Place::Ranges { ranges, .. } => ranges.len(),
            #[cfg(feature = "alloc")]
            Place::Checked { ranges, .. } => ranges.len(),
        }
    }

    /// Whether there are none.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The field at `index`.
    #[inline]
    pub fn at(&self, index: usize) -> Option<Field<'b>> {
        match self.place {
            Place::Listed(list) => list.get(index).copied(),
            Place::Ranges { text, ranges } => ranges.get(index).map(|range| range.field(text)),
            #[cfg(feature = "alloc")]
            Place::Checked { text, ranges } => ranges.get(index).map(|range| range.field(text)),
        }
    }

    /// Whether every field is known to be able to stand on the wire.
    #[inline]
    pub(crate) const fn is_checked(&self) -> bool {
        #[cfg(feature = "alloc")]
        if let Place::Checked { .. } = self.place {
            return true;
        }
        false
    }

    /// Puts the field at `index` as a line of its own.
    #[inline]
    pub(crate) fn put_line(&self, index: usize, out: &mut impl Sink) {
        #[cfg(feature = "alloc")]
        if let Place::Checked { text, ranges } = self.place {
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
    pub fn iter(&self) -> impl Iterator<Item = Field<'b>> + use<'b> {
        let fields = *self;
        (0..self.len()).filter_map(move |index| fields.at(index))
    }

    /// The value of the first field of this name (case-insensitive).
    #[inline]
    pub fn get(&self, name: &str) -> Option<&'b [u8]> {
        self.get_all(name).next()
    }

    /// The value of the first field of this name, if it is UTF-8.
    #[inline]
    pub fn get_str(&self, name: &str) -> Option<&'b str> {
        str::from_utf8(self.get(name)?).ok()
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
            .any(|member| member.eq_ignore_ascii_case(token.as_bytes()))
    }
}

impl FieldRange {
    /// The field that this range marks in `text`.
    #[inline]
    fn field<'b>(&self, text: &'b [u8]) -> Field<'b> {
        Field {
            name: self.name_in(text),
            value: self.value_in(text),
        }
    }

    /// The name that this range marks in `text`.
    #[inline]
    pub(crate) fn name_in<'b>(&self, text: &'b [u8]) -> &'b [u8] {
        let name = text.get(self.name as usize..self.name_end as usize);
        name.unwrap_or_default()
    }

    /// The value that this range marks in `text`.
    #[inline]
    pub(crate) fn value_in<'b>(&self, text: &'b [u8]) -> &'b [u8] {
        let value = text.get(self.value as usize..self.value_end as usize);
        value.unwrap_or_default()
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
            b',' if !quoted => return at,
            _ => {}
        }
    }
    list.len()
}

/// An owned list of fields that an application builds, every one checked.
///
/// ```
/// use barewire::http::{FieldBuffer, InvalidField};
///
/// let mut fields = FieldBuffer::new();
/// fields.push("X-Request-Id", "7").unwrap();
/// assert_eq!(fields.push("X-Evil", "a\r\nSet-Cookie: b"), Err(InvalidField::Value));
/// assert_eq!(fields.as_fields().get("x-request-id"), Some(&b"7"[..]));
/// ```
#[cfg(feature = "alloc")]
#[derive(Debug, Clone, Default)]
pub struct FieldBuffer {
    text: Vec<u8>,
    ranges: Vec<FieldRange>,
}

#[cfg(feature = "alloc")]
impl FieldBuffer {
    /// An empty list; allocates nothing.
    pub const fn new() -> Self {
        Self {
            text: Vec::new(),
            ranges: Vec::new(),
        }
    }

    /// Appends a field. White space around the value is dropped.
    ///
    /// # Errors
    /// [`InvalidField`] if the field cannot stand on the wire, or the list
    /// would outgrow 4 GiB; the list is then unchanged.
    pub fn push(&mut self, name: &str, value: impl AsRef<[u8]>) -> Result<(), InvalidField> {
        let field = Field {
            name: name.as_bytes(),
            value: ascii::trim_ows(value.as_ref()),
        };
        field.check()?;
        self.append(field)
    }

    /// Puts a Content-Type in place of any other. White space around the value
    /// is dropped.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub(crate) fn set_content_type(&mut self, value: &[u8]) -> Result<(), InvalidField> {
        let value = ascii::trim_ows(value);
        if !ascii::is_field_value(value) {
            return Err(InvalidField::Value);
        }
        self.replace(Field {
            name: b"Content-Type",
            value,
        })
    }

    /// The same with constant text, whose form was looked at when it was
    /// written.
    ///
    /// # Errors
    /// As [`push`](Self::push), if the list would outgrow 4 GiB.
    #[inline]
    pub(crate) fn set_known_content_type(
        &mut self,
        value: &'static str,
    ) -> Result<(), InvalidField> {
        let field = Field::new("Content-Type", value);
        debug_assert_eq!(field.check(), Ok(()));
        self.replace(field)
    }

    /// Replaces every field of this name with one.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn set(&mut self, name: &str, value: impl AsRef<[u8]>) -> Result<(), InvalidField> {
        let field = Field {
            name: name.as_bytes(),
            value: ascii::trim_ows(value.as_ref()),
        };
        field.check()?;
        self.replace(field)
    }

    /// Appends a checked field and drops all others of its name.
    #[inline]
    fn replace(&mut self, field: Field<'_>) -> Result<(), InvalidField> {
        let before = self.ranges.len();
        self.append(field)?;
        if before > 0 {
            self.keep_last(field.name, before);
        }
        Ok(())
    }

    /// Drops the fields of this name from among the first `before`.
    fn keep_last(&mut self, name: &[u8], before: usize) {
        let text = &self.text;
        let mut index = 0;
        self.ranges.retain(|range| {
            index += 1;
            index > before || !range.name_in(text).eq_ignore_ascii_case(name)
        });
    }

    /// Appends all of `fields`, which a parser has checked already.
    ///
    /// # Errors
    /// As [`push`](Self::push), for a field that was not.
    pub fn extend(&mut self, fields: Fields<'_>) -> Result<(), InvalidField> {
        fields.iter().try_for_each(|field| {
            field.check()?;
            self.append(field)
        })
    }

    /// Appends a checked field as it stands on the wire.
    #[inline]
    fn append(&mut self, field: Field<'_>) -> Result<(), InvalidField> {
        let name = self.text.len();
        let name_end = name + field.name.len();
        let value = name_end + 2;
        let value_end = value + field.value.len();
        if u32::try_from(value_end + 2).is_err() {
            return Err(InvalidField::Value);
        }
        self.text.reserve(value_end + 2 - name);
        self.text.extend_from_slice(field.name);
        self.text.extend_from_slice(b": ");
        self.text.extend_from_slice(field.value);
        self.text.extend_from_slice(b"\r\n");
        // All at most `value_end`.
        self.ranges.push(FieldRange {
            name: name as u32,
            name_end: name_end as u32,
            value: value as u32,
            value_end: value_end as u32,
        });
        Ok(())
    }

    /// The fields as a borrowed list.
    #[inline]
    pub fn as_fields(&self) -> Fields<'_> {
        Fields {
            place: Place::Checked {
                text: &self.text,
                ranges: &self.ranges,
            },
        }
    }

    /// Bytes of memory held.
    pub const fn memory(&self) -> usize {
        self.text.capacity() + self.ranges.capacity() * size_of::<FieldRange>()
    }

    /// Forgets the fields and keeps the memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.ranges.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_members_are_trimmed_and_quotes_protect_commas() {
        let list = [
            Field::new("X", " a ,, \"b, \\\"c\" ,"),
            Field::new("Y", "no"),
            Field::new("x", "d"),
        ];
        let members: alloc::vec::Vec<_> = Fields::new(&list).list("x").collect();
        assert_eq!(members, [&b"a"[..], b"\"b, \\\"c\"", b"d"]);
        assert!(Fields::new(&list).list_contains("X", "D"));
    }

    #[test]
    fn ranges_outside_the_text_give_empty_parts() {
        let ranges = [FieldRange {
            name: 0,
            name_end: 1,
            value: 2,
            value_end: 99,
        }];
        let fields = Fields::from_ranges(b"ab", &ranges);
        assert_eq!(
            fields.at(0),
            Some(Field {
                name: b"a",
                value: b""
            })
        );
        assert_eq!(fields.at(1), None);
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn no_field_can_smuggle_a_line() {
        let mut fields = FieldBuffer::new();
        for value in ["a\rb", "a\nb", "a\0b", "\x7f", "a\r\n b"] {
            assert_eq!(
                fields.push("x", value),
                Err(InvalidField::Value),
                "{value:?}"
            );
        }
        for name in ["", "a b", "a:", "a\r\n", "ä"] {
            assert_eq!(fields.push(name, "v"), Err(InvalidField::Name), "{name:?}");
        }
        assert!(fields.as_fields().is_empty());
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn set_replaces_every_field_of_the_name() {
        let mut fields = FieldBuffer::new();
        for (name, value) in [("A", "1"), ("B", "2"), ("a", "3")] {
            fields.push(name, value).unwrap();
        }
        fields.set("a", " 4 ").unwrap();
        let all: alloc::vec::Vec<_> = fields.as_fields().iter().collect();
        assert_eq!(all, [Field::new("B", "2"), Field::new("a", "4")]);
    }
}
