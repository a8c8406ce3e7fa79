//! Cookies, as a server reads and sets them (RFC 6265bis §4).

use alloc::string::String;
use core::fmt::{self, Write as _};
use core::time::Duration;

use super::date::Date;
use crate::wire::{ascii, builder, partly_shown};

/// Octets of name and value together, as many as browsers keep (RFC 6265bis §5.6).
const LONGEST: usize = 4096;
/// Octets of the value of an attribute; likewise.
const LONGEST_ATTRIBUTE: usize = 1024;

/// A cookie to be set.
///
/// At first it is for the whole host (`Path=/`), for no script (`HttpOnly`), sent by other
/// sites with links alone (`SameSite=Lax`), and forgotten with the session. A name that
/// begins with `__Host-` or `__Secure-` makes it `Secure`: browsers take it no other way.
///
/// ```
/// use barewire::http::Cookie;
/// use core::time::Duration;
///
/// let cookie = Cookie::new("__Host-id", "7f3a").max_age(Duration::from_secs(3600));
/// assert_eq!(
///     cookie.set_cookie().as_deref(),
///     Ok("__Host-id=7f3a; Path=/; Max-Age=3600; Secure; HttpOnly; SameSite=Lax"),
/// );
/// assert!(Cookie::new("__Host-id", "7f3a").domain("example.org").set_cookie().is_err());
/// ```
#[derive(Clone)]
pub struct Cookie {
    name: String,
    value: String,
    path: Option<String>,
    domain: Option<String>,
    max_age: Option<Duration>,
    expires: Option<u64>,
    secure: bool,
    http_only: bool,
    same_site: SameSite,
    partitioned: bool,
}

// Its value lets its holder in.
partly_shown!(it: Cookie { name, path, domain, max_age, secure, http_only, same_site });

/// Whether requests that other sites make carry a cookie (RFC 6265bis §5.4.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameSite {
    /// None of them.
    Strict,
    /// Those that follow a link, and no others.
    Lax,
    /// All of them; the cookie has to be [`secure`](Cookie::secure).
    None,
}

/// A cookie that browsers would refuse, or take for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidCookie {
    /// The name is not a token.
    #[error("the name of a cookie is not a token (RFC 6265bis §4.1.1)")]
    Name,
    /// The value holds a space, a quote, a comma, a semicolon, a backslash, a control or what
    /// is not ASCII: encode it first, as base64 for example.
    #[error("the value of a cookie holds what it may not (RFC 6265bis §4.1.1)")]
    Value,
    /// A path or domain that cannot be one.
    #[error("a path or domain of a cookie that cannot be one (RFC 6265bis §4.1.1)")]
    Attribute,
    /// `__Host-` with another path than `/`, or with a domain.
    #[error("`__Host-` goes with `Path=/` and without a domain (RFC 6265bis §4.1.3)")]
    Prefix,
    /// `SameSite=None` or `Partitioned` without `Secure`.
    #[error("a cookie for requests of other sites that is not `Secure`")]
    Insecure,
    /// Longer than browsers keep.
    #[error("a cookie of more than 4096 bytes, or with a longer attribute than 1024")]
    TooLong,
}

