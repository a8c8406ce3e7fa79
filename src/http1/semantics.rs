//! The fields that rule a connection: classified while a head is scanned.

use super::ProtocolError;
use super::length::TransferEncoding;
use crate::http::{ContentLength, Expectation, List, Version, target::is_authority};
use crate::wire::simd::{Blocks, Class, FieldLine, WINDOW};

/// The framing that a head announces, and its wishes for the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Semantics {
    pub(crate) length: ContentLength,
    pub(crate) coding: TransferEncoding,
    /// Where the value of Host lies, if there is one.
    host: (u32, u32),
    flags: Flags,
    expect: Expectation,
}

/// The fields that were found, a bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Flags(u8);

impl Flags {
    /// There is a Host, and it is what nearly all are, and needs no other look.
    const HOST_PLAIN: Self = Self(1);
    const HOST: Self = Self(2);
    const HOST_REPEATED: Self = Self(4);
    /// There is a known field other than Host and `Connection: keep-alive`.
    const RARE: Self = Self(8);
    const CLOSE: Self = Self(16);
    const KEEP_ALIVE: Self = Self(32);
    /// `Connection: upgrade`.
    const UPGRADE_OPTION: Self = Self(64);
    const UPGRADE: Self = Self(128);

    const fn has(self, flag: Self) -> bool {
        self.0 & flag.0 != 0
    }

    const fn set(&mut self, flag: Self) {
        self.0 |= flag.0;
    }

    /// Sets `flag` if `condition` holds.
    const fn set_if(&mut self, condition: bool, flag: Self) {
        if condition {
            self.set(flag);
        }
    }
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

/// The bit that tells the cases of a letter apart, in each of four bytes.
const CASE: u32 = 0x2020_2020;

/// Four bytes in lower case. No two bytes of a token but the cases of one
/// letter are alike in that.
#[inline(always)]
const fn word(bytes: [u8; 4]) -> u32 {
    u32::from_le_bytes(bytes) | CASE
}

impl Semantics {
    /// Takes the field in `line` of `text` into account.
    #[inline(always)]
    pub(crate) fn add<B: Blocks>(&mut self, blocks: B, text: &[u8], line: &FieldLine) {
        let length = (line.name_end - line.name) as usize;
        let known = KNOWN.get(length).copied().unwrap_or_default();
        // Nearly every field ends here: it rules nothing about the connection.
        if line.first | CASE != known {
            return;
        }
        if known != HOST {
            let (name, name_end) = (u64::from(line.name), u64::from(line.name_end));
            let (value, value_end) = (u64::from(line.value), u64::from(line.value_end));
            return self.add_rare(text, name_end << 32 | name, value_end << 32 | value);
        }
        if self.flags.has(Flags::HOST) {
            self.flags.set(Flags::HOST_REPEATED);
        }
        self.flags.set(Flags::HOST);
        self.host = (line.value, line.value_end);
        let (from, to) = (line.value as usize, line.value_end as usize);
        let plain = is_plain_host(blocks, text, from, to);
        self.flags.set_if(plain, Flags::HOST_PLAIN);
    }

    /// Adds a field that is probably one of the known ones.
    #[inline(never)]
    fn add_rare(&mut self, text: &[u8], name: u64, value: u64) {
        // Each is where a part begins, and above it where it ends: in this form
        // they need no memory on their way.
        let part = |range: u64| text.get(range as u32 as usize..(range >> 32) as usize);
        let name = part(name).unwrap_or_default();
        let value = part(value).unwrap_or_default();
        match name.len() {
            10 if is(name, b"connection") => return self.add_connection(value),
            6 if is(name, b"expect") => self.expect.add(value),
            7 if is(name, b"upgrade") => self.flags.set(Flags::UPGRADE),
            14 if is(name, b"content-length") => self.length.add(value),
            17 if is(name, b"transfer-encoding") => self.coding.add(value),
            _ => return,
        }
        self.flags.set(Flags::RARE);
    }

    fn add_connection(&mut self, value: &[u8]) {
        if value.len() == 10 && is(value, b"keep-alive") {
            self.flags.set(Flags::KEEP_ALIVE);
            return;
        }
        self.flags.set(Flags::RARE);
        for option in List::new(value) {
            let (known, flag): (&[u8], _) = match option.len() {
                5 => (b"close", Flags::CLOSE),
                7 => (b"upgrade", Flags::UPGRADE_OPTION),
                10 => (b"keep-alive", Flags::KEEP_ALIVE),
                _ => continue,
            };
            self.flags.set_if(option.eq_ignore_ascii_case(known), flag);
        }
    }

