//! A list of fields that an application builds.

use alloc::vec::Vec;
use core::fmt;

use super::fields::Special;
use super::{Field, FieldRange, Fields, FieldsIter, InvalidField};
use crate::wire::ascii;

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
#[derive(Clone, Default)]
pub struct FieldBuffer {
    text: Vec<u8>,
    ranges: Vec<FieldRange>,
    special: Special,
}

impl<'b> IntoIterator for &'b FieldBuffer {
    type Item = Field<'b>;
    type IntoIter = FieldsIter<'b>;

    fn into_iter(self) -> FieldsIter<'b> {
        self.as_fields().iter()
    }
}

/// ```
/// use barewire::http::FieldBuffer;
///
/// let fields = FieldBuffer::try_from([("Accept", "*/*"), ("X-Id", "7")])?;
/// assert_eq!((&fields).into_iter().count(), 2);
/// assert!(FieldBuffer::try_from([("X-Evil", "a\r\nb")]).is_err());
/// # Ok::<(), barewire::http::InvalidField>(())
/// ```
impl<V: AsRef<[u8]>, const N: usize> TryFrom<[(&str, V); N]> for FieldBuffer {
    type Error = InvalidField;

    fn try_from(list: [(&str, V); N]) -> Result<Self, InvalidField> {
        let mut fields = Self::new();
        for (name, value) in list {
            fields.push(name, value)?;
        }
        Ok(fields)
    }
}

/// The fields in order, each as [`Field`] shows itself.
impl fmt::Debug for FieldBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_fields().fmt(f)
    }
}

impl FieldBuffer {
    /// An empty list; allocates nothing.
    pub const fn new() -> Self {
        Self {
            text: Vec::new(),
            ranges: Vec::new(),
            special: Special::Nothing,
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
    /// [`InvalidField::Value`] if it cannot stand on the wire.
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

    /// Puts a Content-Type of constant text, which needs no check, in place of any
    /// other.
    pub(crate) fn set_content_type_line(&mut self, line: &'static ContentTypeLine) {
        for field in line.as_fields().iter() {
            // It outgrows 4 GiB only after fields that have been refused for it.
            let _ = self.replace(field);
        }
    }

    /// Appends a field whose form is certain: its name is constant, its value
    /// was looked at before.
    ///
    /// # Errors
    /// [`InvalidField::Value`] if the list would outgrow 4 GiB.
    #[inline]
    pub(crate) fn push_known(
        &mut self,
        name: &'static str,
        value: &[u8],
    ) -> Result<(), InvalidField> {
        let name = name.as_bytes();
        debug_assert_eq!(Field { name, value }.check(), Ok(()));
        self.append(Field { name, value })
    }

    /// Appends a field as a line of constant text, `name: value CRLF`.
    ///
    /// # Errors
    /// [`InvalidField::Value`] if the list would outgrow 4 GiB.
    #[inline(always)]
    pub(crate) fn push_line(&mut self, line: &'static str) -> Result<(), InvalidField> {
        // Of a constant, so that it is known before the program runs.
        let colon = line.bytes().position(|b| b == b':').unwrap_or_default();
        debug_assert!(colon > 0 && line.get(colon..).is_some_and(|it| it.starts_with(": ")));
        debug_assert!(line.ends_with("\r\n") && !is_special(&line.as_bytes()[..colon]));
        let name = self.text.len();
        let Ok(end) = u32::try_from(name + line.len()) else {
            return Err(InvalidField::Value);
        };
        self.text.extend_from_slice(line.as_bytes());
        // All at most `end`.
        self.ranges.push(FieldRange {
            name: name as u32,
            name_end: (name + colon) as u32,
            value: (name + colon + 2) as u32,
            value_end: end - 2,
        });
        Ok(())
    }

    /// Replaces every field of this name with one.
    ///
    /// # Errors
    /// Those of [`push`](Self::push).
    pub fn set(&mut self, name: &str, value: impl AsRef<[u8]>) -> Result<(), InvalidField> {
        let field = Field {
            name: name.as_bytes(),
            value: ascii::trim_ows(value.as_ref()),
        };
        field.check()?;
        self.replace(field)
    }

    /// Drops all fields of this name (case-insensitive); whether there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        let count = self.ranges.len();
        self.keep_last(name.as_bytes(), count);
        self.ranges.len() < count
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
        let (text, count) = (&self.text, self.ranges.len());
        let mut index = 0;
        self.ranges.retain(|range| {
            index += 1;
            index > before || !range.name_in(text).eq_ignore_ascii_case(name)
        });
        if self.ranges.len() < count {
            self.special = Special::Each; // it has a gap
        }
    }

    /// Appends all of `fields`, which a parser has checked already.
    ///
    /// # Errors
    /// Those of [`push`](Self::push), for a field that was not.
    pub fn extend(&mut self, fields: Fields<'_>) -> Result<(), InvalidField> {
        if !fields.is_checked() {
            fields.iter().try_for_each(|field| field.check())?;
        }
        self.extend_checked(fields)
    }

    /// Appends all of `fields`, which a machine has checked as it received them.
    ///
    /// # Errors
    /// [`InvalidField::Value`] if the list would outgrow 4 GiB.
    pub(crate) fn extend_checked(&mut self, fields: Fields<'_>) -> Result<(), InvalidField> {
        if let Some((lines, ranges, start)) = fields.lines() {
            self.append_lines(lines, ranges, start)?;
            if fields.plain_lines().is_none() {
                let added = self.ranges.len() - ranges.len()..;
                let added = self.ranges.get(added).unwrap_or_default();
                let names = added.iter().map(|range| range.name_in(&self.text));
                self.special = names.fold(self.special, Special::and);
            }
            return Ok(());
        }
        self.ranges.reserve(fields.len());
        let line = |field: Field<'_>| field.name.len() + field.value.len() + 4; // `: ` and CRLF
        self.text.reserve(fields.iter().map(line).sum());
        fields.iter().try_for_each(|field| self.append(field))
    }

    /// Appends checked fields as they stand on the wire, whose places count from `start`.
    #[inline]
    fn append_lines(
        &mut self,
        lines: &[u8],
        ranges: &[FieldRange],
        start: u32,
    ) -> Result<(), InvalidField> {
        let before = self.text.len();
        if u32::try_from(before + lines.len()).is_err() {
            return Err(InvalidField::Value);
        }
        self.text.extend_from_slice(lines);
        // All in the text, which was found to be no longer than that.
        let place = |at: u32| before as u32 + (at - start);
        self.ranges.extend(ranges.iter().map(|range| FieldRange {
            name: place(range.name),
            name_end: place(range.name_end),
            value: place(range.value),
            value_end: place(range.value_end),
        }));
        Ok(())
    }

    #[inline]
    fn append(&mut self, field: Field<'_>) -> Result<(), InvalidField> {
        let name = self.text.len();
        let name_end = name + field.name.len();
        let value = name_end + 2;
        let value_end = value + field.value.len();
        if u32::try_from(value_end + 2).is_err() {
            return Err(InvalidField::Value);
        }
        self.special = self.special.and(field.name);
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
        Fields::checked(&self.text, &self.ranges, self.special)
    }

    /// Whether it is empty.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Bytes of memory held.
    pub const fn memory(&self) -> usize {
        self.text.capacity() + self.ranges.capacity() * size_of::<FieldRange>()
    }

    /// Forgets all but the first `count` fields.
    pub(crate) fn truncate(&mut self, count: usize) {
        self.ranges.truncate(count);
        let end = self.ranges.last().map_or(0, |last| last.value_end + 2);
        self.text.truncate(end as usize);
    }

    /// Forgets the fields and keeps the memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.ranges.clear();
        self.special = Special::Nothing;
    }
}

