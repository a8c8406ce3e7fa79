//! Cookies (RFC 6265bis), as a user agent keeps them.
//!
//! ```text
//!   Set-Cookie ──cookie──► checked against the URL ──► CookieJar ──► Cookie
//!                             │ psl: no cookie for all of `co.uk`
//! ```

mod limits;
mod stored;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

pub use limits::CookieLimits;
use stored::Stored;

use crate::client::connecting::Url;

/// The cookies of a client, which clients may share.
///
/// A cookie is kept for the host that has set it, and with `Domain` for those below one
/// that no others are registered under: none for `co.uk` (public suffix list). One with
/// `Secure` is set and sent over `https` alone. What exceeds the limits is left out, or
/// takes the place of the cookie that was used least lately.
///
/// ```
/// use barewire::client::{CookieJar, Url, UrlError};
///
/// let jar = CookieJar::new();
/// let url = Url::parse("https://www.example.org/a/b")?;
/// jar.set(&url, "id=7; Domain=example.org; Path=/");
/// jar.set(&url, "all=1; Domain=org"); // not for all of them
/// let other = Url::parse("https://example.org/")?;
/// assert_eq!(jar.get(&other).as_deref(), Some("id=7"));
/// # Ok::<(), UrlError>(())
/// ```
#[derive(Default)]
pub struct CookieJar {
    limits: CookieLimits,
    jar: Mutex<Jar>,
}

#[derive(Default)]
struct Jar {
    cookies: Vec<Stored>,
    /// Counts what happens, so that there is an order.
    turn: u64,
}

impl CookieJar {
    /// An empty one, with [`CookieLimits::DEFAULT`].
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty one with other limits.
    pub fn with_limits(limits: CookieLimits) -> Self {
        Self {
            limits,
            jar: Mutex::default(),
        }
    }

    /// Takes what a response from `url` has said in a Set-Cookie field; whether it is kept,
    /// or deletes what was.
    pub fn set(&self, url: &Url, set_cookie: &str) -> bool {
        self.set_at(url, set_cookie, unix_now())
    }

    fn set_at(&self, url: &Url, set_cookie: &str, now: u64) -> bool {
        let Some(mut cookie) = Stored::parse(url, set_cookie, now, &self.limits) else {
            return false;
        };
        let mut jar = self.lock();
        jar.turn += 1;
        cookie.made = jar.turn;
        cookie.used = jar.turn;
        if let Some(old) = jar.cookies.iter().position(|it| it.is_same(&cookie)) {
            if jar.cookies.get(old).is_some_and(|it| it.secure) && !url.is_secure() {
                return false; // it was set where nobody could listen
            }
            cookie.made = jar.cookies.swap_remove(old).made;
        } else if !url.is_secure() && jar.cookies.iter().any(|it| it.is_hidden_by(&cookie)) {
            return false;
        }
        if cookie.expires > now {
            jar.make_room(&cookie, now, &self.limits);
            jar.cookies.push(cookie);
        }
        true
    }

    /// What a request for `url` says in its Cookie field, if anything.
    pub fn get(&self, url: &Url) -> Option<String> {
        self.get_at(url, unix_now())
    }

