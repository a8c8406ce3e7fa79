//! `gzip` (RFC 1952), by zlib-rs.

use alloc::vec::Vec;

use zlib_rs::crc32::crc32;
use zlib_rs::{Deflate, DeflateConfig, DeflateFlush, Status};

use super::work::{Failed, Purpose, Then};

/// No name, no time, any system.
pub(super) const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

const ROOM: usize = 512;

pub(crate) struct Gzip {
    state: Deflate,
    purpose: Purpose,
    has_begun: bool,
    sum: u32,
    length: u32, // modulo 2³², as in the tail
}

impl Gzip {
    pub(super) fn new(level: u8, purpose: Purpose) -> Self {
        let (bits, memory) = sizes(purpose);
        let config = DeflateConfig {
            level: i32::from(level),
            window_bits: -bits, // without a head
            mem_level: memory,
            ..DeflateConfig::default()
        };
        Self {
            state: Deflate::new_with_config(config),
            purpose,
            has_begun: false,
            sum: 0,
            length: 0,
        }
    }

    pub(super) fn begin(&mut self) {
        self.state.reset();
        (self.has_begun, self.sum, self.length) = (false, 0, 0);
    }

    pub(super) fn put(
        &mut self,
        input: &[u8],
        then: Then,
        out: &mut Vec<u8>,
    ) -> Result<(), Failed> {
        if self.purpose == Purpose::Body {
            if !self.has_begun {
                out.extend_from_slice(&HEAD);
                self.has_begun = true;
            }
            self.sum = crc32(self.sum, input);
            self.length = self.length.wrapping_add(input.len() as u32);
        }
        let flush = match then {
            Then::More => DeflateFlush::NoFlush,
            Then::Flush => DeflateFlush::SyncFlush,
            Then::End => DeflateFlush::Finish,
        };
        self.deflate(input, flush, out)?;
        if then == Then::End && self.purpose == Purpose::Body {
            put_tail(self.sum, self.length, out);
        }
        Ok(())
    }

    fn deflate(
        &mut self,
        input: &[u8],
        flush: DeflateFlush,
        out: &mut Vec<u8>,
    ) -> Result<(), Failed> {
        let mut rest = input;
        loop {
            let start = out.len();
            out.resize(start + ROOM.max(rest.len() / 4), 0);
            let room = out.get_mut(start..).unwrap_or_default();
            let size = room.len();
            let (read, written) = (self.state.total_in(), self.state.total_out());
            let done = self.state.compress(rest, room, flush);
            let read = (self.state.total_in() - read) as usize; // at most the input
            let written = (self.state.total_out() - written) as usize; // at most the room
            out.truncate(start + written);
            rest = rest.get(read..).unwrap_or_default();
            match done {
                Ok(Status::StreamEnd) => return Ok(()),
                // It has more to say only where it has used all of the room.
                Ok(_) if rest.is_empty() && written < size && flush != DeflateFlush::Finish => {
                    return Ok(());
                }
                Ok(Status::BufError) if read == 0 && written == 0 => return Ok(()),
                Ok(_) => {}
                Err(_) => return Err(Failed),
            }
        }
    }

    pub(super) const fn memory(&self) -> usize {
        match self.purpose {
            Purpose::Body => 380_032,
            Purpose::Events => 195_712,
        }
    }
}

/// Bits of the window, and the level of memory for finding matches.
const fn sizes(purpose: Purpose) -> (i32, i32) {
    match purpose {
        Purpose::Body => (15, 8),
        Purpose::Events => (13, 6),
    }
}

/// Appends the end of a body: CRC-32 and length of what was coded (RFC 1952 §2.3.1).
pub(super) fn put_tail(sum: u32, length: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(&sum.to_le_bytes());
    out.extend_from_slice(&length.to_le_bytes());
}
