//! The page that a request comes from (RFC 6454 §7, WHATWG Fetch §3.1).

use core::net::Ipv6Addr;

use super::Fields;
use super::target::is_authority;
use crate::wire::simd;

/// The origin of a page: scheme, host and port, as browsers send them in the
/// field Origin.
///
/// Two are equal if all three parts are: scheme and host without regard to
/// case, IPv6 addresses as addresses, and a port that is left out as the
/// scheme's own. Browsers send host names outside of ASCII in Punycode
/// (`https://xn--bcher-kva.example`), and nothing else is an origin here.
///
/// ```
/// use barewire::http::Origin;
///
/// let origin = Origin::parse(b"https://example.com")?;
/// assert_eq!(origin, Origin::parse(b"https://Example.com:443")?);
/// assert!(origin.is_at("example.com:443") && !origin.is_at("example.com:8443"));
/// assert!(Origin::parse(b"null").is_err());
/// # Ok::<(), barewire::http::InvalidOrigin>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Origin<'b> {
    scheme: &'b str,
    host: &'b str,
    port: Option<u16>, // the scheme's own if the text has none
}

/// A text that is no `scheme://host[:port]`, such as `null`, or several origins
/// where one is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not one origin such as https://example.com (RFC 6454 §6.2)")]
pub struct InvalidOrigin;

impl<'b> Origin<'b> {
    /// Parses the text of one origin.
    ///
    /// # Errors
    /// [`InvalidOrigin`] for everything else: `null`, a path or a slash behind
    /// the host, user information, a port that is empty or none, a host outside
    /// of ASCII.
    pub fn parse(text: &'b [u8]) -> Result<Self, InvalidOrigin> {
        Self::read(text).ok_or(InvalidOrigin)
    }

    fn read(text: &'b [u8]) -> Option<Self> {
        let (scheme, authority) = simd::as_text(text)?.split_once("://")?;
        if !is_scheme(scheme) {
            return None;
        }
        let (host, port) = split(authority)?;
        let port = match port {
            None => default_port(scheme),
            Some(digits) => Some(digits.parse().ok()?),
        };
        Some(Self { scheme, host, port })
    }

    /// The origin that a request names, if it names one.
    ///
    /// # Errors
    /// [`InvalidOrigin`] if there are several Origin fields, or what the one
    /// holds is no origin.
    pub fn of(fields: &Fields<'b>) -> Result<Option<Self>, InvalidOrigin> {
        let mut values = fields.get_all("origin");
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(value), None) => Self::parse(value).map(Some),
            (Some(_), Some(_)) => Err(InvalidOrigin),
        }
    }

    /// The scheme, as it was sent.
    pub const fn scheme(&self) -> &'b str {
        self.scheme
    }

    /// The host, as it was sent; an IPv6 address in brackets.
    pub const fn host(&self) -> &'b str {
        self.host
    }

    /// The port: the scheme's own where the text has none, which `http` and
    /// `https` have.
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// Whether a page of this origin was loaded from `authority`, the host and
    /// port that a request is meant for: whether host and port are the same,
    /// and the scheme is `http` or `https`.
    ///
    /// Which of the two it is makes no difference, as a proxy may have ended
    /// TLS. An authority without a port has that of the scheme.
    pub fn is_at(&self, authority: &str) -> bool {
        let Some(default) = default_port(self.scheme) else {
            return false;
        };
        let Some((host, port)) = split(authority) else {
            return false;
        };
        let port = match port {
            None | Some("") => Some(default),
            Some(digits) => digits.parse().ok(),
        };
        port.is_some() && port == self.port && is_same_host(self.host, host)
    }
}

impl PartialEq for Origin<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.scheme.eq_ignore_ascii_case(other.scheme)
            && self.port == other.port
            && is_same_host(self.host, other.host)
    }
}

impl Eq for Origin<'_> {}