    fn get_at(&self, url: &Url, now: u64) -> Option<String> {
        let mut jar = self.lock();
        jar.turn += 1;
        let turn = jar.turn;
        let mut found: Vec<&mut Stored> = jar
            .cookies
            .iter_mut()
            .filter(|it| it.expires > now && it.is_for(url))
            .collect();
        // RFC 6265bis §5.8.3: longer paths first, then those that were made first.
        found.sort_by_key(|it| (core::cmp::Reverse(it.path.len()), it.made));
        let mut text = String::new();
        for cookie in found {
            cookie.used = turn;
            if !text.is_empty() {
                text.push_str("; ");
            }
            if !cookie.name.is_empty() {
                text.push_str(&cookie.name);
                text.push('=');
            }
            text.push_str(&cookie.value);
        }
        (!text.is_empty()).then_some(text)
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.lock().cookies.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all.
    pub fn clear(&self) {
        self.lock().cookies.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Jar> {
        self.jar.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Jar {
    /// Makes room for another cookie (RFC 6265bis §5.7).
    fn make_room(&mut self, new: &Stored, now: u64, limits: &CookieLimits) {
        self.cookies.retain(|it| it.expires > now);
        let of_domain = |it: &Stored| it.domain == new.domain;
        while self.cookies.iter().filter(|it| of_domain(it)).count() >= limits.of_domain.max(1) {
            self.drop_oldest(of_domain);
        }
        while self.cookies.len() >= limits.all.max(1) {
            self.drop_oldest(|_| true);
        }
    }

    fn drop_oldest(&mut self, among: impl Fn(&Stored) -> bool) {
        let candidates = self.cookies.iter().enumerate().filter(|(_, it)| among(it));
        // Those without Secure go first.
        let oldest = candidates.min_by_key(|(_, it)| (it.secure, it.used));
        if let Some((at, _)) = oldest {
            self.cookies.swap_remove(at);
        }
    }
}

/// How many are kept, and none of their values.
impl fmt::Debug for CookieJar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CookieJar")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

fn unix_now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |it| it.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_000_000_000;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    /// What requests for each URL carry, after a response from the first one.
    fn sent(from: &str, set: &[&str], to: &str) -> Option<String> {
        let jar = CookieJar::new();
        for set in set {
            jar.set_at(&url(from), set, NOW);
        }
        jar.get_at(&url(to), NOW + 10)
    }

    #[test]
    fn a_cookie_goes_where_it_is_for() {
        for (from, set, to, expected) in [
            (
                "http://a.example/",
                "a=b",
                "http://a.example/x",
                Some("a=b"),
            ),
            ("http://a.example/", "a=b", "http://b.a.example/", None),
            (
                "http://a.example/",
                "a=b",
                "https://a.example:8443/",
                Some("a=b"),
            ),
            (
                "http://w.a.example/",
                "a=b; Domain=a.example",
                "http://a.example/",
                Some("a=b"),
            ),
            (
                "http://w.a.example/",
                "a=b; Domain=.A.Example",
                "http://x.a.example/",
                Some("a=b"),
            ),
            (
                "http://w.a.example/",
                "a=b; Domain=a.example",
                "http://xa.example/",
                None,
            ),
            (
                "http://w.a.example/",
                "a=b; Domain=x.w.a.example",
                "http://x.w.a.example/",
                None,
            ),
            (
                "http://w.a.example/",
                "a=b; Domain=other.example",
                "http://other.example/",
                None,
            ),
            (
                "http://w.a.example/",
                "a=b; Domain=example",
                "http://b.example/",
                None,
            ),
            (
                "http://a.co.uk/",
                "a=b; Domain=co.uk",
                "http://b.co.uk/",
                None,
            ),
            (
                "http://a.github.io/",
                "a=b; Domain=github.io",
                "http://b.github.io/",
                None,
            ),
            (
                "http://localhost/",
                "a=b; Domain=localhost",
                "http://localhost/",
                Some("a=b"),
            ),
            (
                "http://127.0.0.1/",
                "a=b; Domain=127.0.0.1",
                "http://127.0.0.1/",
                Some("a=b"),
            ),
            (
                "http://127.0.0.1/",
                "a=b; Domain=0.0.1",
                "http://127.0.0.1/",
                None,
            ),
            (
                "http://a.example/x/y",
                "a=b",
                "http://a.example/x/z",
                Some("a=b"),
            ),
            (
                "http://a.example/x/y",
                "a=b",
                "http://a.example/x",
                Some("a=b"),
            ),
            ("http://a.example/x/y", "a=b", "http://a.example/xz", None),
            ("http://a.example/x/y", "a=b", "http://a.example/", None),
            (
                "http://a.example/x/y",
                "a=b; Path=/",
                "http://a.example/",
                Some("a=b"),
            ),
            (
                "http://a.example/",
                "a=b; Path=/x",
                "http://a.example/x/y",
                Some("a=b"),
            ),
            (
                "http://a.example/",
                "a=b; Path=/x",
                "http://a.example/xy",
                None,
            ),
            (
                "https://a.example/",
                "a=b; Secure",
                "http://a.example/",
                None,
            ),
            (
                "https://a.example/",
                "a=b; Secure",
                "https://a.example/",
                Some("a=b"),
            ),
            (
                "http://a.example/",
                "a=b; Secure",
                "https://a.example/",
                None,
            ),
            (
                "https://a.example/",
                "__Host-a=b; Secure; Path=/",
                "https://a.example/",
                Some("__Host-a=b"),
            ),
            (
                "https://a.example/",
                "__Host-a=b; Secure",
                "https://a.example/",
                None,
            ),
            (
                "https://w.a.example/",
                "__Host-a=b; Secure; Path=/; Domain=a.example",
                "https://a.example/",
                None,
            ),
            (
                "https://a.example/",
                "__Secure-a=b",
                "https://a.example/",
                None,
            ),
            (
                "http://a.example/",
                "a=b; Max-Age=5",
                "http://a.example/",
                None,
            ),
            (
                "http://a.example/",
                "a=b; Max-Age=11",
                "http://a.example/",
                Some("a=b"),
            ),
            (
                "http://a.example/",
                "a=b; Max-Age=0",
                "http://a.example/",
                None,
            ),
            (
                "http://a.example/",
                "a=b; Expires=Sun, 06 Nov 1994 08:49:37 GMT",
                "http://a.example/",
                None,
            ),
            (
                "http://a.example/",
                "a=b; Expires=Sun, 06 Nov 2094 08:49:37 GMT",
                "http://a.example/",
                Some("a=b"),
            ),
            ("http://a.example/", "nonsense", "http://a.example/", None),
            ("http://a.example/", "a=b\x07", "http://a.example/", None),
        ] {
            assert_eq!(
                sent(from, &[set], to).as_deref(),
                expected,
                "{from} {set} {to}"
            );
        }
    }

    #[test]
    fn longer_paths_come_first_and_a_name_is_kept_once() {
        let sets = ["a=1; Path=/", "b=2; Path=/x", "c=3; Path=/", "a=4; Path=/"];
        let cookies = sent("http://a.example/x/", &sets, "http://a.example/x/");
        assert_eq!(cookies.as_deref(), Some("b=2; a=4; c=3"));
        let sets = ["a=1", "a=; Max-Age=0"];
        assert_eq!(sent("http://a.example/", &sets, "http://a.example/"), None);
    }

    #[test]
    fn what_was_set_over_https_is_not_overwritten_over_http() {
        let jar = CookieJar::new();
        let (secure, plain) = (url("https://a.example/"), url("http://a.example/"));
        assert!(jar.set_at(&secure, "a=1; Secure", NOW));
        assert!(!jar.set_at(&plain, "a=2", NOW));
        assert_eq!(jar.get_at(&secure, NOW).as_deref(), Some("a=1"));
    }

    #[test]
    fn a_server_cannot_fill_the_jar() {
        let limits = CookieLimits::DEFAULT
            .with_of_domain(3)
            .with_all(5)
            .with_cookie(20);
        let jar = CookieJar::with_limits(limits);
        let long = alloc::format!("a={}", "x".repeat(20));
        assert!(!jar.set_at(&url("http://a.example/"), &long, NOW));
        for n in 0..10 {
            let set = alloc::format!("c{n}=1");
            assert!(jar.set_at(&url("http://a.example/"), &set, NOW));
        }
        assert_eq!(
            jar.get_at(&url("http://a.example/"), NOW).as_deref(),
            Some("c7=1; c8=1; c9=1")
        );
        for n in 0..10 {
            let url = url(&alloc::format!("http://a{n}.example/"));
            assert!(jar.set_at(&url, "c=1", NOW));
        }
        assert_eq!(jar.len(), 5);
    }
}
