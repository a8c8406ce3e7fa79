//! The fields that rule a connection: classified while a head is scanned.

use super::Violation;
use super::length::{ContentLength, TransferEncoding};
use crate::http::{FieldRange, List, Version, target::is_authority};
use crate::wire::simd::{Blocks, Class};

/// What a head says about its framing and its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Semantics {
    pub(crate) length: ContentLength,
    pub(crate) coding: TransferEncoding,
    /// Where the value of Host lies.
    host: Option<(u32, u32)>,
    host_repeated: bool,
    /// The host is what nearly all are, and needs no other look.
    host_plain: bool,
    /// There is a known field other than Host and `Connection: keep-alive`.
    rare: bool,
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
/// length of the name; 0 for lengths that no known name has.
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
    /// Takes the field at `range` of `text` into account.
    #[inline(always)]
    pub(crate) fn add<B: Blocks>(&mut self, blocks: B, text: &[u8], range: FieldRange) {
        let length = (range.name_end - range.name) as usize;
        let known = KNOWN.get(length).copied().unwrap_or_default();
        if known == 0 {
            return;
        }
        let name = text.get(range.name as usize..).unwrap_or_default();
        let first = name.first_chunk().copied().map_or(0, word);
        if first != known {
            return;
        }
        if first == HOST {
            self.host_repeated |= self.host.is_some();
            self.host = Some((range.value, range.value_end));
            self.host_plain = is_plain_host(blocks, text, range);
        } else {
            self.add_rare(range.name_in(text), range.value_in(text));
        }
    }

    /// The same for a field that is probably one of the known ones.
    #[inline(never)]
    fn add_rare(&mut self, name: &[u8], value: &[u8]) {
        match name.len() {
            10 if is(name, b"connection") => return self.add_connection(value),
            6 if is(name, b"expect") => self.add_expect(value),
            7 if is(name, b"upgrade") => self.upgrade = true,
            14 if is(name, b"content-length") => self.length.add(value),
            17 if is(name, b"transfer-encoding") => self.coding.add(value),
            _ => return,
        }
        self.rare = true;
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
        self.rare = true;
        for option in List::new(value) {
            match option.len() {
                5 => self.close |= option.eq_ignore_ascii_case(b"close"),
                7 => self.upgrade_option |= option.eq_ignore_ascii_case(b"upgrade"),
                10 => self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive"),
                _ => {}
            }
        }
    }

    /// Whether a good Host, and perhaps `Connection: keep-alive`, is all that the
    /// head says for the connection. It frames no content then.
    #[inline]
    pub(crate) const fn is_usual(&self) -> bool {
        self.host_plain && !self.host_repeated && !self.rare
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
        target_has_authority: bool,
    ) -> Result<(), Violation> {
        let value = |(from, to): (u32, u32)| text.get(from as usize..to as usize);
        match self.host.map(|place| value(place).unwrap_or_default()) {
            _ if self.host_repeated => Err(Violation::HostRepeated),
            Some(_) if self.host_plain => Ok(()),
            None if version == Version::Http10 => Ok(()),
            None => Err(Violation::HostMissing),
            Some(b"") if !target_has_authority => Ok(()),
            Some(host) if core::str::from_utf8(host).is_ok_and(is_authority) => Ok(()),
            Some(_) => Err(Violation::HostInvalid),
        }
    }
}

/// Whether `name` is the token `known`, which is of letters in lower case and
/// hyphens, in any case. Both are equally long, 5 bytes or more.
#[inline]
fn is<const N: usize>(name: &[u8], known: &[u8; N]) -> bool {
    // No two bytes of a token but the cases of a letter are alike in that.
    let lower = |word: [u8; 4]| u32::from_ne_bytes(word) | 0x2020_2020;
    let (words, _) = name.as_chunks::<4>();
    let (known_words, _) = known.as_chunks::<4>();
    let mut differ = 0;
    for (word, known) in words.iter().zip(known_words) {
        differ |= lower(*word) ^ u32::from_ne_bytes(*known);
    }
    // The last word overlaps.
    match (name.last_chunk(), known.last_chunk()) {
        (Some(last), Some(known)) => {
            differ |= lower(*last) ^ u32::from_ne_bytes(*known);
            differ == 0 && name.len() == N
        }
        _ => false,
    }
}

/// Whether the value at `range` is letters, digits, dots and hyphens with at most
/// four digits of a port: what nearly all hosts are, and what [`is_authority`]
/// need not see.
#[inline(always)]
fn is_plain_host<B: Blocks>(blocks: B, text: &[u8], range: FieldRange) -> bool {
    let run = blocks.run_of(Class::PLAIN_NAME, text, range.value as usize);
    match range.value_in(text).get(run..) {
        None => range.value < range.value_end,
        Some([]) => run > 0,
        Some([b':', port @ ..]) => {
            run > 0 && port.len() <= 4 && port.iter().all(|b| b.is_ascii_digit())
        }
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::simd::swar::Words;

    #[test]
    fn plain_hosts_are_authorities() {
        let plain = |host: &str| {
            let text = std::format!("{host}\r\nsomething long enough for a window of bytes");
            let range = FieldRange {
                name: 0,
                name_end: 0,
                value: 0,
                value_end: host.len() as u32,
            };
            is_plain_host(Words, text.as_bytes(), range)
        };
        let long = "a".repeat(80);
        for host in ["a", "a.b-c:80", "1.2.3.4", "a:", &long[..31]] {
            assert!(plain(host) && is_authority(host), "{host}");
        }
        let odd = long.clone() + "_";
        for host in [
            "", ":80", ":", "a:65536", "a:x", "[::1]", "a_b", "a b", "a/b", &odd,
        ] {
            assert!(!plain(host), "{host}");
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
            semantics.add(Words, text, range);
        }
        assert_eq!(
            semantics,
            Semantics {
                host: Some((44, 45)),
                host_plain: true,
                ..Semantics::default()
            }
        );
    }
}
