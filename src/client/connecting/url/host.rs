//! Host and port of a URL (RFC 3986 §3.2.2, §3.2.3).

use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt::Write as _;
use core::net::{Ipv4Addr, Ipv6Addr};

use super::error::UrlError;
use super::part::{LABEL, has_class, split_at};

/// Appends host and port to `out` in their one form; returns the port.
pub(super) fn push_authority(
    text: &str,
    default_port: u16,
    out: &mut String,
) -> Result<u16, UrlError> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (literal, behind) = rest.split_once(']').ok_or(UrlError::Ipv6)?;
            let address: Ipv6Addr = literal.parse().map_err(|_| UrlError::Ipv6)?;
            // Writing to a String never fails.
            let _ = write!(out, "[{address}]");
            match behind.strip_prefix(':') {
                Some(port) => (None, port),
                None if behind.is_empty() => (None, ""),
                None => return Err(UrlError::Port),
            }
        }
        None => {
            let (host, port) = split_at(text, b':');
            (Some(host), port.unwrap_or_default())
        }
    };
    let digits = port;
    let port = match digits {
        "" => default_port,
        _ if digits.bytes().all(|b| b.is_ascii_digit()) => match digits.parse() {
            Ok(0) | Err(_) => return Err(UrlError::Port),
            Ok(port) => port,
        },
        _ => return Err(UrlError::Port),
    };
    if let Some(host) = host {
        push_name(host, out)?;
    }
    if port != default_port {
        out.push(':');
        out.push_str(digits.trim_start_matches('0'));
    }
    Ok(port)
}

pub(super) fn end(authority: &str) -> usize {
    match authority.strip_prefix('[') {
        Some(rest) => split_at(rest, b']').0.len() + 2,
        None => split_at(authority, b':').0.len(),
    }
}

/// Appends a name or an IPv4 address.
fn push_name(host: &str, out: &mut String) -> Result<(), UrlError> {
    if host.is_empty() {
        return Err(UrlError::NoHost);
    }
    let name = to_ascii(host)?;
    if ends_in_number(&name) {
        // It has no other form that is taken.
        let _: Ipv4Addr = name.parse().map_err(|_| UrlError::Ipv4)?;
        out.push_str(&name);
        return Ok(());
    }
    let bare = name.strip_suffix('.').unwrap_or(&name);
    let is_label =
        |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(|b| has_class(b, LABEL));
    if bare.len() > 253 || !bare.split('.').all(is_label) {
        return Err(UrlError::Host);
    }
    let start = out.len();
    out.push_str(&name);
    if let Some(pushed) = out.get_mut(start..) {
        pushed.make_ascii_lowercase();
    }
    Ok(())
}

/// Whether the last label is a number: resolvers take that for an address (WHATWG URL §3.5).
fn ends_in_number(name: &str) -> bool {
    let bare = name.strip_suffix('.').unwrap_or(name);
    let dot = bare.bytes().rposition(|b| b == b'.');
    let last = bare.get(dot.map_or(0, |at| at + 1)..).unwrap_or_default();
    let hex = last.strip_prefix("0x").or(last.strip_prefix("0X"));
    match hex {
        Some(digits) => digits.bytes().all(|b| b.is_ascii_hexdigit()),
        None => !last.is_empty() && last.bytes().all(|b| b.is_ascii_digit()),
    }
}

/// The name in ASCII (RFC 5891, UTS 46).
#[cfg(feature = "idna")]
fn to_ascii(host: &str) -> Result<Cow<'_, str>, UrlError> {
    let is_plain = |host: &str| {
        host.is_ascii()
            && !host
                .split('.')
                .any(|it| it.get(..4).is_some_and(is_punycode))
    };
    if is_plain(host) {
        return Ok(Cow::Borrowed(host));
    }
    idna::domain_to_ascii_cow(host.as_bytes(), idna::AsciiDenyList::URL).map_err(|_| UrlError::Host)
}

#[cfg(feature = "idna")]
const fn is_punycode(prefix: &str) -> bool {
    prefix.eq_ignore_ascii_case("xn--")
}

#[cfg(not(feature = "idna"))]
const fn to_ascii(host: &str) -> Result<Cow<'_, str>, UrlError> {
    match host.is_ascii() {
        true => Ok(Cow::Borrowed(host)),
        false => Err(UrlError::NotAscii),
    }
}
