//! One cookie, and which requests it is for.

use alloc::string::{String, ToString as _};
use core::net::Ipv4Addr;

use cookie::Cookie;

use super::CookieLimits;
use crate::client::connecting::Url;

/// An attribute that is longer is left out (RFC 6265bis §5.6).
const ATTRIBUTE: usize = 1024;

const LIFE: u64 = 400 * 86_400;

pub(super) struct Stored {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) domain: String,
    /// It is for the host `domain` alone.
    pub(super) of_host: bool,
    pub(super) path: String,
    pub(super) secure: bool,
    /// In seconds of Unix time; never for one of the session.
    pub(super) expires: u64,
    pub(super) made: u64,
    pub(super) used: u64,
}

impl Stored {
    /// The cookie that a Set-Cookie of `url` asks for; `None` if it may not, or says
    /// nothing.
    pub(super) fn parse(url: &Url, text: &str, now: u64, limits: &CookieLimits) -> Option<Self> {
        let is_control = |b: u8| b < b' ' && b != b'\t' || b == 0x7f;
        if text.bytes().any(is_control) {
            return None;
        }
        let cookie = Cookie::parse(text).ok()?;
        let (name, value) = (cookie.name(), cookie.value());
        let secure = cookie.secure() == Some(true);
        if name.len() + value.len() > limits.cookie || secure && !url.is_secure() {
            return None;
        }
        let host = url.host();
        let (domain, of_host) = domain(host, cookie.domain())?;
        let path = match cookie.path() {
            Some(path) if path.starts_with('/') && path.len() <= ATTRIBUTE => path,
            _ => default_path(url.path()),
        };
        let has_prefix = |prefix: &str| {
            let start = name.get(..prefix.len());
            start.is_some_and(|it| it.eq_ignore_ascii_case(prefix))
        };
        let is_of_host = of_host && cookie.path() == Some("/");
        if has_prefix("__Secure-") && !secure || has_prefix("__Host-") && !(secure && is_of_host) {
            return None;
        }
        Some(Self {
            name: name.into(),
            value: value.into(),
            domain,
            of_host,
            path: path.into(),
            secure,
            expires: expires(&cookie, now),
            made: 0,
            used: 0,
        })
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.name == other.name
            && self.domain == other.domain
            && self.of_host == other.of_host
            && self.path == other.path
    }

    /// Whether it is one of `https` that `other`, of `http`, would hide from its server
    /// (RFC 6265bis §5.7, step 9).
    pub(super) fn is_hidden_by(&self, other: &Self) -> bool {
        let is_near =
            is_below(&self.domain, &other.domain) || is_below(&other.domain, &self.domain);
        self.secure && self.name == other.name && is_near && path_matches(&other.path, &self.path)
    }

    /// Whether it goes with a request for `url`.
    pub(super) fn is_for(&self, url: &Url) -> bool {
        let is_of_host = match self.of_host {
            true => url.host() == self.domain,
            false => is_below(url.host(), &self.domain),
        };
        is_of_host && path_matches(url.path(), &self.path) && (!self.secure || url.is_secure())
    }
}

/// The domain that a cookie of `host` is for, and whether it is for that host alone.
fn domain(host: &str, asked: Option<&str>) -> Option<(String, bool)> {
    let asked = match asked.map(|it| it.strip_prefix('.').unwrap_or(it)) {
        Some(asked) if !asked.is_empty() => asked.to_ascii_lowercase(),
        _ => return Some((host.to_string(), true)),
    };
    if asked == host {
        let is_alone = is_address(host) || is_public(host);
        return Some((asked, is_alone));
    }
    let is_allowed = asked.len() <= ATTRIBUTE && is_below(host, &asked) && !is_public(&asked);
    is_allowed.then_some((asked, false))
}

/// Whether names below it belong to different owners (publicsuffix.org).
fn is_public(domain: &str) -> bool {
    let suffix = psl::suffix(domain.as_bytes());
    suffix.is_none_or(|it| it.as_bytes() == domain.as_bytes())
}

fn is_address(host: &str) -> bool {
    host.starts_with('[') || host.parse::<Ipv4Addr>().is_ok()
}

/// Whether `host` is `domain` or a name below it (RFC 6265bis §5.1.3).
fn is_below(host: &str, domain: &str) -> bool {
    let front = host.strip_suffix(domain);
    front.is_some_and(|it| it.is_empty() || it.ends_with('.') && !is_address(host))
}

/// RFC 6265bis §5.1.4.
fn path_matches(path: &str, of_cookie: &str) -> bool {
    let rest = path.strip_prefix(of_cookie);
    rest.is_some_and(|it| it.is_empty() || it.starts_with('/') || of_cookie.ends_with('/'))
}

/// The folder of a path (RFC 6265bis §5.1.4).
fn default_path(path: &str) -> &str {
    match path.rfind('/') {
        Some(0) | None => "/",
        Some(at) => path.get(..at).unwrap_or("/"),
    }
}

fn expires(cookie: &Cookie<'_>, now: u64) -> u64 {
    let most = now.saturating_add(LIFE);
    if let Some(age) = cookie.max_age() {
        let seconds = u64::try_from(age.whole_seconds()).unwrap_or(0);
        return now.saturating_add(seconds).min(most);
    }
    match cookie.expires_datetime() {
        Some(at) => u64::try_from(at.unix_timestamp()).unwrap_or(0).min(most),
        None => u64::MAX,
    }
}