/// Host and port of an authority, the port without its colon; `None` if it is
/// none.
fn split(authority: &str) -> Option<(&str, Option<&str>)> {
    if !is_authority(authority) {
        return None;
    }
    Some(match authority.find(']') {
        Some(end) => {
            let (host, port) = authority.split_at(end + 1); // `]` is one byte
            (host, port.strip_prefix(':'))
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    })
}

fn is_same_host(one: &str, other: &str) -> bool {
    let address = |host: &str| -> Option<Ipv6Addr> {
        host.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
    };
    one.eq_ignore_ascii_case(other)
        || address(one).is_some_and(|address_of_one| address(other) == Some(address_of_one))
}

/// `ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )` (RFC 3986 §3.1).
fn is_scheme(text: &str) -> bool {
    let is_first = |b: &u8| b.is_ascii_alphabetic();
    let is_other = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
    text.as_bytes().first().is_some_and(is_first) && text.bytes().all(is_other)
}

const fn default_port(scheme: &str) -> Option<u16> {
    if scheme.eq_ignore_ascii_case("http") {
        Some(80)
    } else if scheme.eq_ignore_ascii_case("https") {
        Some(443)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Field;

    fn origin(text: &str) -> Origin<'_> {
        Origin::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn only_a_scheme_a_host_and_a_port_are_an_origin() {
        for text in [
            "http://a",
            "https://a.example:8443",
            "http://[::1]:3000",
            "http://127.0.0.1:1",
            "HTTP://A",
            "chrome-extension://abc",
            "capacitor://localhost",
            "https://xn--bcher-kva.example",
        ] {
            assert!(Origin::parse(text.as_bytes()).is_ok(), "{text}");
        }
        for text in [
            "",
            "null",
            "NULL",
            "a",
            "a:80",
            "//a",
            "://a",
            "http://",
            "http://a/",
            "http://a:",
            "http://a:x",
            "http://a:70000",
            "http://a:+1",
            "http://u@a",
            "http://u:p@a",
            "http://[::1",
            "http://::1",
            "http://a b",
            "http://a http://b",
            "http://a, http://b",
            "1http://a",
            "ht tp://a",
            "file://",
            "https://b\u{fc}cher.example",
            "http://a\u{0}",
            "http://a#",
            "http://a?",
            "http://a\\b",
        ] {
            assert!(Origin::parse(text.as_bytes()).is_err(), "{text:?}");
        }
        assert!(Origin::parse(b"http://\xff").is_err());
    }

    #[test]
    fn the_page_of_an_authority_has_its_host_and_its_port() {
        for (page, authority, same) in [
            ("https://example.com", "example.com", true),
            ("https://example.com", "EXAMPLE.com:443", true),
            ("https://example.com:443", "example.com", true),
            ("https://example.com", "example.com:", true),
            ("http://example.com", "example.com", true), // a proxy may have ended TLS
            ("http://example.com:80", "example.com", true),
            ("http://example.com", "example.com:443", false),
            ("https://example.com:80", "example.com", false),
            ("http://example.com:8080", "example.com:8080", true),
            ("http://example.com:08080", "example.com:8080", true),
            ("http://example.com:8080", "example.com", false),
            ("http://example.com", "example.com:8080", false),
            ("http://example.com", "example.com.", false),
            ("http://example.com", "www.example.com", false),
            ("http://www.example.com", "example.com", false),
            ("http://example.com.evil", "example.com", false),
            ("http://evil-example.com", "example.com", false),
            ("http://[::1]:80", "[0:0::1]", true),
            ("http://[::1]:3000", "[::1]:3000", true),
            ("http://[::1]:3000", "[::2]:3000", false),
            ("http://[::FFFF:7f00:1]", "[::ffff:127.0.0.1]", true),
            ("http://127.0.0.1", "[::ffff:127.0.0.1]", false),
            ("http://localhost:1", "127.0.0.1:1", false),
            ("capacitor://localhost", "localhost", false),
            ("capacitor://localhost:80", "localhost:80", false),
            ("http://a", "", false),
            ("http://a", "u@a", false),
            ("http://a", "a, a", false),
        ] {
            assert_eq!(origin(page).is_at(authority), same, "{page} {authority}");
        }
    }

    #[test]
    fn origins_are_equal_in_all_three_parts() {
        assert_eq!(origin("https://a"), origin("HTTPS://A:443"));
        assert_eq!(origin("http://[::1]"), origin("http://[0::1]:80"));
        assert_eq!(origin("app://a"), origin("app://a"));
        assert_ne!(origin("https://a"), origin("http://a"));
        assert_ne!(origin("https://a"), origin("https://a:8443"));
        assert_ne!(origin("https://a"), origin("https://b"));
        assert_ne!(origin("app://a"), origin("app://a:1"));
    }

    #[test]
    fn a_request_has_one_origin_or_none() {
        let field = Field::new("Origin", "https://a");
        let none = Origin::of(&Fields::EMPTY);
        assert_eq!(none, Ok(None));
        let one = [field];
        assert_eq!(
            Origin::of(&Fields::new(&one)),
            Ok(Some(origin("https://a")))
        );
        let two = [field, field];
        assert_eq!(Origin::of(&Fields::new(&two)), Err(InvalidOrigin));
        let null = [Field::new("origin", "null")];
        assert_eq!(Origin::of(&Fields::new(&null)), Err(InvalidOrigin));
    }
}
