//! Where a channel goes: from text to a destination and an authority.

use alloc::format;
use alloc::string::{String, ToString};

use crate::net::{Address, Destination, Error};

/// A server, as an application names it.
#[derive(Debug, Clone)]
pub(in crate::client) struct Target {
    pub(in crate::client) destination: Destination,
    /// What requests carry as `:authority`.
    pub(in crate::client) authority: String,
    /// Whether it is reached over TLS, if its scheme says so.
    pub(in crate::client) secure: Option<bool>,
}

/// The forms of a target.
const FORMS: &str = "expected https://host:port, http://host:port, host:port or unix:path";

impl Target {
    /// Reads `https://host:port`, `http://host:port`, `host:port` or `unix:path`.
    /// Without a port, `https://host` and `http://host` have that of their scheme.
    pub(in crate::client) fn parse(text: &str) -> Result<Self, Error> {
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
                destination: Destination::Address(Address::Unix(path.into())),
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
            destination: destination(authority, default_port)?,
            authority: authority.to_string(),
            secure,
        })
    }
}

/// The host of an authority, without the brackets of an address.
#[cfg(feature = "tls")]
pub(in crate::client) fn host_of(authority: &str) -> &str {
    let (host, _) = split(authority);
    let bare = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    bare.unwrap_or(host)
}

fn destination(authority: &str, default_port: Option<&str>) -> Result<Destination, &'static str> {
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
    let digits = port.bytes().all(|b| b.is_ascii_digit());
    if !digits || matches!(port.parse::<u16>(), Ok(0) | Err(_)) {
        return Err("the port is not a number from 1 to 65535");
    }
    if host.contains(':') && !host.starts_with('[') {
        return Err("an IPv6 address stands in brackets: [::1]:50051");
    }
    let destination = format!("{host}:{port}").parse();
    destination.map_err(|_| "the host is neither a name nor an address")
}

/// Host and port of an authority (RFC 3986 §3.2).
fn split(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        Some(_) | None => (authority, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_with_or_without_scheme_and_port() {
        for (text, destination, authority) in [
            (
                "http://127.0.0.1:50051",
                "127.0.0.1:50051",
                "127.0.0.1:50051",
            ),
            ("127.0.0.1:50051", "127.0.0.1:50051", "127.0.0.1:50051"),
            ("HTTP://[::1]:7/", "[::1]:7", "[::1]:7"),
            ("http://example.org", "example.org:80", "example.org"),
            ("http://[::1]", "[::1]:80", "[::1]"),
            ("https://example.org", "example.org:443", "example.org"),
            ("HTTPS://[::1]:7", "[::1]:7", "[::1]:7"),
            ("unix:/run/a.sock", "unix:/run/a.sock", "localhost"),
            ("unix:///run/a.sock", "unix:/run/a.sock", "localhost"),
        ] {
            let target = Target::parse(text).unwrap();
            assert_eq!(target.destination.to_string(), destination);
            assert_eq!(target.authority, authority);
            let scheme = text.split_once("://").map(|it| it.0.to_ascii_lowercase());
            let scheme = scheme.filter(|it| it != "unix").map(|it| it == "https");
            assert_eq!(target.secure, scheme);
        }
    }

    #[test]
    fn what_names_no_server_is_quoted_with_its_fault() {
        for (bad, fault) in [
            ("", FORMS),
            ("nonsense", "no port: "),
            ("127.0.0.1", "no port: "),
            ("http://", "the host is neither"),
            (":50051", "the host is neither"),
            ("a b:1", "the host is neither"),
            ("[::1:1", "the host is neither"),
            ("[nonsense]:1", "the host is neither"),
            ("ftp://a:1", FORMS),
            ("a:b", "the port is not a number"),
            ("a:", "the port is not a number"),
            ("a:+1", "the port is not a number"),
            ("a:0", "the port is not a number"),
            ("127.0.0.1:0", "the port is not a number"),
            ("a:65536", "the port is not a number"),
            ("::1:50051", "an IPv6 address stands in brackets"),
            ("http://a:1/path", "a target has no path"),
            ("http://a:1?x", "a target has no path"),
            ("http://u@a:1", "a target has no user"),
            ("unix:", "no path behind unix:"),
        ] {
            let error = Target::parse(bad).unwrap_err().to_string();
            let start = format!("cannot call {bad:?}: {fault}");
            assert!(error.starts_with(&start), "{error}");
        }
    }
}
