//! Path, query and fragment of a URL (RFC 3986 §3.3 to §3.5), and percent-encoding.

use alloc::string::String;
use alloc::vec::Vec;

use super::error::UrlError;
use crate::wire::ascii;

/// The part that a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Path,
    Query,
    Fragment,
}

/// `ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )` (RFC 3986 §3.1).
pub(super) fn is_scheme(text: &str) -> bool {
    let is_other = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
    text.as_bytes().first().is_some_and(u8::is_ascii_alphabetic) && text.bytes().all(is_other)
}

/// What stands before the first `mark`, and what behind it.
pub(super) fn split_at(text: &str, mark: char) -> (&str, Option<&str>) {
    match text.split_once(mark) {
        Some((before, behind)) => (before, Some(behind)),
        None => (text, None),
    }
}

/// Appends a path without `.` and `..` (RFC 3986 §5.2.4); `/` for an empty one.
pub(super) fn push_path(raw: &str, out: &mut String) -> Result<(), UrlError> {
    let start = out.len();
    let mut is_open = true; // it ends with a segment that names nothing
    for segment in raw.split('/').skip(1) {
        is_open = matches!(segment, "." | "..");
        match segment {
            "." => {}
            ".." => {
                let path = out.get(start..).unwrap_or_default();
                out.truncate(start + path.rfind('/').unwrap_or(0));
            }
            _ => {
                out.push('/');
                push_encoded(segment, Kind::Path, out)?;
            }
        }
    }
    if is_open {
        out.push('/');
    }
    Ok(())
}

/// Appends a part, with all percent-encoded that cannot stand in it as it is.
pub(super) fn push_encoded(raw: &str, kind: Kind, out: &mut String) -> Result<(), UrlError> {
    let bytes = raw.as_bytes();
    for (at, &b) in bytes.iter().enumerate() {
        match b {
            b'%' => {
                let digits = bytes.get(at + 1..at + 3).unwrap_or_default();
                if digits.len() != 2 || !digits.iter().all(u8::is_ascii_hexdigit) {
                    return Err(match kind {
                        Kind::Path => UrlError::Path,
                        Kind::Query => UrlError::Query,
                        Kind::Fragment => UrlError::Fragment,
                    });
                }
                out.push('%');
            }
            _ if is_pchar(b) => out.push(b.into()),
            b'/' | b'?' if kind != Kind::Path => out.push(b.into()),
            _ => push_escape(b, out),
        }
    }
    Ok(())
}

/// Appends `%` and the two digits of a byte.
fn push_escape(b: u8, out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.push('%');
    out.push(DIGITS[usize::from(b >> 4)].into());
    out.push(DIGITS[usize::from(b & 15)].into());
}

/// unreserved, sub-delims, `:` and `@`.
const fn is_pchar(b: u8) -> bool {
    b.is_ascii_alphanumeric()
        || matches!(b, b'-' | b'.' | b'_' | b'~' | b':' | b'@')
        || matches!(b, b'!' | b'$' | b'&' | b'\'' | b'(' | b')')
        || matches!(b, b'*' | b'+' | b',' | b';' | b'=')
}

/// The text without percent-encoding, if it is UTF-8 then.
pub(super) fn decode(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&b, behind)) = rest.split_first() {
        rest = behind;
        if b != b'%' {
            out.push(b);
            continue;
        }
        let (digits, behind) = rest.split_at_checked(2)?;
        out.push(u8::try_from(ascii::parse_hex(digits)?).ok()?);
        rest = behind;
    }
    String::from_utf8(out).ok()
}
