//! `zstd` (RFC 8878), of one frame or several, in any pieces.

use alloc::vec::Vec;

use zstd_safe::zstd_sys::ZSTD_ErrorCode;
use zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer, is_error_kind};

use super::fault::{Decode, Decoded, Fault};

const MALFORMED: Fault = Fault::Coding("the body is not zstd, as its Content-Encoding says");

/// The first four bytes of a frame.
const FRAME: u32 = 0xfd2f_b528;
/// The first four bytes of a frame that is to be skipped, but for four bits (RFC 8878
/// §3.1.2).
const SKIPPED: u32 = 0x184d_2a50;

pub(super) struct Zstd {
    state: DCtx<'static>,
    part: Part,
    /// How many more frames without content may follow, and how many at most.
    empty: [u16; 2],
    /// Bytes that may still be skipped.
    skippable: u32,
}

enum Part {
    /// Of the front of a frame so much has come.
    Front(Vec<u8>),
    /// Its magic number is still to be given to the library, from this byte on; it has
    /// brought content.
    Frame { begun: usize, has_content: bool },
    /// So many bytes are left of what is skipped.
    Skipped(u32),
}

impl Zstd {
    /// Its window is at most so long: the largest power of two.
    pub(super) fn new(window: u32, empty: u16) -> Result<Self, Fault> {
        const LEAST: u32 = 10; // smaller ones than 1 KiB are not possible
        let bits = window.checked_ilog2().filter(|&bits| bits >= LEAST);
        let bits = bits.ok_or(Fault::TooLarge("decoding_window"))?;
        let no_memory = Fault::Coding("there is no memory to decode the body");
        let mut state = DCtx::try_create().ok_or(no_memory)?;
        let is_set = state.set_parameter(DParameter::WindowLogMax(bits.min(30)));
        is_set.map_err(|_| no_memory)?;
        Ok(Self {
            state,
            part: Part::Front(Vec::new()),
            empty: [empty; 2],
            skippable: window,
        })
    }

    /// A frame begins that brings nothing, as far as is known.
    fn count_empty(&mut self) -> Result<(), Fault> {
        let [left, _] = &mut self.empty;
        *left = left
            .checked_sub(1)
            .ok_or(Fault::TooLarge("empty_members"))?;
        Ok(())
    }

    /// Keeps what comes of a frame's front until it is known what it is.
    fn front(&mut self, input: &[u8]) -> Result<usize, Fault> {
        let Part::Front(kept) = &mut self.part else {
            return Ok(0);
        };
        let lacks = match **kept {
            [_, _, _, _, ..] => 8 - kept.len(), // the length of what is skipped
            _ => 4 - kept.len(),
        };
        let used = input.get(..lacks.min(input.len())).unwrap_or_default();
        kept.extend_from_slice(used);
        match **kept {
            [a, b, c, d] => match u32::from_le_bytes([a, b, c, d]) {
                FRAME => {
                    self.part = Part::Frame {
                        begun: 0,
                        has_content: false,
                    }
                }
                magic if magic & !0xf == SKIPPED => {}
                _ => return Err(MALFORMED),
            },
            [_, _, _, _, a, b, c, d] => {
                let length = u32::from_le_bytes([a, b, c, d]);
                self.count_empty()?;
                let left = self.skippable.checked_sub(length);
                self.skippable = left.ok_or(Fault::TooLarge("decoding_window"))?;
                self.part = match length {
                    0 => Part::Front(Vec::new()),
                    length => Part::Skipped(length),
                };
            }
            _ => {}
        }
        Ok(used.len())
    }

    fn frame(&mut self, input: &[u8], out: &mut [u8]) -> Result<Decoded, Fault> {
        let Part::Frame { begun, has_content } = &mut self.part else {
            return Ok(Decoded { used: 0, given: 0 });
        };
        let magic = FRAME.to_le_bytes();
        let is_in_magic = *begun < magic.len();
        let given_in = match is_in_magic {
            true => magic.get(*begun..).unwrap_or_default(),
            false => input,
        };
        let mut source = InBuffer::around(given_in);
        let mut room = OutBuffer::around(out);
        let result = self.state.decompress_stream(&mut room, &mut source);
        let given = room.as_slice().len();
        let left = result.map_err(|code| {
            match is_error_kind(
                code,
                ZSTD_ErrorCode::ZSTD_error_frameParameter_windowTooLarge,
            ) {
                true => Fault::TooLarge("decoding_window"),
                false => MALFORMED,
            }
        })?;
        *has_content |= given > 0;
        let used = match is_in_magic {
            true => {
                *begun += source.pos();
                0
            }
            false => source.pos(),
        };
        if is_in_magic {
            // Nothing comes of it alone.
            return match input.is_empty() {
                true => Ok(Decoded { used, given }),
                false => self.frame(input, out),
            };
        }
        if left == 0 {
            match *has_content {
                true => {
                    let [left, most] = &mut self.empty;
                    *left = *most;
                }
                false => self.count_empty()?,
            }
            self.part = Part::Front(Vec::new());
        }
        Ok(Decoded { used, given })
    }
}

impl Decode for Zstd {
    fn decode(&mut self, input: &[u8], out: &mut [u8]) -> Result<Decoded, Fault> {
        let used = match &mut self.part {
            Part::Front(_) => self.front(input)?,
            Part::Frame { .. } => return self.frame(input, out),
            Part::Skipped(left) => {
                let used = input.len().min(*left as usize);
                *left -= used as u32; // at most what was left
                if *left == 0 {
                    self.part = Part::Front(Vec::new());
                }
                used
            }
        };
        Ok(Decoded { used, given: 0 })
    }

    fn memory(&self) -> usize {
        self.state.sizeof()
    }

    fn can_end(&self) -> bool {
        matches!(&self.part, Part::Front(kept) if kept.is_empty())
    }
}
