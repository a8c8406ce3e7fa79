//! The JSON that errors and the ends of streams need (RFC 8259).

use alloc::string::String;
use alloc::vec::Vec;

use crate::wire::{Sink, ascii};

/// The deepest that values stand in values: those that are skipped may be anything.
const DEPTH: u8 = 64;

#[derive(Debug, Clone)]
pub(super) struct Reader<'b> {
    rest: &'b [u8],
    depth: u8,
}

impl<'b> Reader<'b> {
    pub(super) const fn new(text: &'b [u8]) -> Self {
        Self {
            rest: text,
            depth: 0,
        }
    }

    /// The first byte of what comes next.
    pub(super) fn peek(&mut self) -> Option<u8> {
        while let [b' ' | b'\t' | b'\n' | b'\r', rest @ ..] = self.rest {
            self.rest = rest;
        }
        self.rest.first().copied()
    }

    pub(super) fn is_at_end(&mut self) -> bool {
        self.peek().is_none()
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then_some(())?;
        self.rest = self.rest.get(1..)?;
        Some(())
    }

    pub(super) fn null(&mut self) -> bool {
        self.peek();
        match self.rest.strip_prefix(b"null") {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Takes an object; `member` takes the value of each.
    pub(super) fn object(
        &mut self,
        mut member: impl FnMut(&str, &mut Self) -> Option<()>,
    ) -> Option<()> {
        self.row([b'{', b'}'], |reader| {
            let name = reader.string()?;
            reader.take(b':')?;
            member(&name, reader)
        })
    }

    /// Takes an array; `element` takes each value.
    pub(super) fn array(&mut self, element: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.row([b'[', b']'], element)
    }

    fn row(
        &mut self,
        [open, close]: [u8; 2],
        mut each: impl FnMut(&mut Self) -> Option<()>,
    ) -> Option<()> {
        self.take(open)?;
        self.depth = self.depth.checked_add(1).filter(|&depth| depth <= DEPTH)?;
        if self.peek()? != close {
            each(self)?;
            while self.peek()? == b',' {
                self.take(b',')?;
                each(self)?;
            }
        }
        self.depth -= 1;
        self.take(close)
    }

    pub(super) fn string(&mut self) -> Option<String> {
        self.take(b'"')?;
        let mut text = Vec::new();
        loop {
            let end = self
                .rest
                .iter()
                .position(|b| matches!(b, b'"' | b'\\' | ..b' '))?;
            let (plain, from) = self.rest.split_at(end);
            text.extend_from_slice(plain);
            let (&byte, rest) = from.split_first()?;
            self.rest = rest;
            match byte {
                b'"' => return String::from_utf8(text).ok(),
                b'\\' => {
                    let mut memory = [0; 4];
                    text.extend_from_slice(self.escape()?.encode_utf8(&mut memory).as_bytes());
                }
                _ => return None, // a control character
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => self.unicode()?,
            _ => return None,
        })
    }

    /// The character of one escape, or of the two of a surrogate pair; one half stands
    /// for U+FFFD.
    fn unicode(&mut self) -> Option<char> {
        let first = self.unit()?;
        if !(0xd800..0xdc00).contains(&first) {
            return Some(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let mut ahead = self.clone();
        let second = ahead.rest.strip_prefix(b"\\u").and_then(|rest| {
            ahead.rest = rest;
            ahead.unit()
        });
        match second {
            Some(second @ 0xdc00..0xe000) => {
                self.rest = ahead.rest;
                char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00))
            }
            _ => Some(char::REPLACEMENT_CHARACTER),
        }
    }

    fn unit(&mut self) -> Option<u32> {
        let (digits, rest) = self.rest.split_at_checked(4)?;
        self.rest = rest;
        let unit = ascii::parse_hex(digits)?;
        u32::try_from(unit).ok()
    }

    pub(super) fn skip(&mut self) -> Option<()> {
        match self.peek()? {
            b'{' => self.object(|_, reader| reader.skip()),
            b'[' => self.array(Self::skip),
            b'"' => self.string().map(drop),
            _ => {
                let is_word =
                    |b: &u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'+' | b'.' | b'E');
                let end = self.rest.iter().position(|b| !is_word(b));
                let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
                self.rest = rest;
                let is_number = matches!(word, [b'-' | b'0'..=b'9', ..]);
                (is_number || matches!(word, b"null" | b"true" | b"false")).then_some(())
            }
        }
    }
}

/// Appends `text` as a string, with its quotes.
pub(super) fn put_string(text: &str, out: &mut impl Sink) {
    out.put(b"\"");
    let mut rest = text.as_bytes();
    loop {
        let end = rest.iter().position(|b| matches!(b, b'"' | b'\\' | ..b' '));
        let (plain, from) = rest.split_at(end.unwrap_or(rest.len()));
        out.put(plain);
        let Some((&byte, after)) = from.split_first() else {
            break;
        };
        match byte {
            b'"' => out.put(b"\\\""),
            b'\\' => out.put(b"\\\\"),
            b'\n' => out.put(b"\\n"),
            b'\r' => out.put(b"\\r"),
            b'\t' => out.put(b"\\t"),
            _ => {
                const DIGITS: &[u8; 16] = b"0123456789abcdef";
                let [high, low] = [byte >> 4, byte & 15].map(|digit| DIGITS[digit as usize]); // < 16
                out.put(&[b'\\', b'u', b'0', b'0', high, low]);
            }
        }
        rest = after;
    }
    out.put(b"\"");
}

#[cfg(test)]
mod tests;
