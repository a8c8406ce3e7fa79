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

/// A URL of `http`, `https`, `ws` or `wss`, parsed and brought into one form: scheme and
/// host in lower case, an IPv6 address in its shortest form, the scheme's own port left
/// out, no `.` and `..` in its path, and everything percent-encoded that a request target
/// may not hold.
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
    /// One past the host.
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
    /// What RFC 3986 does not allow in a path, a query or a fragment is percent-encoded,
    /// as browsers do. A host outside of ASCII is converted by IDNA (feature `idna`).
    ///
    /// # Errors
    /// [`UrlError`] names the part that is at fault. Whitespace, control bytes and a
    /// backslash in front of the path are errors, and so is port 0.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        if text.is_empty() {
            return Err(UrlError::Empty);
        }
        let blank = |b: u8| b <= b' ' || b == 0x7f;
        if let Some(at) = text.bytes().position(blank) {
            return Err(UrlError::Whitespace { at });
        }
        let (scheme, rest) = text.split_once("://").ok_or(UrlError::NoScheme)?;
        let scheme = Scheme::parse(scheme).ok_or(match part::is_scheme(scheme) {
            true => UrlError::Scheme,
            false => UrlError::NoScheme,
        })?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end); // a boundary: ASCII
        let (credentials, authority) = Credentials::split_from(authority)?;
        let mut url = String::with_capacity(text.len() + 1);
        url.push_str(scheme.as_str());
        url.push_str("://");
        let port = host::push_authority(authority, scheme.default_port(), &mut url)?;
        Self::with_rest(url, scheme, port, rest, credentials)
    }

    /// Appends path, query and fragment to `text`, which ends behind the authority.
    fn with_rest(
        mut text: String,
        scheme: Scheme,
        port: u16,
        rest: &str,
        credentials: Option<Credentials>,
    ) -> Result<Self, UrlError> {
        let authority = scheme.as_str().len() + 3;
        let host_end = host::end(text.get(authority..).unwrap_or_default()) + authority;
        let (rest, fragment) = part::split_at(rest, '#');
        let (raw_path, raw_query) = part::split_at(rest, '?');
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

    /// What a reference means on a page of this URL (RFC 3986 §5.2): the value of a
    /// Location field, say. Credentials are kept where the reference names no authority.
    ///
    /// # Errors
    /// [`UrlError`] if the result is no URL of the schemes that are known.
    pub fn join(&self, reference: &str) -> Result<Self, UrlError> {
        let blank = |b: u8| b <= b' ' || b == 0x7f;
        if let Some(at) = reference.bytes().position(blank) {
            return Err(UrlError::Whitespace { at });
        }
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

    /// What stands between `?` and `#`, percent-encoded.
    pub fn query(&self) -> Option<&str> {
        self.between(self.parts.query, self.parts.fragment)
            .strip_prefix('?')
    }

    /// What follows the `#`, percent-encoded. It is never sent.
    pub fn fragment(&self) -> Option<&str> {
        self.between(self.parts.fragment, self.parts.text.len())
            .strip_prefix('#')
    }

    /// Path and query: the target of a request (RFC 9112 §3.2.1).
    pub fn target(&self) -> &str {
        self.between(self.parts.path, self.parts.fragment)
    }

    /// Scheme, host and port, without a slash behind them.
    pub fn origin(&self) -> &str {
        self.between(0, self.parts.path)
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
    }

    #[test]
    fn a_url_has_one_form() {
        for (text, form) in [
            ("http://a", "http://a/"),
            ("HTTP://EXAMPLE.com:80", "http://example.com/"),
            ("https://a:443/x", "https://a/x"),
            ("https://a:80/x", "https://a:80/x"),
            ("http://a:/x", "http://a/x"),
            ("http://a:0080/", "http://a/"),
            ("ws://a:8080", "ws://a:8080/"),
            ("wss://a:443?x", "wss://a/?x"),
            ("http://a?x#y", "http://a/?x#y"),
            ("http://a#y?z", "http://a/#y?z"),
            ("http://a/?", "http://a/?"),
            ("http://[0:0::1]:80/", "http://[::1]/"),
            ("http://[::FFFF:1.2.3.4]:81", "http://[::ffff:1.2.3.4]:81/"),
            ("http://127.0.0.1:1", "http://127.0.0.1:1/"),
            ("http://a_b.c-d./", "http://a_b.c-d./"),
            ("http://a/./b/../c/.", "http://a/c/"),
            ("http://a/../../b/..", "http://a/"),
            ("http://a/b//../c", "http://a/b/c"),
            ("http://a/...", "http://a/..."),
            (
                "http://a/\u{e4}?\u{fc}#\u{f6}",
                "http://a/%C3%A4?%C3%BC#%C3%B6",
            ),
            (
                "http://a/{\"<>`}|^\\",
                "http://a/%7B%22%3C%3E%60%7D%7C%5E%5C",
            ),
            ("http://a/[]?[]'", "http://a/%5B%5D?%5B%5D'"),
            ("http://a/%2f%7e?%aF", "http://a/%2f%7e?%aF"),
            ("http://a/;=,:@!$&'()*+-._~", "http://a/;=,:@!$&'()*+-._~"),
            ("http://a//b", "http://a//b"),
            ("http://a/?a/b?c", "http://a/?a/b?c"),
        ] {
            let parsed = url(text);
            assert_eq!(parsed.as_str(), form, "{text}");
            assert_eq!(url(form), parsed, "{text}: its form is another URL");
        }
    }

    #[test]
    fn what_is_no_url_is_refused_by_its_part() {
        use UrlError::*;
        for (text, error) in [
            ("", Empty),
            (" http://a", Whitespace { at: 0 }),
            ("http://a/b c", Whitespace { at: 10 }),
            ("http://a/\n", Whitespace { at: 9 }),
            ("http://a/\0", Whitespace { at: 9 }),
            ("http://a\x7f", Whitespace { at: 8 }),
            ("a", NoScheme),
            ("//a", NoScheme),
            ("/a", NoScheme),
            ("a:80", NoScheme),
            ("http:/a", NoScheme),
            ("1http://a", NoScheme),
            ("ht+tp://a", Scheme),
            ("ftp://a", Scheme),
            ("file:///a", Scheme),
            ("httpss://a", Scheme),
            ("http://", NoHost),
            ("http:///a", NoHost),
            ("http://:80", NoHost),
            ("http://u@:80", NoHost),
            ("http://?a", NoHost),
            ("http://a b", Whitespace { at: 8 }),
            ("http://a\\b", Host),
            ("http://good\\@evil/", Host),
            ("http://a%41", Host),
            ("http://a..b", Host),
            ("http://.a", Host),
            ("http://.", Host),
            ("http://a<b", Host),
            ("http://::1", Port),
            ("http://[::1", Ipv6),
            ("http://[::1]x", Port),
            ("http://[]", Ipv6),
            ("http://[v1.a]", Ipv6),
            ("http://[fe80::1%25eth0]", Ipv6),
            ("http://127.1", Ipv4),
            ("http://1", Ipv4),
            ("http://0x7f.0.0.1", Ipv4),
            ("http://127.0.0.1.", Ipv4),
            ("http://127.0.0.01", Ipv4),
            ("http://256.0.0.1", Ipv4),
            ("http://1.2.3.4.5", Ipv4),
            ("http://a.0x1", Ipv4),
            ("http://a:65536", Port),
            ("http://a:0", Port),
            ("http://a:+1", Port),
            ("http://a:x", Port),
            ("http://a:1:2", Port),
            ("http://a@b@c", UserInfo),
            ("http://a:\u{e4}@b", UserInfo),
            ("http://a%4@b", UserInfo),
            ("http://%ff@b", UserInfo),
            ("http://u\\@b", Host),
            ("http://a/%", Path),
            ("http://a/%4", Path),
            ("http://a/%zz", Path),
            ("http://a/?%", Query),
            ("http://a/#%1", Fragment),
        ] {
            assert_eq!(Url::parse(text), Err(error), "{text:?}");
        }
        let label = "a".repeat(64);
        let name = ["a"; 128].join(".");
        for host in [&label, &name] {
            let text = alloc::format!("http://{host}/");
            assert_eq!(Url::parse(&text), Err(Host), "{text}");
        }
    }

    #[test]
    fn no_text_of_a_url_shows_its_credentials() {
        let url = url("https://us%65r:pa%3Ass@a:8443/x?y");
        assert_eq!(url.username(), Some("user"));
        assert_eq!(url.password(), Some("pa:ss"));
        let shown = alloc::format!("{url} {url:?} {}", url.as_str());
        assert!(!shown.contains("user") && !shown.contains("pa"), "{shown}");
        assert_eq!(url.authority(), "a:8443");
        assert_eq!(url.origin(), "https://a:8443");
        assert_eq!(url.target(), "/x?y");
        assert_ne!(url, super::tests::url("https://a:8443/x?y"));
        let none = super::tests::url("https://@a/");
        assert_eq!((none.username(), none.password()), (None, None));
        let empty = super::tests::url("https://u:@a/");
        assert_eq!((empty.username(), empty.password()), (Some("u"), Some("")));
    }

    /// The examples of RFC 3986 §5.4, whose base has another host here.
    #[test]
    fn references_mean_what_the_standard_says() {
        let base = url("http://a/b/c/d;p?q");
        for (reference, expected) in [
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g/"),
            ("?y", "http://a/b/c/d;p?y"),
            ("g?y", "http://a/b/c/g?y"),
            ("#s", "http://a/b/c/d;p?q#s"),
            ("g#s", "http://a/b/c/g#s"),
            ("g?y#s", "http://a/b/c/g?y#s"),
            (";x", "http://a/b/c/;x"),
            ("g;x", "http://a/b/c/g;x"),
            ("g;x?y#s", "http://a/b/c/g;x?y#s"),
            ("", "http://a/b/c/d;p?q"),
            (".", "http://a/b/c/"),
            ("./", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../", "http://a/b/"),
            ("../g", "http://a/b/g"),
            ("../..", "http://a/"),
            ("../../", "http://a/"),
            ("../../g", "http://a/g"),
            ("../../../g", "http://a/g"),
            ("../../../../g", "http://a/g"),
            ("/./g", "http://a/g"),
            ("/../g", "http://a/g"),
            ("g.", "http://a/b/c/g."),
            (".g", "http://a/b/c/.g"),
            ("g..", "http://a/b/c/g.."),
            ("..g", "http://a/b/c/..g"),
            ("./../g", "http://a/b/g"),
            ("./g/.", "http://a/b/c/g/"),
            ("g/./h", "http://a/b/c/g/h"),
            ("g/../h", "http://a/b/c/h"),
            ("g;x=1/./y", "http://a/b/c/g;x=1/y"),
            ("g;x=1/../y", "http://a/b/c/y"),
            ("g?y/./x", "http://a/b/c/g?y/./x"),
            ("g?y/../x", "http://a/b/c/g?y/../x"),
            ("g#s/./x", "http://a/b/c/g#s/./x"),
            ("https://b:1/", "https://b:1/"),
            ("?a:b", "http://a/b/c/d;p?a:b"),
            ("g/a:b", "http://a/b/c/g/a:b"),
        ] {
            let joined = base.join(reference).unwrap();
            assert_eq!(joined.as_str(), expected, "{reference}");
        }
        for (reference, error) in [
            ("g:h", UrlError::NoScheme),
            ("javascript:x", UrlError::NoScheme),
            ("ftp://x", UrlError::Scheme),
            ("http:g", UrlError::NoScheme),
            ("//", UrlError::NoHost),
            ("a b", UrlError::Whitespace { at: 1 }),
        ] {
            assert_eq!(base.join(reference), Err(error), "{reference}");
        }
    }

    #[test]
    fn credentials_stay_where_the_authority_does() {
        let base = url("http://u:p@a/b");
        assert_eq!(base.join("c").unwrap().username(), Some("u"));
        assert_eq!(base.join("//a/c").unwrap().username(), None);
        assert_eq!(base.join("http://a/c").unwrap().username(), None);
    }

    #[cfg(not(feature = "idna"))]
    #[test]
    fn without_idna_a_host_is_ascii() {
        let error = UrlError::NotAscii;
        assert_eq!(Url::parse("http://b\u{fc}cher.example/"), Err(error));
    }

    #[cfg(feature = "idna")]
    #[test]
    fn a_host_outside_of_ascii_is_converted() {
        for (text, host) in [
            ("http://B\u{fc}cher.example/", "xn--bcher-kva.example"),
            ("http://fa\u{df}.de", "xn--fa-hia.de"),
            ("http://\u{ff21}.com", "a.com"),
            ("http://a\u{3002}b", "a.b"),
            ("http://xn--bcher-kva.example", "xn--bcher-kva.example"),
            // Digits of another script are an address all the same.
            ("http://\u{ff11}.0.0.1", "1.0.0.1"),
        ] {
            assert_eq!(url(text).host(), host, "{text}");
        }
        for (text, error) in [
            ("http://a\u{200e}b.example/", UrlError::Host),
            ("http://\u{fffd}.example/", UrlError::Host),
            ("http://xn--a.example/", UrlError::Host),
            ("http://a\u{ff0f}b/", UrlError::Host), // a slash of another width
            ("http://a\u{ff20}b/", UrlError::Host),
            ("http://\u{ff11}/", UrlError::Ipv4),
        ] {
            assert_eq!(Url::parse(text), Err(error), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_url_with_one_form_or_none(text in "(https?|ws)://[ -~\u{e0}-\u{ff}]{0,24}") {
            if let Ok(parsed) = Url::parse(&text) {
                let again = Url::parse(parsed.as_str());
                prop_assert_eq!(again.as_ref().map(Url::as_str), Ok(parsed.as_str()));
                prop_assert!(parsed.as_str().bytes().all(|b| (b'!'..=b'~').contains(&b)));
                let target = crate::http::Target::parse(
                    parsed.target().as_bytes(),
                    crate::http::Method::GET,
                );
                prop_assert!(target.is_ok_and(|it| it.is_rfc3986()));
                prop_assert!(crate::http::target::is_authority(parsed.authority()));
            }
        }

        #[test]
        fn any_reference_joins_to_a_url_or_none(reference in "[ -~]{0,24}") {
            let base = Url::parse("https://a:1/b/c?d#e").unwrap();
            if let Ok(joined) = base.join(&reference) {
                let again = Url::parse(joined.as_str());
                prop_assert_eq!(again.as_ref().map(Url::as_str), Ok(joined.as_str()));
            }
        }
    }
}
