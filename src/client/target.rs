//! Where a channel goes: from text to a destination and an authority.

use alloc::format;
use alloc::string::{String, ToString};

use crate::net::{Destination, Error};

/// A server, as an application names it.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) destination: Destination,
    /// What requests carry as `:authority`.
    pub(super) authority: String,
}

impl Target {
    /// Reads `http://host:port`, `host:port` or `unix:path`. Without a port it
    /// is 80, that of the scheme.
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        if text.starts_with("unix:") {
            let path = text
                .strip_prefix("unix://")
                .map(|path| format!("unix:{path}"));
            return Ok(Self {
                destination: path.as_deref().unwrap_or(text).parse()?,
                authority: "localhost".into(), // a path is no authority
            });
        }
        let authority = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
            Some((scheme, _)) if scheme.eq_ignore_ascii_case("https") => {
                return Err(Error::Config("https: a channel has no TLS"));
            }
            Some(_) => return Err(Error::Address),
            None => text,
        };
        let authority = authority.strip_suffix('/').unwrap_or(authority);
        let destination = match authority.parse() {
            Ok(destination) => destination,
            Err(_) if !has_port(authority) => format!("{authority}:80").parse()?,
            Err(error) => return Err(error),
        };
        Ok(Self {
            destination,
            authority: authority.to_string(),
        })
    }
}

fn has_port(authority: &str) -> bool {
    let after_address = authority.rsplit(']').next().unwrap_or(authority);
    after_address.contains(':')
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
            ("unix:/run/a.sock", "unix:/run/a.sock", "localhost"),
            ("unix:///run/a.sock", "unix:/run/a.sock", "localhost"),
        ] {
            let target = Target::parse(text).unwrap();
            assert_eq!(target.destination.to_string(), destination);
            assert_eq!(target.authority, authority);
        }
        for bad in [
            "",
            "http://",
            "https://a:1",
            "ftp://a:1",
            "a:b",
            "http://a:1/path",
            "http://u@a:1",
        ] {
            assert!(Target::parse(bad).is_err(), "{bad}");
        }
    }
}