impl Cookie {
    /// A cookie with this name and value.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            secure: has_prefix(&name, "__Host-") || has_prefix(&name, "__Secure-"),
            name,
            value: value.into(),
            path: Some("/".into()),
            domain: None,
            max_age: None,
            expires: None,
            http_only: true,
            same_site: SameSite::Lax,
            partitioned: false,
        }
    }

    /// What deletes the cookie of this name. If it was set with a path or domain, say the
    /// same of this one.
    pub fn removal(name: impl Into<String>) -> Self {
        Self::new(name, "").max_age(Duration::ZERO)
    }

    builder! {
        /// The paths that it is sent to: this one, and those below it.
        fn path(path: impl Into<String>) => path = Some(path.into());

        /// The host that it is sent to, with all hosts below it; without, it is sent to the
        /// host that has set it.
        fn domain(domain: impl Into<String>) => domain = Some(domain.into());

        /// How long it is kept, in whole seconds, also when the browser is closed.
        const fn max_age(time: Duration) => max_age = Some(time);

        /// Until when it is kept, in seconds since 1970; [`max_age`](Self::max_age) counts
        /// before it.
        const fn expires(unix_seconds: u64) => expires = Some(unix_seconds);

        /// Sends it over HTTPS alone, and to the host itself.
        const fn secure() => secure = true;

        /// Lets the scripts of pages read it.
        const fn for_scripts() => http_only = false;

        /// Which requests of other sites carry it.
        const fn same_site(which: SameSite) => same_site = which;

        /// Keeps it apart for each site that embeds the one that sets it (CHIPS).
        const fn partitioned() => partitioned = true;
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value.
    pub fn value(&self) -> &str {
        &self.value
    }

    #[cfg(feature = "signed-cookies")]
    pub(crate) fn set_value(&mut self, value: String) {
        self.value = value;
    }

    /// The value of the Set-Cookie field.
    ///
    /// # Errors
    /// [`InvalidCookie`] says what browsers would not take.
    pub fn set_cookie(&self) -> Result<String, InvalidCookie> {
        self.check()?;
        let mut text = String::with_capacity(64 + self.name.len() + self.value.len());
        // Writing to a String never fails.
        let _ = self.write(&mut text);
        Ok(text)
    }

    fn write(&self, text: &mut String) -> fmt::Result {
        write!(text, "{}={}", self.name, self.value)?;
        if let Some(path) = &self.path {
            write!(text, "; Path={path}")?;
        }
        if let Some(domain) = &self.domain {
            write!(text, "; Domain={domain}")?;
        }
        if let Some(time) = self.max_age {
            write!(text, "; Max-Age={}", time.as_secs())?;
        }
        if let Some(at) = self.expires {
            write!(text, "; Expires={}", Date::from_unix(at).as_str())?;
        }
        text.push_str(if self.secure { "; Secure" } else { "" });
        text.push_str(if self.http_only { "; HttpOnly" } else { "" });
        text.push_str(match self.same_site {
            SameSite::Strict => "; SameSite=Strict",
            SameSite::Lax => "; SameSite=Lax",
            SameSite::None => "; SameSite=None",
        });
        text.push_str(if self.partitioned {
            "; Partitioned"
        } else {
            ""
        });
        Ok(())
    }

    fn check(&self) -> Result<(), InvalidCookie> {
        if !ascii::is_token(self.name.as_bytes()) {
            return Err(InvalidCookie::Name);
        }
        if !self.value.bytes().all(is_cookie_octet) {
            return Err(InvalidCookie::Value);
        }
        if self.name.len() + self.value.len() > LONGEST {
            return Err(InvalidCookie::TooLong);
        }
        let path_fits = |path: &str| {
            path.starts_with('/') && path.bytes().all(|b| matches!(b, b' '..=b'~') && b != b';')
        };
        let domain_fits = |domain: &str| {
            let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-');
            !domain.is_empty() && domain.bytes().all(fits)
        };
        let (path, domain) = (self.path.as_deref(), self.domain.as_deref());
        if !path.is_none_or(path_fits) || !domain.is_none_or(domain_fits) {
            return Err(InvalidCookie::Attribute);
        }
        let is_long = |text: &str| text.len() > LONGEST_ATTRIBUTE;
        if path.is_some_and(is_long) || domain.is_some_and(is_long) {
            return Err(InvalidCookie::TooLong);
        }
        if has_prefix(&self.name, "__Host-") && (path != Some("/") || domain.is_some()) {
            return Err(InvalidCookie::Prefix);
        }
        if !self.secure && (self.same_site == SameSite::None || self.partitioned) {
            return Err(InvalidCookie::Insecure);
        }
        Ok(())
    }
}

/// Browsers compare prefixes in any case, as servers may not tell cases apart.
fn has_prefix(name: &str, prefix: &str) -> bool {
    let start = name.get(..prefix.len());
    start.is_some_and(|it| it.eq_ignore_ascii_case(prefix))
}

const fn is_cookie_octet(b: u8) -> bool {
    matches!(b, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e)
}

/// The names and values of a Cookie field, as they were sent; what has no name is left out.
///
/// ```
/// use barewire::http::cookie_pairs;
///
/// assert!(cookie_pairs(b"a=1; b=x=y; =c; d").eq([("a", "1"), ("b", "x=y")]));
/// ```
pub fn cookie_pairs(field: &[u8]) -> impl Iterator<Item = (&str, &str)> + use<'_> {
    field.split(|&b| b == b';').filter_map(|pair| {
        let text = core::str::from_utf8(ascii::trim_ows(pair)).ok()?;
        let (name, value) = text.split_once('=')?;
        let name = name.trim_end_matches([' ', '\t']);
        (!name.is_empty()).then(|| (name, value.trim_start_matches([' ', '\t'])))
    })
}

#[cfg(test)]
mod tests;
