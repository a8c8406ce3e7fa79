//! Path, query and fragment of a URL (RFC 3986 §3.3 to §3.5), and percent-encoding.

use alloc::string::String;
use alloc::vec::Vec;

use super::error::UrlError;
use crate::wire::ascii;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Path,
    Query,
    Fragment,
}

/// Whitespace and control bytes stand in no URL.
pub(super) fn refuse_blanks(text: &str) -> Result<(), UrlError> {
    match text.bytes().position(|b| has_class(b, BLANK)) {
        Some(at) => Err(UrlError::Whitespace { at }),
        None => Ok(()),
    }
}

/// `ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )` (RFC 3986 §3.1).
pub(super) fn is_scheme(text: &str) -> bool {
    let is_other = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
    text.as_bytes().first().is_some_and(u8::is_ascii_alphabetic) && text.bytes().all(is_other)
}

/// The text before the first `://`, and the text after it. A scheme holds no colon.
pub(super) fn split_scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = split_at(text, b':');
    Some((scheme, rest?.strip_prefix("//")?))
}

/// The text before and after the first `mark` (ASCII). A plain loop: URLs are short.
pub(super) fn split_at(text: &str, mark: u8) -> (&str, Option<&str>) {
    let at = text.bytes().position(|b| b == mark);
    let (before, rest) = text.split_at(at.unwrap_or(text.len())); // a boundary: ASCII
    (before, at.and_then(|_| rest.get(1..)))
}

/// Appends a path without `.` and `..` (RFC 3986 §5.2.4); `/` for an empty one.
pub(super) fn push_path(raw: &str, out: &mut String) -> Result<(), UrlError> {
    if is_settled(raw.as_bytes()) {
        out.push_str(raw);
        return Ok(());
    }
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

/// Whether a path stands as it is: most do.
fn is_settled(raw: &[u8]) -> bool {
    let mut before = b' ';
    let mut stays = |b: u8| {
        let is_dot_segment = b == b'.' && before == b'/'; // or a name that begins like one
        before = b;
        has_class(b, PCHAR | SLASH) && b != b'?' && !is_dot_segment
    };
    raw.first() == Some(&b'/') && raw.iter().all(|&b| stays(b))
}

/// Appends a part, with all percent-encoded that cannot stand in it as it is.
pub(super) fn push_encoded(raw: &str, kind: Kind, out: &mut String) -> Result<(), UrlError> {
    let bytes = raw.as_bytes();
    let class = match kind {
        Kind::Path => PCHAR,
        Kind::Query | Kind::Fragment => PCHAR | SLASH,
    };
    if bytes.iter().all(|&b| has_class(b, class)) {
        out.push_str(raw);
        return Ok(());
    }
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
            _ if has_class(b, class) => out.push(b.into()),
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
const PCHAR: u8 = 1;
/// `/` and `?`.
const SLASH: u8 = 2;
/// Letters, digits and `-` (RFC 1123 §2.1), and `_`, which names of services have.
pub(super) const LABEL: u8 = 4;
/// Whitespace and control bytes.
const BLANK: u8 = 8;

/// The classes of each byte: a URL is looked at several times, and this is the quickest way.
static CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut b = 0;
    while b < 128 {
        classes[b as usize] = match b {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'_' => PCHAR | LABEL,
            b'.' | b'~' | b':' | b'@' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' => PCHAR,
            b'*' | b'+' | b',' | b';' | b'=' => PCHAR,
            b'/' | b'?' => SLASH,
            0..=b' ' | 0x7f => BLANK,
            _ => 0,
        };
        b += 1;
    }
    classes
};

pub(super) fn has_class(b: u8, classes: u8) -> bool {
    CLASSES[usize::from(b)] & classes != 0
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
