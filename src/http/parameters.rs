//! Parameters of header fields: `; name=value; name="value"` (RFC 9110 §5.6.6), read as
//! browsers and programs write them.

use alloc::string::String;
use alloc::vec::Vec;

use crate::wire::ascii;

/// One parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parameter<'b> {
    pub(super) name: &'b [u8],
    /// Without its quotes; what stands in them is not decoded.
    pub(super) value: &'b [u8],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// A field's value up to its parameters, and those.
pub(super) fn split(value: &[u8]) -> (&[u8], Parameters<'_>) {
    let end = value.iter().position(|&b| b == b';').unwrap_or(value.len());
    let (first, rest) = value.split_at(end); // `end` lies within it
    (ascii::trim_ows(first), Parameters { rest })
}

/// The parameters of a value. Ends after the first that is malformed.
#[derive(Debug, Clone)]
pub(super) struct Parameters<'b> {
    rest: &'b [u8],
}

impl<'b> Parameters<'b> {
    /// The value of the one parameter of this name.
    pub(super) fn one(self, name: &str) -> Result<Option<&'b [u8]>, Malformed> {
        let mut found = None;
        for parameter in self {
            let parameter = parameter?;
            if ascii::eq_ignore_case(parameter.name, name.as_bytes())
                && found.replace(parameter.value).is_some()
            {
                return Err(Malformed); // readers would differ
            }
        }
        Ok(found)
    }

    fn read(&mut self) -> Result<Option<Parameter<'b>>, Malformed> {
        let mut text = ascii::trim_ows(self.rest);
        while let Some(rest) = text.strip_prefix(b";") {
            text = ascii::trim_ows(rest); // some write one too many
        }
        if text.is_empty() {
            return Ok(None);
        }
        let equals = text.iter().position(|&b| b == b'=').ok_or(Malformed)?;
        let (name, rest) = text.split_at(equals);
        let rest = rest.get(1..).unwrap_or_default();
        let (value, rest) = match rest.strip_prefix(b"\"") {
            Some(rest) => {
                let end = closing_quote(rest).ok_or(Malformed)?;
                (rest.get(..end), rest.get(end + 1..))
            }
            None => {
                let end = rest.iter().position(|&b| b == b';').unwrap_or(rest.len());
                (rest.get(..end).map(ascii::trim_ows), rest.get(end..))
            }
        };
        let (value, rest) = (value.unwrap_or_default(), rest.unwrap_or_default());
        let rest = ascii::trim_ows(rest);
        if !ascii::is_token(name) || !(rest.is_empty() || rest.starts_with(b";")) {
            return Err(Malformed);
        }
        self.rest = rest;
        Ok(Some(Parameter { name, value }))
    }
}

impl<'b> Iterator for Parameters<'b> {
    type Item = Result<Parameter<'b>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        let read = self.read().transpose();
        if !matches!(read, Some(Ok(_))) {
            self.rest = &[];
        }
        read
    }
}

/// Where a quoted text ends. Browsers write backslashes as they are, other programs escape
/// quotes by them: a quote behind one is the end only if no other is.
fn closing_quote(text: &[u8]) -> Option<usize> {
    let quotes = text.iter().enumerate().filter(|(_, b)| **b == b'"');
    let mut last = None;
    for (at, _) in quotes {
        last = Some(at);
        if at.checked_sub(1).and_then(|before| text.get(before)) != Some(&b'\\') {
            break;
        }
    }
    last
}

/// The text of a name in a form: `\"` and what browsers write for quotes and ends of lines
/// (WHATWG HTML §4.10.21.8) decoded, all else as it is.
pub(super) fn decode_name(value: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((&first, tail)) = rest.split_first() {
        let (byte, used) = match rest {
            [b'\\', b'"', ..] => (b'"', 2),
            [b'%', b'2', b'2', ..] => (b'"', 3),
            [b'%', b'0', b'D' | b'd', ..] => (b'\r', 3),
            [b'%', b'0', b'A' | b'a', ..] => (b'\n', 3),
            _ => (first, 1),
        };
        decoded.push(byte);
        rest = tail.get(used - 1..).unwrap_or_default();
    }
    decoded
}

/// The text of an extended value in UTF-8 (RFC 8187 §3.2): `UTF-8'en'caf%C3%A9`.
pub(super) fn decode_extended(value: &[u8]) -> Option<String> {
    let mut parts = value.splitn(3, |&b| b == b'\'');
    let (charset, _language, text) = (parts.next()?, parts.next()?, parts.next()?);
    if !ascii::eq_ignore_case(charset, b"utf-8") {
        return None;
    }
    let text = core::str::from_utf8(text).ok()?;
    let decoded = super::target::percent_decode(text, super::target::Plus::Kept)?;
    Some(decoded.into_owned())
}
