//! Text as it came in.

#[cfg(feature = "alloc")]
use alloc::{borrow::Cow, string::String};
use core::fmt;

use crate::wire::simd;

/// A piece of a stream's text, borrowed and not yet decoded.
///
/// A stream is decoded as UTF-8, and what is not UTF-8 becomes U+FFFD
/// (WHATWG HTML §9.2.6). That can make text longer than its bytes, so it
/// happens where the text is read: [`as_str`](Self::as_str) costs no copy, and
/// [`decode`](Self::decode) and `Display` replace.
///
/// ```
/// use barewire::sse::Text;
///
/// assert_eq!(Text::new(b"caf\xc3\xa9").as_str(), Some("café"));
/// let cut = Text::new(b"caf\xc3");
/// assert_eq!(cut.as_str(), None);
/// assert_eq!(cut.decode(), "caf\u{fffd}");
/// assert_eq!(cut, "caf\u{fffd}");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Text<'b>(&'b [u8]);

impl<'b> Text<'b> {
    /// The text that these bytes stand for.
    #[inline]
    pub const fn new(bytes: &'b [u8]) -> Self {
        Self(bytes)
    }

    /// The bytes as they came.
    #[inline]
    pub const fn as_bytes(self) -> &'b [u8] {
        self.0
    }

    /// The text, if all of it is UTF-8.
    #[inline]
    pub fn as_str(self) -> Option<&'b str> {
        simd::as_text(self.0)
    }

    /// The text, with U+FFFD for what is not UTF-8. Borrows where there is
    /// nothing to replace.
    #[cfg(feature = "alloc")]
    #[inline]
    pub fn decode(self) -> Cow<'b, str> {
        // Checking a whole text is many times faster than looking for faults.
        match self.as_str() {
            Some(text) => Cow::Borrowed(text),
            None => String::from_utf8_lossy(self.0),
        }
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = self.as_str() {
            return f.write_str(text);
        }
        for chunk in self.0.utf8_chunks() {
            f.write_str(chunk.valid())?;
            if !chunk.invalid().is_empty() {
                f.write_str("\u{fffd}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for chunk in self.0.utf8_chunks() {
            write!(f, "{}", chunk.valid().escape_debug())?;
            for b in chunk.invalid() {
                write!(f, "\\x{b:02x}")?;
            }
        }
        f.write_str("\"")
    }
}

impl PartialEq<str> for Text<'_> {
    fn eq(&self, other: &str) -> bool {
        if self.0 == other.as_bytes() {
            return true;
        }
        let mut rest = other;
        for chunk in self.0.utf8_chunks() {
            let replaced = if chunk.invalid().is_empty() {
                ""
            } else {
                "\u{fffd}"
            };
            let after = rest
                .strip_prefix(chunk.valid())
                .and_then(|rest| rest.strip_prefix(replaced));
            let Some(after) = after else { return false };
            rest = after;
        }
        rest.is_empty()
    }
}

impl PartialEq<&str> for Text<'_> {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}