    /// Whether a good Host, and perhaps `Connection: keep-alive`, is all that the
    /// head says for the connection. It frames no content then.
    #[inline]
    pub(crate) const fn is_usual(&self) -> bool {
        let judged = Flags::HOST_PLAIN.0 | Flags::HOST_REPEATED.0 | Flags::RARE.0;
        self.flags.0 & judged == Flags::HOST_PLAIN.0
    }

    /// Whether the connection outlives the exchange, if the head is usual.
    #[inline(always)]
    pub(crate) const fn usual_persists(&self, version: Version) -> bool {
        self.flags.has(Flags::KEEP_ALIVE) || !matches!(version, Version::Http10)
    }

    /// Whether the connection outlives the exchange (RFC 9112 §9.3).
    pub(crate) const fn persists(&self, version: Version) -> bool {
        !self.flags.has(Flags::CLOSE) && self.usual_persists(version)
    }

    /// Whether another protocol is offered (RFC 9110 §7.8).
    pub(crate) const fn offers_upgrade(&self, version: Version) -> bool {
        self.flags.has(Flags::UPGRADE)
            && self.flags.has(Flags::UPGRADE_OPTION)
            && !matches!(version, Version::Http10)
    }

    /// Whether the sender waits for `100 Continue` before it sends the body
    /// (RFC 9110 §10.1.1).
    ///
    /// # Errors
    /// [`ProtocolError::Expectation`] if it expects anything else.
    pub(crate) const fn expects_continue(&self, version: Version) -> Result<bool, ProtocolError> {
        match (version, self.expect) {
            (Version::Http10, _) | (_, Expectation::Absent) => Ok(false),
            (_, Expectation::Continue) => Ok(true),
            (_, Expectation::Unknown) => Err(ProtocolError::Expectation),
        }
    }

    /// Checks the Host rules (RFC 9112 §3.2) in the `text` of the head.
    ///
    /// # Errors
    /// [`ProtocolError`] if Host is missing in version 1.1, repeated, not a host
    /// with a port, or empty although the target names an authority.
    pub(crate) fn check_host(
        &self,
        text: &[u8],
        version: Version,
        target_has_authority: bool,
    ) -> Result<(), ProtocolError> {
        let (from, to) = (self.host.0 as usize, self.host.1 as usize);
        let host = self
            .flags
            .has(Flags::HOST)
            .then(|| text.get(from..to).unwrap_or_default());
        match host {
            _ if self.flags.has(Flags::HOST_REPEATED) => Err(ProtocolError::HostRepeated),
            Some(_) if self.flags.has(Flags::HOST_PLAIN) => Ok(()),
            None if version == Version::Http10 => Ok(()),
            None => Err(ProtocolError::HostMissing),
            Some(b"") if !target_has_authority => Ok(()),
            Some(host) if core::str::from_utf8(host).is_ok_and(is_authority) => Ok(()),
            Some(_) => Err(ProtocolError::HostInvalid),
        }
    }
}

/// Whether `name`, without control characters, is `known` (lower-case letters and hyphens, 5
/// bytes or more) in any case.
#[inline]
fn is<const N: usize>(name: &[u8], known: &[u8; N]) -> bool {
    // No two visible bytes but the cases of a letter are alike in that, and a
    // hyphen is like a control character only.
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

/// Whether the value is letters, digits, dots and hyphens with an optional port below 60,000:
/// nearly every host, and good without [`is_authority`].
#[inline(always)]
fn is_plain_host<B: Blocks>(blocks: B, text: &[u8], from: usize, to: usize) -> bool {
    // What stands after a window without another byte has not been looked at.
    let end = from + blocks.run_of(Class::PLAIN_NAME, text, from).min(WINDOW);
    if end >= to {
        return from < to;
    }
    match text.get(end..to) {
        Some([b':', port @ ..]) if end > from => is_low_port(text, port, to),
        _ => false,
    }
}

/// Whether `port`, which ends at `to` in `text`, is a number below 60,000, or
/// empty.
#[inline(always)]
fn is_low_port(text: &[u8], port: &[u8], to: usize) -> bool {
    const ALL: u32 = 0x0101_0101;
    let is_short = match port {
        [first, _, _, _, _] => matches!(first, b'0'..=b'5'),
        _ => port.len() < 5,
    };
    let last = text.get(..to).and_then(|text| text.last_chunk::<4>());
    let Some(last) = last else {
        return false; // not reached: a name and a colon are in front
    };
    // The last four bytes in one word: what stands in front of the port counts as 0.
    let is_port = (u64::from(u32::MAX) << (32 - 8 * port.len().min(4))) as u32;
    let digits = (u32::from_le_bytes(*last) ^ (ALL * 0x30)) & is_port;
    let above_9 = digits.wrapping_add(ALL * 0x76) | digits;
    is_short && above_9 & (ALL * 0x80) == 0
}

#[cfg(test)]
mod tests;
