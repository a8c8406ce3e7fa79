//! Request methods.

use core::fmt;

use crate::wire::ascii;

/// A request method (RFC 9110 §9, RFC 5789 for PATCH).
///
/// Methods are case-sensitive: `get` is an [`Extension`](Self::Extension).
///
/// ```
/// use barewire::http::Method;
///
/// assert_eq!(Method::try_from("PUT"), Ok(Method::PUT));
/// assert_eq!(Method::try_from("PURGE"), Ok(Method::Extension("PURGE")));
/// assert!(Method::try_from("not a token").is_err());
/// assert_eq!(Method::DELETE.to_string(), "DELETE");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method<'b> {
    /// GET (RFC 9110 §9.3.1).
    GET,
    /// HEAD (RFC 9110 §9.3.2).
    HEAD,
    /// POST (RFC 9110 §9.3.3).
    POST,
    /// PUT (RFC 9110 §9.3.4).
    PUT,
    /// DELETE (RFC 9110 §9.3.5).
    DELETE,
    /// CONNECT (RFC 9110 §9.3.6).
    CONNECT,
    /// OPTIONS (RFC 9110 §9.3.7).
    OPTIONS,
    /// TRACE (RFC 9110 §9.3.8).
    TRACE,
    /// PATCH (RFC 5789).
    PATCH,
    /// Any other token, as it was sent.
    Extension(&'b str),
}

impl<'b> Method<'b> {
    /// The method that `text` names; `None` unless it is a token.
    #[inline]
    pub fn new(text: &'b [u8]) -> Option<Self> {
        match text {
            b"GET" => Some(Self::GET),
            b"POST" => Some(Self::POST),
            _ => Self::rare(text),
        }
    }

    /// All but GET and POST.
    fn rare(text: &'b [u8]) -> Option<Self> {
        Some(match text {
            b"HEAD" => Self::HEAD,
            b"PUT" => Self::PUT,
            b"DELETE" => Self::DELETE,
            b"OPTIONS" => Self::OPTIONS,
            b"PATCH" => Self::PATCH,
            b"CONNECT" => Self::CONNECT,
            b"TRACE" => Self::TRACE,
            _ if ascii::is_token(text) => Self::Extension(core::str::from_utf8(text).ok()?),
            _ => return None,
        })
    }

    /// The method as it stands in a request line.
    #[inline]
    pub const fn as_str(self) -> &'b str {
        match self {
            Self::GET => "GET",
            Self::HEAD => "HEAD",
            Self::POST => "POST",
            Self::PUT => "PUT",
            Self::DELETE => "DELETE",
            Self::CONNECT => "CONNECT",
            Self::OPTIONS => "OPTIONS",
            Self::TRACE => "TRACE",
            Self::PATCH => "PATCH",
            Self::Extension(text) => text,
        }
    }

    /// How many methods have a name here: all but [`Extension`](Self::Extension).
    pub(crate) const NAMED: usize = 9;

    /// A number below [`NAMED`](Self::NAMED) that is the method's alone; that number
    /// for all others.
    #[inline]
    pub(crate) const fn index(self) -> usize {
        match self {
            Self::GET => 0,
            Self::HEAD => 1,
            Self::POST => 2,
            Self::PUT => 3,
            Self::DELETE => 4,
            Self::CONNECT => 5,
            Self::OPTIONS => 6,
            Self::TRACE => 7,
            Self::PATCH => 8,
            Self::Extension(_) => Self::NAMED,
        }
    }

    /// Whether the method is safe (RFC 9110 §9.2.1).
    #[inline]
    pub const fn is_safe(self) -> bool {
        matches!(self, Self::GET | Self::HEAD | Self::OPTIONS | Self::TRACE)
    }

    /// Whether the method is idempotent, so that a client may repeat it
    /// (RFC 9110 §9.2.2).
    #[inline]
    pub const fn is_idempotent(self) -> bool {
        self.is_safe() || matches!(self, Self::PUT | Self::DELETE)
    }
}

/// The text of a method is not a token (RFC 9110 §9.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a method must be a token")]
pub struct InvalidMethod;

impl<'b> TryFrom<&'b [u8]> for Method<'b> {
    type Error = InvalidMethod;

    fn try_from(text: &'b [u8]) -> Result<Self, InvalidMethod> {
        Self::new(text).ok_or(InvalidMethod)
    }
}

impl<'b> TryFrom<&'b str> for Method<'b> {
    type Error = InvalidMethod;

    fn try_from(text: &'b str) -> Result<Self, InvalidMethod> {
        Self::try_from(text.as_bytes())
    }
}

impl AsRef<str> for Method<'_> {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

/// `request.method() == "GET"`.
impl PartialEq<str> for Method<'_> {
    fn eq(&self, text: &str) -> bool {
        self.as_str() == text
    }
}

impl PartialEq<&str> for Method<'_> {
    fn eq(&self, text: &&str) -> bool {
        self.as_str() == *text
    }
}

impl fmt::Display for Method<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests;
