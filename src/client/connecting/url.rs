//! URLs of servers (RFC 3986, of the schemes that clients here speak).
//!
//! ```text
//!   https://user:secret@example.org:8443/a/b?c=d#e
//!   └─┬─┘   └────┬────┘ └────┬────┘ └┬─┘└┬─┘ └┬┘ │
//!   scheme  credentials     host   port path query fragment
//! ```
//!
//! Credentials are kept apart from the text, so that nothing that shows a URL shows them.

mod credentials;
mod error;
mod host;
mod part;
mod reference;

use alloc::string::String;
use alloc::sync::Arc;
use core::fmt::{self, Write as _};
use core::hash::{Hash, Hasher};
use core::str::FromStr;

use credentials::Credentials;
pub use error::UrlError;

/// A URL of `http`, `https`, `ws` or `wss`, parsed and normalized: scheme and host in
/// lower case, an IPv6 address in its shortest form, the scheme's own port left out, no
/// `.` and `..` in its path, and everything percent-encoded that a request target may not
/// hold.
///
/// A clone shares its text. [`Display`](fmt::Display) and [`Debug`](fmt::Debug) never
/// show user and password.
///
/// ```
/// use barewire::client::{Url, UrlError};
///
/// let url = Url::parse("HTTPS://user:secret@Example.org:443/a/../b?c=d#e")?;
/// assert_eq!(url.as_str(), "https://example.org/b?c=d#e");
/// assert_eq!((url.host(), url.port()), ("example.org", 443));
/// assert_eq!((url.path(), url.query()), ("/b", Some("c=d")));
/// assert_eq!(url.username(), Some("user"));
/// assert_eq!(url.join("../x")?.as_str(), "https://example.org/x");
/// assert_eq!(Url::parse("https://example.org:x/"), Err(UrlError::Port));
/// # Ok::<(), UrlError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Url {
    parts: Arc<Parts>,
}

/// The text, and where its parts begin.
struct Parts {
    text: String,
    scheme: Scheme,
    port: u16,
    host_end: usize,
    path: usize,
    /// The `?`, or where the path ends.
    query: usize,
    /// The `#`, or the end.
    fragment: usize,
    credentials: Option<Credentials>,
}

// The text says everything but the credentials.
impl PartialEq for Parts {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.credentials == other.credentials
    }
}

impl Eq for Parts {}

impl Hash for Parts {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
    Ws,
    Wss,
}

impl Scheme {
    fn parse(text: &str) -> Option<Self> {
        [Self::Http, Self::Https, Self::Ws, Self::Wss]
            .into_iter()
            .find(|scheme| text.eq_ignore_ascii_case(scheme.as_str()))
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Ws => "ws",
            Self::Wss => "wss",
        }
    }

    const fn is_secure(self) -> bool {
        matches!(self, Self::Https | Self::Wss)
    }

    const fn default_port(self) -> u16 {
        if self.is_secure() { 443 } else { 80 }
    }
}

