//! Request targets (RFC 9112 §3.2) and what lies in them.

#[cfg(feature = "alloc")]
use alloc::{borrow::Cow, string::String, vec::Vec};

use core::fmt;

use super::Method;
use crate::wire::{ascii, simd};

/// A request target in one of its four forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target<'b> {
    /// `/path?query` (RFC 9112 §3.2.1).
    Origin {
        /// The path, with its leading slash, percent-encoded as sent.
        path: &'b str,
        /// The text after the first `?`.
        query: Option<&'b str>,
    },
    /// `http://host:port/path?query` (RFC 9112 §3.2.2).
    Absolute {
        /// The scheme, as sent.
        scheme: &'b str,
        /// Host and port.
        authority: &'b str,
        /// The path; `/` where the target has none.
        path: &'b str,
        /// The text after the first `?`.
        query: Option<&'b str>,
    },
    /// `host:port`, only with CONNECT (RFC 9112 §3.2.3).
    Authority(&'b str),
    /// `*`, only with OPTIONS (RFC 9112 §3.2.4).
    Asterisk,
}

/// A target that fits none of the four forms, or not this method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("request target fits no form for its method (RFC 9112 §3.2)")]
pub struct InvalidTarget;

impl<'b> Target<'b> {
    /// Parses the target of a request with this method: what RFC 3986 allows, and
    /// what browsers send beyond it (WHATWG URL §1.3), `|`, `^`, `[` and `]` in
    /// paths and `{`, `}`, `\` and the grave accent besides in queries.
    /// [`is_rfc3986`](Self::is_rfc3986) is stricter.
    ///
    /// # Errors
    /// [`InvalidTarget`] if it fits none of the four forms, or a form that does
    /// not go with the method.
    pub fn parse(text: &'b [u8], method: Method<'_>) -> Result<Self, InvalidTarget> {
        match Self::path_in(text, 0, text.len()) {
            Some((path, query)) if method != Method::CONNECT => Ok(Self::Origin { path, query }),
            _ => Self::parse_rare(text, method),
        }
    }

    /// Path and query of the target from `from` to `to` in a text that may be read beyond it;
    /// `None` if it has another form.
    #[inline(always)]
    pub(crate) fn path_in(
        text: &'b [u8],
        from: usize,
        to: usize,
    ) -> Option<(&'b str, Option<&'b str>)> {
        if text.get(from) != Some(&b'/') {
            return None;
        }
        let (target, question) = simd::text::target(text, from, to)?;
        Some(split_query(target, question))
    }

    /// The origin form of `text`, which is a target with a leading slash.
    pub(crate) fn parse_origin(text: &'b str) -> Self {
        let (path, query) = split_query(text, text.find('?'));
        Self::Origin { path, query }
    }

    /// The forms without a leading slash.
    #[cold]
    fn parse_rare(text: &'b [u8], method: Method<'_>) -> Result<Self, InvalidTarget> {
        let (text, question) = simd::text::target(text, 0, text.len()).ok_or(InvalidTarget)?;
        match (method, text) {
            (Method::CONNECT, _) if is_authority(text) && has_port(text) => {
                Ok(Self::Authority(text))
            }
            (Method::CONNECT, _) => Err(InvalidTarget),
            (Method::OPTIONS, "*") => Ok(Self::Asterisk),
            _ => Self::parse_absolute(text, question),
        }
    }

