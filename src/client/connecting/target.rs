//! The target of a channel: from text to a place and an authority.

use alloc::format;
use alloc::string::{String, ToString};

use super::proxy::without_brackets;
use super::route::Place;
use crate::net::{Destination, Error};

/// A server, as an application names it.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) place: Place,
    /// The value of `:authority` in requests.
    pub(crate) authority: String,
    /// Whether it is reached over TLS, if its scheme says so.
    pub(crate) secure: Option<bool>,
}

/// The forms of a target.
const FORMS: &str = "expected https://host:port, http://host:port, host:port or unix:path";

impl Target {
    /// Reads `https://host:port`, `http://host:port`, `host:port` or `unix:path`; the scheme
    /// gives a missing port.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let given = || text.to_string();
        Self::read(text).map_err(|fault| Error::Target {
            given: given(),
            fault,
        })
    }

    fn read(text: &str) -> Result<Self, &'static str> {
        if let Some(path) = text.strip_prefix("unix:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() {
                return Err("no path behind unix:");
            }
            return Ok(Self {
                place: Place::Unix(path.into()),
                authority: "localhost".into(), // a path is no authority
                secure: None,
            });
        }
        let (authority, secure) = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (rest, Some(false)),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (rest, Some(true)),
            Some(_) => return Err(FORMS),
            None => (text, None),
        };
        let default_port = secure.map(|secure| if secure { "443" } else { "80" });
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        Ok(Self {
            place: place(authority, default_port)?,
            authority: authority.to_string(),
            secure,
        })
    }
}

#[cfg(feature = "tls")]
pub(super) fn host_of(authority: &str) -> &str {
    without_brackets(split(authority).0)
}

fn place(authority: &str, default_port: Option<&str>) -> Result<Place, &'static str> {
    if authority.contains(['/', '?', '#']) {
        return Err("a target has no path: each call names its own");
    }
    if authority.contains('@') {
        return Err("a target has no user: credentials are metadata of calls");
    }
    let (host, port) = split(authority);
    let port = match port.or(default_port) {
        Some(port) => port,
        None if host.is_empty() => return Err(FORMS),
        None => return Err("no port: expected host:port, or a scheme in front of the host"),
    };
    let number = Some(port).filter(|it| it.bytes().all(|b| b.is_ascii_digit()));
    let number = number.and_then(|it| it.parse().ok()).filter(|it| *it != 0);
    let number = number.ok_or("the port is not a number from 1 to 65535")?;
    if host.contains(':') && !host.starts_with('[') {
        return Err("an IPv6 address stands in brackets: [::1]:50051");
    }
    match format!("{host}:{port}").parse::<Destination>() {
        Ok(_) => Ok(Place::Host {
            host: without_brackets(host).into(),
            port: number,
        }),
        Err(_) => Err("the host is neither a name nor an address"),
    }
}

/// Host and port of an authority (RFC 3986 §3.2).
fn split(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        Some(_) | None => (authority, None),
    }
}

#[cfg(test)]
mod tests;