impl Url {
    /// Parses an absolute URL.
    ///
    /// Characters that RFC 3986 does not allow in a path, a query or a fragment are
    /// percent-encoded, as browsers do. A host outside of ASCII is converted by IDNA
    /// (feature `idna`).
    ///
    /// # Errors
    /// [`UrlError`] names the part that is at fault. Whitespace, control bytes and a
    /// backslash in front of the path are errors, and so is port 0.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        if text.is_empty() {
            return Err(UrlError::Empty);
        }
        part::refuse_blanks(text)?;
        let (scheme, rest) = part::split_scheme(text).ok_or(UrlError::NoScheme)?;
        let scheme = Scheme::parse(scheme).ok_or(match part::is_scheme(scheme) {
            true => UrlError::Scheme,
            false => UrlError::NoScheme,
        })?;
        let ends = |b: u8| matches!(b, b'/' | b'?' | b'#');
        let end = rest.bytes().position(ends).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end); // a boundary: ASCII
        let (credentials, authority) = Credentials::split_from(authority)?;
        let mut url = String::with_capacity(text.len() + 1);
        url.push_str(scheme.as_str());
        url.push_str("://");
        let port = host::push_authority(authority, scheme.default_port(), &mut url)?;
        Self::with_rest(url, scheme, port, rest, credentials)
    }

    /// Appends path, query and fragment to `text`, which ends with the authority.
    fn with_rest(
        mut text: String,
        scheme: Scheme,
        port: u16,
        rest: &str,
        credentials: Option<Credentials>,
    ) -> Result<Self, UrlError> {
        let authority = scheme.as_str().len() + 3;
        let host_end = host::end(text.get(authority..).unwrap_or_default()) + authority;
        let (rest, fragment) = part::split_at(rest, b'#');
        let (raw_path, raw_query) = part::split_at(rest, b'?');
        let path = text.len();
        part::push_path(raw_path, &mut text)?;
        let query = text.len();
        if let Some(raw) = raw_query {
            text.push('?');
            part::push_encoded(raw, part::Kind::Query, &mut text)?;
        }
        let at_fragment = text.len();
        if let Some(raw) = fragment {
            text.push('#');
            part::push_encoded(raw, part::Kind::Fragment, &mut text)?;
        }
        Ok(Self {
            parts: Arc::new(Parts {
                text,
                scheme,
                port,
                host_end,
                path,
                query,
                fragment: at_fragment,
                credentials,
            }),
        })
    }

    /// Resolves a reference against this URL (RFC 3986 §5.2): the value of a Location
    /// field, say. Credentials are kept if the reference names no authority.
    ///
    /// # Errors
    /// [`UrlError`] if the result is not a URL, or its scheme is not known.
    pub fn join(&self, reference: &str) -> Result<Self, UrlError> {
        part::refuse_blanks(reference)?;
        if reference::has_scheme(reference) {
            return Self::parse(reference);
        }
        let parts = &*self.parts;
        if reference.starts_with("//") {
            let mut text = String::with_capacity(reference.len() + 6);
            // Writing to a String never fails.
            let _ = write!(text, "{}:{reference}", parts.scheme.as_str());
            return Self::parse(&text);
        }
        let rest = reference::merge(self.path(), self.query(), reference);
        let start = self.between(0, parts.path);
        Self::with_rest(
            String::from(start),
            parts.scheme,
            parts.port,
            &rest,
            parts.credentials.clone(),
        )
    }

    /// This URL with another query, which is percent-encoded where it is not.
    ///
    /// # Errors
    /// [`UrlError::Query`] if it has a `%` without two hexadecimal digits.
    pub fn with_query(&self, query: &str) -> Result<Self, UrlError> {
        let parts = &*self.parts;
        let start = String::from(self.between(0, parts.path));
        let mut rest = String::from(self.path());
        rest.push('?');
        rest.push_str(&query.replace('#', "%23"));
        if let Some(fragment) = self.fragment() {
            rest.push('#');
            rest.push_str(fragment);
        }
        Self::with_rest(
            start,
            parts.scheme,
            parts.port,
            &rest,
            parts.credentials.clone(),
        )
    }

    /// The part from one offset to another.
    fn between(&self, from: usize, to: usize) -> &str {
        // Offsets into the text that it was made with.
        self.parts.text.get(from..to).unwrap_or_default()
    }

    /// The complete text, without user and password.
    pub fn as_str(&self) -> &str {
        &self.parts.text
    }

    /// `http`, `https`, `ws` or `wss`.
    pub fn scheme(&self) -> &str {
        self.parts.scheme.as_str()
    }

    /// Whether the scheme asks for TLS: `https` and `wss`.
    pub fn is_secure(&self) -> bool {
        self.parts.scheme.is_secure()
    }

    /// Whether the scheme is that of a WebSocket: `ws` and `wss`.
    pub fn is_websocket(&self) -> bool {
        matches!(self.parts.scheme, Scheme::Ws | Scheme::Wss)
    }

    /// The host: a name in ASCII, or an address, IPv6 in brackets.
    pub fn host(&self) -> &str {
        self.between(self.scheme().len() + 3, self.parts.host_end)
    }

    /// The port: the scheme's own if the text has none.
    pub fn port(&self) -> u16 {
        self.parts.port
    }

    /// Host and port, the port left out where it is the scheme's own: what a Host field
    /// says (RFC 9110 §7.2).
    pub fn authority(&self) -> &str {
        self.between(self.scheme().len() + 3, self.parts.path)
    }

    /// The path, with its leading slash.
    pub fn path(&self) -> &str {
        self.between(self.parts.path, self.parts.query)
    }

    /// The text between `?` and `#`, percent-encoded.
    pub fn query(&self) -> Option<&str> {
        self.between(self.parts.query, self.parts.fragment)
            .strip_prefix('?')
    }

    /// The text after the `#`, percent-encoded. It is never sent.
    pub fn fragment(&self) -> Option<&str> {
        self.between(self.parts.fragment, self.parts.text.len())
            .strip_prefix('#')
    }

    /// Path and query: the target of a request (RFC 9112 §3.2.1).
    pub fn target(&self) -> &str {
        self.between(self.parts.path, self.parts.fragment)
    }

    /// Scheme, host and port, without a trailing slash.
    pub fn origin(&self) -> &str {
        self.between(0, self.parts.path)
    }

    /// The form for errors: without the query, which may hold a token.
    pub(crate) const fn shown(&self) -> ShownUrl<'_> {
        ShownUrl(self)
    }

    /// The user, percent-decoded, if the text had one.
    pub fn username(&self) -> Option<&str> {
        Some(self.parts.credentials.as_ref()?.username())
    }

    /// The password, percent-decoded, if the text had one.
    pub fn password(&self) -> Option<&str> {
        self.parts.credentials.as_ref()?.password()
    }
}

/// A URL without its secrets: of a query only that there is one.
pub(crate) struct ShownUrl<'a>(&'a Url);

impl fmt::Display for ShownUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let query = self.0.query().map_or("", |_| "?...");
        write!(f, "{}{}{query}", self.0.origin(), self.0.path())
    }
}

impl fmt::Debug for ShownUrl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Without user and password.
impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Without user and password.
impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl FromStr for Url {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        Self::parse(text)
    }
}

impl TryFrom<&str> for Url {
    type Error = UrlError;

    fn try_from(text: &str) -> Result<Self, UrlError> {
        Self::parse(text)
    }
}

impl AsRef<str> for Url {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

#[cfg(test)]
mod tests;
