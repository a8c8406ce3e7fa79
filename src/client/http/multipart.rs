//! Bodies of forms: of several parts (RFC 7578), and of pairs (WHATWG URL §5.2).
//!
//! ```text
//!   --boundary CRLF
//!   Content-Disposition: form-data; name="a"; filename="b" CRLF
//!   Content-Type: text/plain CRLF
//!   CRLF
//!   content CRLF
//!   --boundary-- CRLF
//! ```

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;
use std::io;

use bytes::Bytes;

use super::body::{Body, Given, Giving};
use super::error::ErrorKind;
use crate::http::InvalidField;
use crate::wire::ascii;
use crate::wire::builder;

/// The parts of a form, of which some may be files (`multipart/form-data`).
///
/// ```
/// use barewire::client::{Body, Multipart, Part};
///
/// let form = Multipart::new()
///     .text("name", "Alice")
///     .part("photo", Part::new(Body::from(b"...")).file_name("a.png").content_type("image/png"));
/// ```
#[derive(Debug, Default)]
pub struct Multipart {
    parts: Vec<(String, Part)>,
}

/// One part of a [`Multipart`].
#[derive(Debug)]
pub struct Part {
    body: Body,
    file_name: Option<String>,
    content_type: Option<String>,
}

impl Part {
    /// A part with this content.
    pub fn new(body: impl Into<Body>) -> Self {
        Self {
            body: body.into(),
            file_name: None,
            content_type: None,
        }
    }

    builder! {
        /// Names the file that it is.
        fn file_name(name: impl Into<String>) => file_name = Some(name.into());

        /// Says of what type it is.
        fn content_type(media_type: impl Into<String>) => content_type = Some(media_type.into());
    }
}

impl Multipart {
    /// A form without parts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field.
    #[must_use]
    pub fn text(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let value: String = value.into();
        self.part(name, Part::new(value))
    }

    /// Adds a part.
    #[must_use]
    pub fn part(mut self, name: impl Into<String>, part: Part) -> Self {
        self.parts.push((name.into(), part));
        self
    }

    /// The body, and its Content-Type. It can be sent again if each part can.
    pub(super) fn into_body(self) -> Result<(Body, String), ErrorKind> {
        let boundary = boundary();
        let mut pieces = VecDeque::new();
        let mut length = Some(0);
        let mut add = |body: Body| {
            length = length.and_then(|sum: u64| sum.checked_add(body.length()?));
            pieces.push_back(body);
        };
        for (name, part) in self.parts {
            add(Body::from(part.head(&name, &boundary)?));
            add(part.body);
            add(Body::from("\r\n"));
        }
        add(Body::from(format!("--{boundary}--\r\n")));
        let content_type = format!("multipart/form-data; boundary={boundary}");
        if let Some(all) = pieces.iter().map(Body::bytes).collect::<Option<Vec<_>>>() {
            let whole: Vec<u8> = all.into_iter().flatten().copied().collect();
            return Ok((Body::from(whole), content_type));
        }
        let body = Body::iterator(Pieces {
            bodies: pieces,
            giving: None,
        });
        Ok(match length {
            Some(length) => (body.with_length(length), content_type),
            None => (body, content_type),
        })
    }
}

impl Part {
    fn head(&self, name: &str, boundary: &str) -> Result<String, ErrorKind> {
        let mut head = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"");
        push_quoted(name, &mut head);
        head.push('"');
        if let Some(file_name) = &self.file_name {
            head.push_str("; filename=\"");
            push_quoted(file_name, &mut head);
            head.push('"');
        }
        head.push_str("\r\n");
        if let Some(content_type) = &self.content_type {
            if !ascii::is_field_value(content_type.as_bytes()) {
                return Err(ErrorKind::Field(InvalidField::Value));
            }
            head.push_str("Content-Type: ");
            head.push_str(content_type);
            head.push_str("\r\n");
        }
        head.push_str("\r\n");
        Ok(head)
    }
}

/// Appends a name, escaped as browsers do (WHATWG HTML §4.10.21.8).
fn push_quoted(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '"' => out.push_str("%22"),
            '\r' => out.push_str("%0D"),
            '\n' => out.push_str("%0A"),
            _ => out.push(c),
        }
    }
}

/// Text that no part has, as far as chance goes: 128 bits of it.
fn boundary() -> String {
    let mut bytes = [0; 16];
    // Where the system has none, a fixed one does unless a part was made to have it.
    let _ = getrandom::fill(&mut bytes);
    format!("barewire-{:032x}", u128::from_ne_bytes(bytes))
}

struct Pieces {
    bodies: VecDeque<Body>,
    giving: Option<Giving>,
}

impl Iterator for Pieces {
    type Item = io::Result<Bytes>;

    fn next(&mut self) -> Option<io::Result<Bytes>> {
        loop {
            let giving = match &mut self.giving {
                Some(giving) => giving,
                None => self.giving.insert(self.bodies.pop_front()?.begin()),
            };
            let mut piece = Bytes::new();
            match giving.next(|bytes| piece = Bytes::copy_from_slice(bytes)) {
                Ok(Given::Piece) => return Some(Ok(piece)),
                Ok(Given::End) => self.giving = None,
                Ok(Given::Later) => {
                    let text = "a part of a form cannot be written in pieces";
                    return Some(Err(io::Error::other(text)));
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

pub(crate) fn push(name: &str, value: &str, list: &mut String) {
    if !list.is_empty() && !list.ends_with('&') {
        list.push('&');
    }
    encode(name, list);
    list.push('=');
    encode(value, list);
}

fn encode(text: &str, out: &mut String) {
    for b in text.bytes() {
        match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => {
                out.push(b.into());
            }
            b' ' => out.push('+'),
            // Writing to a String never fails.
            _ => drop(write!(out, "%{b:02X}")),
        }
    }
}

#[cfg(test)]
mod tests;