impl Special {
    #[inline]
    fn and(self, name: &[u8]) -> Self {
        match (is_special(name), self) {
            (false, it) => it,
            (true, Self::Nothing) if name.len() == 4 && name[0] | 32 == b'h' => Self::Host,
            (true, _) => Self::Each,
        }
    }
}

/// Whether a field of this name may concern the sending machine: framing, protocols, routing or
/// Date.
fn is_special(name: &[u8]) -> bool {
    let is = |special: &str| name.eq_ignore_ascii_case(special.as_bytes());
    match name.len() {
        2 => is("te"),
        4 => is("date") || is("host"),
        7 => is("upgrade") || is("trailer"),
        10 => is("connection") || is("keep-alive"),
        14 => is("content-length"),
        16 => is("proxy-connection"),
        17 => is("transfer-encoding"),
        _ => false,
    }
}

#[derive(Debug)]
pub(crate) struct ContentTypeLine {
    line: &'static str,
    range: [FieldRange; 1],
}

impl ContentTypeLine {
    /// One of a text like `Content-Type: text/plain CRLF`, whose form was looked
    /// at when it was written.
    pub(crate) const fn new(line: &'static str) -> Self {
        let range = FieldRange {
            name: 0,
            name_end: 12,
            value: 14,
            value_end: line.len() as u32 - 2,
        };
        Self {
            line,
            range: [range],
        }
    }

    /// The list whose only field this is.
    #[inline]
    pub(crate) const fn as_fields(&'static self) -> Fields<'static> {
        Fields::checked(self.line.as_bytes(), &self.range, Special::Nothing)
    }
}

#[cfg(test)]
mod tests;