    fn parse_absolute(text: &'b str, question: Option<usize>) -> Result<Self, InvalidTarget> {
        let (text, query) = split_query(text, question);
        let (scheme, rest) = text.split_once("://").ok_or(InvalidTarget)?;
        let known = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
        let end = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end); // `end` is a boundary: ASCII
        if !known || !is_authority(authority) {
            return Err(InvalidTarget);
        }
        let path = if path.is_empty() { "/" } else { path };
        Ok(Self::Absolute {
            scheme,
            authority,
            path,
            query,
        })
    }

    /// Whether path and query are those of RFC 3986 alone, without what browsers
    /// send beyond it.
    ///
    /// ```
    /// use barewire::http::{Method, Target};
    ///
    /// let is_strict = |text: &'static str| {
    ///     Target::parse(text.as_bytes(), Method::GET).map(|target| target.is_rfc3986())
    /// };
    /// assert_eq!(is_strict("/a%20b?c=d"), Ok(true));
    /// assert_eq!(is_strict("/a|b?c={d}"), Ok(false));
    /// assert_eq!(is_strict("/100%"), Ok(false));
    /// assert!(is_strict("/a{b}").is_err());
    /// ```
    pub fn is_rfc3986(&self) -> bool {
        match *self {
            Self::Origin { path, query } | Self::Absolute { path, query, .. } => {
                is_pchars(path, b"/") && query.is_none_or(|query| is_pchars(query, b"/?"))
            }
            Self::Authority(_) | Self::Asterisk => true,
        }
    }

    /// The path: `*` for the asterisk form, empty for the authority form.
    #[inline]
    pub const fn path(&self) -> &'b str {
        match *self {
            Self::Origin { path, .. } | Self::Absolute { path, .. } => path,
            Self::Authority(_) => "",
            Self::Asterisk => "*",
        }
    }

    /// The text after the first `?`.
    #[inline]
    pub const fn query(&self) -> Option<&'b str> {
        match *self {
            Self::Origin { query, .. } | Self::Absolute { query, .. } => query,
            Self::Authority(_) | Self::Asterisk => None,
        }
    }

    /// The authority that the target itself names.
    #[inline]
    pub const fn authority(&self) -> Option<&'b str> {
        match *self {
            Self::Absolute { authority, .. } | Self::Authority(authority) => Some(authority),
            Self::Origin { .. } | Self::Asterisk => None,
        }
    }
}

/// The target as it stands in a request line, but for `/` in place of a missing path.
impl fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Authority(authority) => return f.write_str(authority),
            Self::Absolute {
                scheme, authority, ..
            } => write!(f, "{scheme}://{authority}")?,
            Self::Origin { .. } | Self::Asterisk => {}
        }
        f.write_str(self.path())?;
        match self.query() {
            Some(query) => write!(f, "?{query}"),
            None => Ok(()),
        }
    }
}

/// The text before the `?`, and the text after it. All of `text` is US-ASCII.
#[inline]
fn split_query(text: &str, question: Option<usize>) -> (&str, Option<&str>) {
    match question.and_then(|at| text.split_at_checked(at)) {
        Some((path, query)) => (path, query.get(1..)),
        None => (text, None),
    }
}

fn has_port(authority: &str) -> bool {
    authority
        .rsplit_once(':')
        .is_some_and(|(_, port)| !port.is_empty())
}

/// Whether `text` is `uri-host [ ":" port ]` with a host and no userinfo
/// (RFC 9110 §4.2.4, RFC 3986 §3.2).
pub fn is_authority(text: &str) -> bool {
    let (host, port) = match text.as_bytes() {
        [b'[', ..] => match text.find(']') {
            Some(end) => text.split_at(end + 1), // `]` is one byte
            None => return false,
        },
        _ => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let port_ok = match port.as_bytes() {
        [] => true,
        [b':', digits @ ..] => {
            digits.is_empty() || ascii::parse_decimal(digits).is_some_and(|port| port <= 65535)
        }
        _ => false,
    };
    port_ok && is_host(host)
}

/// Whether `host` is an IP literal in brackets, an IPv4 address or a
/// registered name (RFC 3986 §3.2.2), and not empty.
fn is_host(host: &str) -> bool {
    if let Some(literal) = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        return literal.parse::<core::net::Ipv6Addr>().is_ok() || is_ip_future(literal);
    }
    !host.is_empty() && is_encoded(host, is_unreserved_or_sub_delim)
}

