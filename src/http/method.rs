//! Request methods.

use crate::wire::ascii;

/// A request method (RFC 9110 §9, RFC 5789 for PATCH).
///
/// Methods are case-sensitive: `get` is an [`Extension`](Self::Extension).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method<'b> {
    /// GET (RFC 9110 §9.3.1).
    Get,
    /// HEAD (RFC 9110 §9.3.2).
    Head,
    /// POST (RFC 9110 §9.3.3).
    Post,
    /// PUT (RFC 9110 §9.3.4).
    Put,
    /// DELETE (RFC 9110 §9.3.5).
    Delete,
    /// CONNECT (RFC 9110 §9.3.6).
    Connect,
    /// OPTIONS (RFC 9110 §9.3.7).
    Options,
    /// TRACE (RFC 9110 §9.3.8).
    Trace,
    /// PATCH (RFC 5789).
    Patch,
    /// Any other token, as it was sent.
    Extension(&'b str),
}

impl<'b> Method<'b> {
    /// The method that `text` names; `None` unless it is a token.
    #[inline]
    pub fn new(text: &'b [u8]) -> Option<Self> {
        match text {
            b"GET" => Some(Self::Get),
            b"POST" => Some(Self::Post),
            _ => Self::rare(text),
        }
    }

    /// All but GET and POST.
    fn rare(text: &'b [u8]) -> Option<Self> {
        Some(match text {
            b"HEAD" => Self::Head,
            b"PUT" => Self::Put,
            b"DELETE" => Self::Delete,
            b"OPTIONS" => Self::Options,
            b"PATCH" => Self::Patch,
            b"CONNECT" => Self::Connect,
            b"TRACE" => Self::Trace,
            _ if ascii::is_token(text) => Self::Extension(core::str::from_utf8(text).ok()?),
            _ => return None,
        })
    }

    /// The method as it stands in a request line.
    #[inline]
    pub const fn as_str(self) -> &'b str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Connect => "CONNECT",
            Self::Options => "OPTIONS",
            Self::Trace => "TRACE",
            Self::Patch => "PATCH",
            Self::Extension(text) => text,
        }
    }

    /// How many methods have a name here: all but [`Extension`](Self::Extension).
    #[cfg(feature = "net")]
    pub(crate) const NAMED: usize = 9;

    /// A number below [`NAMED`](Self::NAMED) that is the method's alone; that number
    /// for all others.
    #[cfg(feature = "net")]
    #[inline]
    pub(crate) const fn index(self) -> usize {
        match self {
            Self::Get => 0,
            Self::Head => 1,
            Self::Post => 2,
            Self::Put => 3,
            Self::Delete => 4,
            Self::Connect => 5,
            Self::Options => 6,
            Self::Trace => 7,
            Self::Patch => 8,
            Self::Extension(_) => Self::NAMED,
        }
    }

    /// Whether the method is safe (RFC 9110 §9.2.1).
    #[inline]
    pub const fn is_safe(self) -> bool {
        matches!(self, Self::Get | Self::Head | Self::Options | Self::Trace)
    }

    /// Whether the method is idempotent, so that a client may repeat it
    /// (RFC 9110 §9.2.2).
    #[inline]
    pub const fn is_idempotent(self) -> bool {
        self.is_safe() || matches!(self, Self::Put | Self::Delete)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_methods_agree() {
        for name in [
            "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
        ] {
            let method = Method::new(name.as_bytes()).unwrap();
            assert_eq!(method.as_str(), name);
            assert!(!matches!(method, Method::Extension(_)));
        }
        assert_eq!(Method::new(b"get"), Some(Method::Extension("get")));
        assert_eq!(Method::new(b""), None);
        assert_eq!(Method::new(b"GE{T"), None);
        assert_eq!(Method::new("GÉT".as_bytes()), None);
    }
}
