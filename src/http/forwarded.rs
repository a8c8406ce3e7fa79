//! The fields in which proxies describe the requests that they pass on (RFC 7239).
//!
//! ```text
//!  Forwarded: for=192.0.2.43;proto=https;host=a.example, for="[2001:db8::1]:4711"
//!             └── of the proxy farthest away              └── of the nearest one
//!  X-Forwarded-For: 192.0.2.43, 2001:db8::1
//! ```
//!
//! Each proxy adds to the end, so that lists are read from there: what a client has
//! written in front cannot change what stands behind it.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::Fields;
use super::target::is_authority;
use crate::wire::{ascii, simd};

/// One element of Forwarded: what one proxy says of the request that it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Hop<'b> {
    /// Who sent it, if an address is told; port 0 if none is.
    pub(crate) node: Option<SocketAddr>,
    pub(crate) scheme: Option<&'static str>,
    pub(crate) host: Option<&'b str>,
}

impl<'b> Hop<'b> {
    /// Reads `forwarded-element` (§4); `None` if it is none. Escapes in quoted strings are
    /// in no address, scheme or host, so that a value with one counts as not told.
    pub(crate) fn parse(element: &'b [u8]) -> Option<Self> {
        let mut hop = Self::default();
        let mut rest = simd::as_text(element)?;
        let mut seen = 0;
        while !rest.is_empty() {
            if let Some(more) = rest.strip_prefix(';') {
                rest = more.trim_start(); // an empty pair
                continue;
            }
            let (name, behind) = rest.split_once('=')?;
            let (value, behind) = value(behind)?;
            if !ascii::is_token(name.as_bytes()) {
                return None;
            }
            let which = ["for", "proto", "host", "by"]
                .iter()
                .position(|known| name.eq_ignore_ascii_case(known));
            if let Some(which) = which {
                if seen & (1 << which) != 0 {
                    return None; // each at most once
                }
                seen |= 1 << which;
            }
            match which {
                Some(0) => hop.node = node(value),
                Some(1) => hop.scheme = scheme(value),
                Some(2) => hop.host = host(value),
                _ => {}
            }
            rest = behind.trim_start();
            if !rest.is_empty() && !rest.starts_with(';') {
                return None;
            }
        }
        Some(hop)
    }
}

/// A token or a quoted string, without its quotes, and what follows.
fn value(text: &str) -> Option<(&str, &str)> {
    if let Some(quoted) = text.strip_prefix('"') {
        let mut escaped = false;
        let end = quoted.bytes().position(|byte| {
            let ends = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends
        })?;
        return Some((quoted.get(..end)?, quoted.get(end + 1..)?));
    }
    let end = text.bytes().position(|byte| !ascii::is_token(&[byte]));
    let (value, rest) = text.split_at(end.unwrap_or(text.len()));
    (!value.is_empty()).then_some((value, rest))
}

/// The address of a `node` (§6), with or without a port; also an IPv6 address without
/// brackets, as X-Forwarded-For has it. Port 0 where none is told, or a secret one.
pub(crate) fn node(text: &str) -> Option<SocketAddr> {
    if let Ok(ip) = text.parse::<Ipv6Addr>() {
        return Some(SocketAddr::new(IpAddr::V6(ip), 0));
    }
    let (ip, port) = match text.strip_prefix('[') {
        Some(text) => {
            let (ip, port) = text.split_once(']')?;
            let port = match port {
                "" => None,
                port => Some(port.strip_prefix(':')?),
            };
            (IpAddr::V6(ip.parse().ok()?), port)
        }
        None => {
            let (ip, port) = match text.split_once(':') {
                Some((ip, port)) => (ip, Some(port)),
                None => (text, None),
            };
            (IpAddr::V4(ip.parse::<Ipv4Addr>().ok()?), port)
        }
    };
    let port = match port {
        None => 0,
        Some(secret) if secret.starts_with('_') => 0,
        Some(digits) if digits.bytes().all(|it| it.is_ascii_digit()) => digits.parse().ok()?,
        Some(_) => return None,
    };
    Some(SocketAddr::new(ip, port))
}

/// `http` or `https`; `ws` and `wss`, as some proxies have it, are the same to us.
pub(crate) fn scheme(text: &str) -> Option<&'static str> {
    let is = |known: &str| text.eq_ignore_ascii_case(known);
    match () {
        () if is("https") || is("wss") => Some("https"),
        () if is("http") || is("ws") => Some("http"),
        () => None,
    }
}

/// A host that Host could name, with or without a port.
pub(crate) fn host(text: &str) -> Option<&str> {
    (!text.is_empty() && is_authority(text)).then_some(text)
}

/// The members of a list that may stretch over several lines, without empty ones: the last
/// one first. A quoted string may hold commas.
pub(crate) fn members_from_end<'b, 'n>(
    fields: &Fields<'b>,
    name: &'n str,
) -> impl Iterator<Item = &'b [u8]> + use<'b, 'n> {
    let fields = *fields;
    let lines = (0..fields.len()).rev().filter_map(move |at| {
        let field = fields.at(at)?;
        field.is(name).then_some(field.value)
    });
    lines.flat_map(|line| FromEnd(Some(line)))
}

struct FromEnd<'b>(Option<&'b [u8]>);

impl<'b> Iterator for FromEnd<'b> {
    type Item = &'b [u8];

    fn next(&mut self) -> Option<&'b [u8]> {
        loop {
            let line = self.0.take()?;
            let comma = last_comma(line);
            let member = match comma {
                Some(at) => {
                    self.0 = line.get(..at);
                    line.get(at + 1..)?
                }
                None => line,
            };
            let member = member.trim_ascii();
            if !member.is_empty() {
                return Some(member);
            }
        }
    }
}

/// The last comma outside of a quoted string. A quote is escaped by an odd number of
/// backslashes in front; one that nothing opens is a byte like others.
fn last_comma(line: &[u8]) -> Option<usize> {
    let mut at = line.len();
    while at > 0 {
        at -= 1;
        match line.get(at)? {
            b',' => return Some(at),
            b'"' => match opening_quote(line.get(..at)?) {
                Some(opening) => at = opening,
                // No string ends here, nor further in front.
                None => return line.get(..at)?.iter().rposition(|&byte| byte == b','),
            },
            _ => {}
        }
    }
    None
}

/// The quote that opens the string whose end has been cut off.
fn opening_quote(line: &[u8]) -> Option<usize> {
    let mut line = line;
    loop {
        let at = line.iter().rposition(|&byte| byte == b'"')?;
        line = line.get(..at)?;
        let backslashes = line.iter().rev().take_while(|&&byte| byte == b'\\').count();
        if backslashes % 2 == 0 {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests;