/// Whether `text` is made of `pchar` (RFC 3986 §3.3) and these octets.
fn is_pchars(text: &str, more: &[u8]) -> bool {
    is_encoded(text, |b| {
        is_unreserved_or_sub_delim(b) || matches!(b, b':' | b'@') || more.contains(&b)
    })
}

/// Whether `text` is made of octets that may stand for themselves, and of others
/// as `%` and two hexadecimal digits.
fn is_encoded(text: &str, is_plain: impl Fn(u8) -> bool) -> bool {
    let mut bytes = text.bytes();
    while let Some(b) = bytes.next() {
        let mut digit = || bytes.next().is_some_and(|b| b.is_ascii_hexdigit());
        let fits = match b {
            b'%' => digit() && digit(),
            _ => is_plain(b),
        };
        if !fits {
            return false;
        }
    }
    true
}

/// Whether a path, and a query after it, can stand in a request: a server reads
/// them as they were sent.
pub(crate) fn can_be_sent(path: &str, query: Option<&str>) -> bool {
    let plain = |b: &u8| ascii::is_in_path(*b) && *b != b'?';
    path.as_bytes().iter().all(plain)
        && query.is_none_or(|query| query.bytes().all(ascii::is_in_target))
}

/// `"v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" )` (RFC 3986 §3.2.2).
fn is_ip_future(literal: &str) -> bool {
    let Some((version, rest)) = literal
        .strip_prefix(['v', 'V'])
        .and_then(|rest| rest.split_once('.'))
    else {
        return false;
    };
    !version.is_empty()
        && version.bytes().all(|b| b.is_ascii_hexdigit())
        && !rest.is_empty()
        && rest
            .bytes()
            .all(|b| b == b':' || is_unreserved_or_sub_delim(b))
}

const fn is_unreserved_or_sub_delim(b: u8) -> bool {
    b.is_ascii_alphanumeric()
        || matches!(
            b,
            b'-' | b'.'
                | b'_'
                | b'~'
                | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b';'
                | b'='
        )
}

/// The pairs of a query, as they stand between `&` and around the first `=`,
/// still percent-encoded. Empty pieces are skipped.
///
/// ```
/// use barewire::http::target::query_pairs;
///
/// let pairs = query_pairs("a=1&&b&c=2=3");
/// assert!(pairs.eq([("a", "1"), ("b", ""), ("c", "2=3")]));
/// ```
pub fn query_pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query
        .split('&')
        .filter(|piece| !piece.is_empty())
        .map(|piece| piece.split_once('=').unwrap_or((piece, "")))
}

/// How [`percent_decode`] reads a `+`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plus {
    /// It stays a `+`: in paths (RFC 3986).
    Kept,
    /// It becomes a space: in queries written by forms (WHATWG URL §5.1).
    Space,
}

/// Decodes `%HH` into octets. `None` if a `%` is not followed by two
/// hexadecimal digits, or the result is not UTF-8. Borrows where there is
/// nothing to decode.
///
/// ```
/// use barewire::http::target::{Plus, percent_decode};
///
/// assert_eq!(percent_decode("caf%C3%A9+", Plus::Kept).unwrap(), "café+");
/// assert_eq!(percent_decode("a+b", Plus::Space).unwrap(), "a b");
/// assert_eq!(percent_decode("%4", Plus::Kept), None);
/// ```
#[cfg(feature = "alloc")]
pub fn percent_decode(text: &str, plus: Plus) -> Option<Cow<'_, str>> {
    let spaced = plus == Plus::Space;
    if !text.bytes().any(|b| b == b'%' || (spaced && b == b'+')) {
        return Some(Cow::Borrowed(text));
    }
    let mut octets = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(b) = bytes.next() {
        octets.push(match b {
            b'%' => ascii::hex_digit(bytes.next()?)? << 4 | ascii::hex_digit(bytes.next()?)?,
            b'+' if spaced => b' ',
            _ => b,
        });
    }
    String::from_utf8(octets).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests;
