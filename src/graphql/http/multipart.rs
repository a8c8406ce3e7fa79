//! The parts of a form (RFC 7578, RFC 2046 §5.1), as they lie in a body.
//!
//! ```text
//!   --boundary CRLF
//!   Content-Disposition: form-data; name="0"; filename="a.txt" CRLF
//!   Content-Type: text/plain CRLF
//!   CRLF
//!   content CRLF
//!   --boundary-- CRLF
//! ```

use super::media_type::{parameter, split};
use crate::graphql::RequestError;
use crate::wire::ascii;

/// Bytes of the lines in front of a part's content. Stops: parts that are nothing but lines.
const MOST_HEAD: usize = 4 << 10;

/// A part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part<'a> {
    pub(super) name: &'a str,
    pub(super) file_name: Option<&'a str>,
    pub(super) content_type: Option<&'a str>,
    pub(super) content: &'a [u8],
}

/// The parts that are left of a form. After an error there are none.
#[derive(Debug)]
pub(super) struct Form<'a> {
    /// From behind a boundary.
    rest: Option<&'a [u8]>,
    boundary: &'a [u8],
}

impl<'a> Form<'a> {
    /// The parts of a body. What stands before the first boundary is skipped.
    pub(super) fn new(body: &'a [u8], boundary: &'a [u8]) -> Self {
        let is_valid = matches!(boundary.len(), 1..=70);
        let rest = delimited(body, boundary).map(|it| it.1);
        Self {
            rest: rest.filter(|_| is_valid).or(Some(b"")),
            boundary,
        }
    }

    fn part(&mut self, rest: &'a [u8]) -> Option<Part<'a>> {
        // Blanks may stand between a boundary and the end of its line.
        let rest = skip_blanks(rest).strip_prefix(b"\r\n")?;
        let (head, content) = split_at(rest, b"\r\n\r\n").or_else(|| {
            let content = rest.strip_prefix(b"\r\n")?;
            Some((&b""[..], content))
        })?;
        if head.len() > MOST_HEAD {
            return None;
        }
        let (content, after) = delimited(content, self.boundary)?;
        let (mut name, mut file_name, mut content_type) = (None, None, None);
        for line in head.split(|&byte| byte == b'\n') {
            let colon = line.iter().position(|&byte| byte == b':')?;
            let (key, value) = line.split_at(colon);
            let value = value.strip_prefix(b":").unwrap_or_default();
            let value = ascii::trim_ows(value.strip_suffix(b"\r").unwrap_or(value));
            if key.eq_ignore_ascii_case(b"content-disposition") {
                let (kind, parameters) = split(value);
                if !kind.eq_ignore_ascii_case(b"form-data") {
                    return None;
                }
                name = parameter(parameters, b"name");
                file_name = parameter(parameters, b"filename");
            } else if key.eq_ignore_ascii_case(b"content-type") {
                content_type = Some(value);
            }
        }
        let text = |it: &'a [u8]| core::str::from_utf8(it).ok();
        self.rest = Some(after);
        Some(Part {
            name: text(name?)?,
            file_name: file_name.and_then(text),
            content_type: content_type.and_then(text),
            content,
        })
    }
}

impl<'a> Iterator for Form<'a> {
    type Item = Result<Part<'a>, RequestError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.take()?;
        if rest.starts_with(b"--") {
            return None; // the last boundary
        }
        Some(self.part(rest).ok_or(RequestError::Malformed))
    }
}

fn skip_blanks(text: &[u8]) -> &[u8] {
    let is_other = |byte: &u8| !matches!(byte, b' ' | b'\t');
    let start = text.iter().position(is_other).unwrap_or(text.len());
    text.get(start..).unwrap_or_default()
}

/// Whether a text begins with `--boundary`.
fn starts_with(text: &[u8], boundary: &[u8]) -> bool {
    text.strip_prefix(b"--")
        .is_some_and(|it| it.starts_with(boundary))
}

/// What stands in front of the next boundary and its line's end, and behind it.
fn delimited<'a>(text: &'a [u8], boundary: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let behind = |at: usize| text.get(at + 2 + boundary.len()..);
    if starts_with(text, boundary) {
        return Some((b"", behind(0)?));
    }
    let mut from = 0;
    loop {
        let (before, rest) = split_at(text.get(from..)?, b"\r\n")?;
        let end = from + before.len();
        if starts_with(rest, boundary) {
            return Some((text.get(..end)?, behind(end + 2)?));
        }
        from = end + 2;
    }
}

/// What stands before and behind the first `separator`.
fn split_at<'a>(text: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = text
        .windows(separator.len())
        .position(|it| it == separator)?;
    Some((text.get(..at)?, text.get(at + separator.len()..)?))
}
