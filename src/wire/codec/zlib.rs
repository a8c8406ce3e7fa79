//! The states of zlib-rs.

use alloc::boxed::Box;
use alloc::vec::Vec;

use zlib_rs::{DeflateConfig, DeflateFlush, InflateFlush, Status};

use super::{Deflate, Inflate, Inflated, InvalidData};
use crate::wire::partly_shown;

/// The measured size of a state that inflates: its window is always the largest.
const INFLATING: usize = 47_552;

/// A state that inflates, with a window of 32 KiB.
pub(super) struct Inflating {
    state: zlib_rs::Inflate,
}

impl Inflating {
    pub(super) fn new() -> Self {
        Self {
            state: zlib_rs::Inflate::new(false, 15),
        }
    }

    fn step(
        &mut self,
        input: &[u8],
        output: &mut [u8],
        flush: InflateFlush,
    ) -> (Inflated, Result<(), InvalidData>) {
        let (read, written) = (self.state.total_in(), self.state.total_out());
        let inflated = self.state.decompress(input, output, flush);
        let progress = Inflated {
            read: (self.state.total_in() - read) as usize, // at most what was given
            written: (self.state.total_out() - written) as usize,
            ended: inflated == Ok(Status::StreamEnd),
        };
        (progress, inflated.map(drop).map_err(|_| InvalidData))
    }
}

impl Inflate for Inflating {
    fn begin(&mut self, window: [&[u8]; 2]) {
        self.state.reset(false);
        for part in window.into_iter().filter(|it| !it.is_empty()) {
            // Refused only in the middle of a block.
            let _ = self.state.set_dictionary(part);
        }
    }

    fn inflate(&mut self, input: &[u8], output: &mut [u8]) -> (Inflated, Result<(), InvalidData>) {
        // Without room it would have nothing to say, and might take that for an end.
        self.step(input, output, InflateFlush::SyncFlush)
    }

    fn end_message(&mut self) -> Option<bool> {
        let mut output = [0; 8];
        let mut is_read = |bytes: &[u8], length, flush| {
            let (step, fault) = self.step(bytes, &mut output, flush);
            let is_it = step.read == length && step.written == 0 && !step.ended;
            fault.is_ok() && is_it
        };
        // With `Block` it reads no further than to the end of a block: not the byte behind. Bits of
        // the last byte that are left belong to no empty block without compression: they are ones.
        let at_end = is_read(&[0, 0, 0xff, 0xff, 0], 4, InflateFlush::Block);
        let at_byte = is_read(&[0, 0, 0, 0xff, 0xff], 5, InflateFlush::SyncFlush);
        Some(at_end && at_byte)
    }

    fn size(&self) -> usize {
        INFLATING
    }
}

partly_shown!(Inflating);

pub(super) fn make(window_bits: u8) -> Box<dyn Deflate> {
    Box::new(Deflating::new(window_bits))
}

/// How much memory zlib-rs finds matches with: its own default.
const MEM_LEVEL: i32 = 8;

/// A state that deflates, for windows of 2⁹ to 2¹⁵ bytes.
struct Deflating {
    state: zlib_rs::Deflate,
    level: u8,
    bits: u8,
}

impl Deflating {
    fn new(window_bits: u8) -> Self {
        let bits = window_bits.clamp(9, 15);
        let level = 1;
        Self {
            state: zlib_rs::Deflate::new_with_config(DeflateConfig {
                level: i32::from(level),
                window_bits: -i32::from(bits), // without a head
                mem_level: MEM_LEVEL,
                ..DeflateConfig::default()
            }),
            level,
            bits,
        }
    }
}

impl Deflate for Deflating {
    fn begin(&mut self, level: u8, window: &[u8]) {
        self.state.reset();
        let level = level.clamp(1, 9);
        if level != self.level && self.state.set_level(i32::from(level)).is_ok() {
            self.level = level;
        }
        if !window.is_empty() {
            // Refused only once data has been deflated.
            let _ = self.state.set_dictionary(window);
        }
    }

    fn deflate(&mut self, input: &[u8], out: &mut Vec<u8>) {
        let start = (self.state.total_in(), self.state.total_out(), out.len());
        let mut room = input.len() + input.len() / 64 + 64;
        loop {
            let read = (self.state.total_in() - start.0) as usize; // at most all
            let written = start.2 + (self.state.total_out() - start.1) as usize;
            out.resize(written + room, 0);
            let (rest, place) = (input.get(read..), out.get_mut(written..));
            let (rest, place) = (rest.unwrap_or_default(), place.unwrap_or_default());
            let deflated = self.state.compress(rest, place, DeflateFlush::SyncFlush);
            let end = start.2 + (self.state.total_out() - start.1) as usize;
            out.truncate(end);
            // It is complete where there is room left.
            if deflated.is_err() || end < written + room {
                return;
            }
            room = room.max(4096);
        }
    }

    /// Measured: four times the window, two tables of 2 to the power of `MEM_LEVEL` and of
    /// 16, and what they are used with.
    fn size(&self) -> usize {
        (4 << self.bits) + (128 << 10) + (112 << 10) + 8192
    }
}

partly_shown!(it: Deflating { bits, level });
