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
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

pub use limits::CookieLimits;
use stored::Stored;

use crate::client::connecting::Url;
use crate::wire::partly_shown;

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

    /// The Cookie field of a request for `url`, if it gets one.
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
        let per_domain = |it: &Stored| it.domain == new.domain;
        while self.cookies.iter().filter(|it| per_domain(it)).count() >= limits.per_domain.max(1) {
            self.drop_oldest(per_domain);
        }
        while self.cookies.len() >= limits.total.max(1) {
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

// How many are kept, and none of their values.
partly_shown!(it: CookieJar { len: it.len() });

fn unix_now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |it| it.as_secs())
}

#[cfg(test)]
mod tests;
