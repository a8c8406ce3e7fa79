//! The fields that rule a connection: classified while a head is scanned.

use super::Violation;
use super::length::{ContentLength, TransferEncoding};
use crate::http::{FieldRange, List, Target, Version, target::is_authority};
use crate::wire::ascii;

/// What a head says about its framing and its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Semantics {
    pub(crate) length: ContentLength,
    pub(crate) coding: TransferEncoding,
    /// Where the value of Host lies.
    host: Option<(u32, u32)>,
    host_repeated: bool,
    /// `Connection: close`.
    close: bool,
    /// `Connection: keep-alive`.
    keep_alive: bool,
    /// `Connection: upgrade`.
    upgrade_option: bool,
    upgrade: bool,
    expect: Option<Expect>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    Continue,
    Unknown,
}

/// The first four bytes of the name of each known field, in lower case, by the
/// length of the name.
static KNOWN: [u32; 18] = {
    let mut known = [0; 18];
    known[4] = HOST;
    known[6] = word(*b"expe");
    known[7] = word(*b"upgr");
    known[10] = word(*b"conn");
    known[14] = word(*b"cont");
    known[17] = word(*b"tran");
    known
};

const HOST: u32 = word(*b"host");

/// Four bytes in lower case. No two bytes of a token but the cases of one
/// letter are alike in that.
#[inline(always)]
const fn word(bytes: [u8; 4]) -> u32 {
    u32::from_le_bytes(bytes) | 0x2020_2020
}

impl Semantics {
    /// Takes the field `name` into account, whose `value` is at `range`.
    #[inline(always)]
    pub(crate) fn add(&mut self, name: &[u8], value: &[u8], range: FieldRange) {
        let Some(first) = name.first_chunk::<4>() else {
            return;
        };
        let first = word(*first);
        if KNOWN.get(name.len()) != Some(&first) {
            return;
        }
        if first == HOST {
            self.host_repeated |= self.host.is_some();
            self.host = Some((range.value, range.value_end));
        } else {
            self.add_rare(name, value);
        }
    }

    /// The same for a field that is probably one of the known ones.
    fn add_rare(&mut self, name: &[u8], value: &[u8]) {
        let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
        match name.len() {
            6 if is(b"expect") => self.add_expect(value),
            7 if is(b"upgrade") => self.upgrade = true,
            10 if is(b"connection") => self.add_connection(value),
            14 if is(b"content-length") => self.length.add(value),
            17 if is(b"transfer-encoding") => self.coding.add(value),
            _ => {}
        }
    }

    fn add_expect(&mut self, value: &[u8]) {
        for expectation in List::new(value) {
            let known = expectation.eq_ignore_ascii_case(b"100-continue");
            self.expect = match self.expect {
                None | Some(Expect::Continue) if known => Some(Expect::Continue),
                _ => Some(Expect::Unknown),
            };
        }
    }

    fn add_connection(&mut self, value: &[u8]) {
        if matches!(value, b"keep-alive" | b"Keep-Alive") {
            self.keep_alive = true;
            return;
        }
        for option in List::new(value) {
            match option.len() {
                5 => self.close |= option.eq_ignore_ascii_case(b"close"),
                7 => self.upgrade_option |= option.eq_ignore_ascii_case(b"upgrade"),
                10 => self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive"),
                _ => {}
            }
        }
    }

    /// Whether the connection outlives the exchange (RFC 9112 §9.3).
    pub(crate) const fn persists(&self, version: Version) -> bool {
        !self.close && (self.keep_alive || !matches!(version, Version::Http10))
    }

    /// Whether another protocol is offered (RFC 9110 §7.8).
    pub(crate) const fn offers_upgrade(&self, version: Version) -> bool {
        self.upgrade && self.upgrade_option && !matches!(version, Version::Http10)
    }

    /// Whether the sender waits for `100 Continue` before it sends the body
    /// (RFC 9110 §10.1.1).
    ///
    /// # Errors
    /// [`Violation::Expectation`] if it expects anything else.
    pub(crate) const fn expects_continue(&self, version: Version) -> Result<bool, Violation> {
        match (version, self.expect) {
            (Version::Http10, _) | (_, None) => Ok(false),
            (_, Some(Expect::Continue)) => Ok(true),
            (_, Some(Expect::Unknown)) => Err(Violation::Expectation),
        }
    }

    /// Checks the Host rules (RFC 9112 §3.2) in the `text` of the head.
    ///
    /// # Errors
    /// [`Violation`] if Host is missing in version 1.1, repeated, not a host
    /// with a port, or empty although the target names an authority.
    pub(crate) fn check_host(
        &self,
        text: &[u8],
        version: Version,
        target: &Target<'_>,
    ) -> Result<(), Violation> {
        let value = |(from, to): (u32, u32)| text.get(from as usize..to as usize);
        match self.host.map(|place| value(place).unwrap_or_default()) {
            _ if self.host_repeated => Err(Violation::HostRepeated),
            None if version == Version::Http10 => Ok(()),
            None => Err(Violation::HostMissing),
            Some(b"") if target.authority().is_none() => Ok(()),
            Some(host) if is_plain_host(host) => Ok(()),
            Some(host) if core::str::from_utf8(host).is_ok_and(is_authority) => Ok(()),
            Some(_) => Err(Violation::HostInvalid),
        }
    }
}

/// Whether `host` is letters, digits, dots and hyphens with at most four digits
/// of a port: what nearly all are, and what [`is_authority`] need not see.
#[inline]
fn is_plain_host(host: &[u8]) -> bool {
    let mut name = host;
    let mut digits = 0;
    while let [rest @ .., b'0'..=b'9'] = name
        && digits < 4
    {
        name = rest;
        digits += 1;
    }
    let name = match name {
        [rest @ .., b':'] => rest,
        _ => host,
    };
    !name.is_empty() && ascii::is_plain_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_hosts_are_authorities() {
        for plain in ["a", "a.b-c:80", "1.2.3.4", "a:"] {
            assert!(
                is_plain_host(plain.as_bytes()) && is_authority(plain),
                "{plain}"
            );
        }
        for other in ["", ":80", "a:65536", "a:x", "[::1]", "a_b", "a b", "a/b"] {
            assert!(!is_plain_host(other.as_bytes()), "{other}");
        }
    }

    #[test]
    fn names_are_told_apart_beyond_their_first_letters() {
        let text = b"content-lengts: 5\r\nConnectiom: close\r\nHOST: a\r\n";
        let mut semantics = Semantics::default();
        for (name, name_end, value, value_end) in
            [(0, 14, 16, 17), (19, 29, 31, 36), (38, 42, 44, 45)]
        {
            let range = FieldRange {
                name,
                name_end,
                value,
                value_end,
            };
            semantics.add(range.name_in(text), range.value_in(text), range);
        }
        assert_eq!(
            semantics,
            Semantics {
                host: Some((44, 45)),
                ..Semantics::default()
            }
        );
    }
}
