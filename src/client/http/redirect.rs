//! Redirects, and where they lead (RFC 9110 §15.4, WHATWG Fetch §4.4).

use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt::Write as _;

use super::error::RedirectError;
use crate::client::connecting::{Url, UrlError};
use crate::http::{FieldBuffer, Method, Status};

/// Which redirects are followed. By default ten, and none from `https` to `http`.
///
/// | status | the next request |
/// |---|---|
/// | 301, 302 | a POST becomes a GET without a body, any other stays what it is |
/// | 303 | a GET without a body; a HEAD stays one |
/// | 307, 308 | the same method, and the body again |
///
/// `Authorization`, `Cookie` and other fields that let their holder in are left out once
/// a redirect leads to another scheme, host or port.
///
/// ```
/// use barewire::client::{Client, ClientOptions, RedirectPolicy};
///
/// let client = Client::with(ClientOptions::new().redirects(RedirectPolicy::none()))?;
/// # Ok::<(), barewire::client::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RedirectPolicy {
    most: u16,
    allows_downgrade: bool,
}

impl RedirectPolicy {
    /// Follows at most `most` redirects in one call. One more is an error.
    pub const fn follow(most: u16) -> Self {
        Self {
            most,
            allows_downgrade: false,
        }
    }

    /// Follows none: the redirect is the response.
    pub const fn none() -> Self {
        Self::follow(0)
    }

    /// Follows also redirects from `https` to `http`, which show everything to everybody
    /// on the way.
    #[must_use]
    pub const fn downgrade(mut self, allow: bool) -> Self {
        self.allows_downgrade = allow;
        self
    }

    /// The hop that a response asks for; `None` if it is the answer.
    pub(super) fn hop(
        &self,
        status: Status,
        location: Option<&[u8]>,
        method: Method<'_>,
        url: &Url,
        followed: u16,
    ) -> Result<Option<Hop>, RedirectError> {
        if self.most == 0 {
            return Ok(None);
        }
        let change = match (status.code(), method) {
            (301 | 302, Method::POST) => Change::ToGet,
            (301 | 302 | 307 | 308, _) => Change::Nothing,
            (303, Method::GET | Method::HEAD) => Change::WithoutBody,
            (303, _) => Change::ToGet,
            _ => return Ok(None),
        };
        let Some(location) = location else {
            return Ok(None);
        };
        let url = join(url, location)
            .map_err(RedirectError::Location)
            .map(|to| (url, to));
        let (from, to) = url?;
        if followed >= self.most {
            return Err(RedirectError::TooMany(self.most));
        }
        if from.is_secure() && !to.is_secure() && !self.allows_downgrade {
            return Err(RedirectError::Downgrade);
        }
        Ok(Some(Hop {
            is_elsewhere: from.origin() != to.origin(),
            url: to,
            change,
        }))
    }
}

impl Default for RedirectPolicy {
    fn default() -> Self {
        Self::follow(10)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hop {
    pub(super) url: Url,
    pub(super) change: Change,
    pub(super) is_elsewhere: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Nothing,
    WithoutBody,
    ToGet,
}

/// Resolves a Location, in which servers send bytes that URLs may not have.
fn join(url: &Url, location: &[u8]) -> Result<Url, UrlError> {
    let location = location.trim_ascii();
    let is_clean = location.iter().all(|b| (b'!'..=b'~').contains(b));
    let text = match core::str::from_utf8(location) {
        Ok(text) if is_clean => Cow::Borrowed(text),
        _ => {
            let mut text = String::with_capacity(location.len() + 8);
            for &b in location {
                match b {
                    b'!'..=b'~' => text.push(b.into()),
                    // Writing to a String never fails.
                    _ => drop(write!(text, "%{b:02X}")),
                }
            }
            Cow::Owned(text)
        }
    };
    let to = url.join(&text)?;
    if to.is_websocket() {
        return Err(UrlError::Scheme);
    }
    match (to.fragment(), url.fragment()) {
        // What the redirect does not say stays (RFC 9110 §10.2.2).
        (None, Some(fragment)) => to.join(&alloc::format!("#{fragment}")),
        _ => Ok(to),
    }
}

const OF_BODY: [&str; 5] = [
    "content-type",
    "content-encoding",
    "content-language",
    "content-location",
    "content-length",
];

/// Fields that are meant for one origin.
const SECRET: [&str; 6] = [
    "authorization",
    "cookie",
    "proxy-authorization",
    "x-api-key",
    "x-auth-token",
    "www-authenticate",
];
const OF_ORIGIN: [&str; 2] = ["host", "origin"];

pub(super) fn leave_body(fields: &mut FieldBuffer) {
    for name in OF_BODY {
        fields.remove(name);
    }
}

pub(super) fn is_secret(name: &str) -> bool {
    SECRET.iter().any(|it| it.eq_ignore_ascii_case(name))
}

pub(super) fn is_of_origin(name: &str) -> bool {
    OF_ORIGIN.iter().any(|it| it.eq_ignore_ascii_case(name))
}

/// Leaves out of a request's fields what the next one may not have.
pub(super) fn sift(fields: &mut FieldBuffer, hop: &Hop) {
    if hop.change == Change::ToGet || hop.change == Change::WithoutBody {
        leave_body(fields);
    }
    if hop.is_elsewhere {
        for name in SECRET.into_iter().chain(OF_ORIGIN) {
            fields.remove(name);
        }
    }
}

#[cfg(test)]
mod tests;
