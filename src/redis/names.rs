//! How a channel is called in Redis: its keys, and where it is published.
//!
//! ```text
//!   barewire:{a94a8fe5ccb19ba6}:c:tea        where it is published (SPUBLISH, SSUBSCRIBE)
//!                                h            hash: its epoch, offset and bytes
//!                                s            stream: what it remembers
//!                                i …:ID       the place of the publication with this id
//!                                p            hash: who is there
//!                                n            sorted set: the processes that say so
//!                                u            hash: sessions of each user
//! ```
//!
//! The text in braces, which chooses the slot, is made from a hash of the name.

use alloc::vec::Vec;

use sha1::{Digest, Sha1};

use super::message::hex;

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Where messages are published.
    Channel = b'c' as isize,
    /// The record of the channel.
    Head = b'h' as isize,
    /// Its stream.
    Stream = b's' as isize,
    /// The place of one publication, by its id.
    Id = b'i' as isize,
    /// Its members.
    Present = b'p' as isize,
    /// The processes that have some.
    Nodes = b'n' as isize,
    /// The users that they belong to.
    Users = b'u' as isize,
}

/// The names of one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// That of [`Purpose::Channel`]: the others differ in one byte.
    channel: Vec<u8>,
    purpose_at: usize,
    slot: u16,
}

impl Names {
    /// The names of a channel below this prefix.
    pub fn new(prefix: &str, channel: &str) -> Self {
        let tag = tag(channel);
        let mut name = Vec::with_capacity(prefix.len() + channel.len() + 22);
        for part in [prefix.as_bytes(), b":{", &tag, b"}:"] {
            name.extend_from_slice(part);
        }
        let purpose_at = name.len();
        name.extend_from_slice(b"c:");
        name.extend_from_slice(channel.as_bytes());
        Self {
            channel: name,
            purpose_at,
            slot: crc16(&tag) % SLOTS,
        }
    }

    /// Where it is published.
    pub fn channel(&self) -> &[u8] {
        &self.channel
    }

    /// One of its keys.
    pub fn key(&self, purpose: Purpose) -> Vec<u8> {
        let mut key = self.channel.clone();
        if let Some(byte) = key.get_mut(self.purpose_at) {
            *byte = purpose as u8;
        }
        key
    }

    /// The slot of a cluster that all of them are in.
    pub const fn slot(&self) -> u16 {
        self.slot
    }
}

/// Slots of a cluster.
pub(crate) const SLOTS: u16 = 16_384;

/// What stands in braces: the first 16 digits of the SHA-1 of the channel's name.
pub(super) fn tag(channel: &str) -> [u8; 16] {
    let digest = Sha1::digest(channel.as_bytes());
    let first = digest.first_chunk::<8>().copied().unwrap_or_default();
    hex(u64::from_be_bytes(first))
}

/// CRC-16 as a cluster computes slots (polynomial 0x1021, beginning with 0).
fn crc16(bytes: &[u8]) -> u16 {
    let mut crc = 0_u16;
    for &byte in bytes {
        crc ^= u16::from(byte) << 8;
        for _ in 0..8 {
            let carry = crc & 0x8000 != 0;
            crc <<= 1;
            if carry {
                crc ^= 0x1021;
            }
        }
    }
    crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_users_braces_choose_no_slot() {
        let names = Names::new("barewire", "te{a}");
        let tag = tag("te{a}");
        let tag = core::str::from_utf8(&tag).unwrap();
        let expected = alloc::format!("barewire:{{{tag}}}:s:te{{a}}");
        assert_eq!(names.key(Purpose::Stream), expected.as_bytes());
        assert_eq!(self::tag("test"), *b"a94a8fe5ccb19ba6");
        assert_eq!(crc16(b"123456789"), 0x31c3);
    }
}
