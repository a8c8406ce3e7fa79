//! One field, and where it lies.

use core::{fmt, str};

use crate::wire::ascii;

/// One field line (RFC 9110 §5): a token, and a value without white space at
/// its ends.
#[derive(Clone, Copy, PartialEq, Eq)]
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
        ascii::eq_ignore_case(self.name, name.as_bytes())
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

/// Fields whose values let their holder in: `Debug` leaves them out.
const SECRET: [&str; 6] = [
    "authorization",
    "cookie",
    "proxy-authorization",
    "set-cookie",
    "x-api-key",
    "x-auth-token",
];

impl Field<'_> {
    /// Whether the value lets its holder in.
    pub(crate) fn is_secret(&self) -> bool {
        SECRET.iter().any(|name| self.is(name))
    }

    /// The value as `Debug` and the log show it.
    pub(crate) fn shown_value(&self) -> impl fmt::Debug + use<'_> {
        match self.is_secret() {
            true => Shown::Secret,
            false => Shown::Text(self.value),
        }
    }
}

/// The name, and the value as text; of fields that let their holder in
/// (Authorization, cookies and the like) the name alone.
impl fmt::Debug for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {:?}", Shown::Text(self.name), self.shown_value())
    }
}

/// A part of a field as `Debug` shows it.
pub(super) enum Shown<'b> {
    Text(&'b [u8]),
    Secret,
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => match str::from_utf8(text) {
                Ok(text) => fmt::Debug::fmt(text, f),
                Err(_) => write!(f, "\"{}\"", text.escape_ascii()),
            },
            Self::Secret => f.write_str("(secret)"),
        }
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

impl FieldRange {
    /// The field that this range marks in `text`.
    #[inline]
    pub(super) fn field<'b>(&self, text: &'b [u8]) -> Field<'b> {
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
