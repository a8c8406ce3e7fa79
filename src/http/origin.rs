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
    /// [`InvalidOrigin`] for everything else: `null`, a path or a slash after
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
mod tests;
