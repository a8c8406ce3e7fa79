//! Messages that are inflated once they are complete.

use alloc::boxed::Box;

use super::window::Window;
use crate::websocket::{Kind, Limits, ProtocolError};
use crate::wire::codec::{Inflate, Inflated, Inflater};
use crate::wire::{Utf8, simd};

/// The bytes that a sender takes off the end of each message (RFC 7692 §7.2.1).
pub(super) const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// A final block without anything in it, which only makes sense between two blocks.
const PROBE: [u8; 5] = [1, 0, 0, 0xff, 0xff];

/// The first piece of memory that is taken for a message, at least.
const FIRST: usize = 4096;

/// The most decoded bytes for which [`Limits::inflate_ratio`] does not count.
const ANY_RATIO: u64 = 4096;

pub(super) fn most_plain(wire: u64, limits: &Limits) -> (u64, ProtocolError) {
    let by_ratio = match limits.inflate_ratio {
        u32::MAX => u64::MAX,
        ratio => wire.saturating_mul(ratio.into()).max(ANY_RATIO),
    };
    match by_ratio < limits.message {
        true => (by_ratio, ProtocolError::InflateRatio),
        false => (limits.message, ProtocolError::MessageTooBig),
    }
}

/// The message that is being inflated, as far as it has come.
#[derive(Debug, Default)]
pub(super) struct Course {
    pub(super) begun: bool,
    /// The last thing that was read is a final block.
    pub(super) at_final: bool,
    pub(super) finals: u32,
}

impl Course {
    pub(super) fn note(&mut self, step: &Inflated, limits: &Limits) -> Result<(), ProtocolError> {
        self.begun |= step.read > 0;
        if step.read > 0 || step.written > 0 {
            self.at_final = step.ended;
        }
        if step.ended {
            self.finals += 1;
            if self.finals > limits.final_blocks {
                return Err(ProtocolError::TooManyFinalBlocks);
            }
        }
        Ok(())
    }

    /// Judges the end of a message; whether the state can go on with the next, if `is_wanted`.
    pub(super) fn end(
        &self,
        state: &mut dyn Inflate,
        is_wanted: bool,
    ) -> Result<bool, ProtocolError> {
        if !self.begun || self.at_final {
            return Ok(!self.begun); // between two blocks
        }
        if is_wanted && let Some(is_end) = state.end_message() {
            return is_end
                .then_some(true)
                .ok_or(ProtocolError::InvalidCompression);
        }
        let mut output = [0; 8];
        for (bytes, ends) in [(&TAIL[..], false), (&PROBE[..], true)] {
            let (step, fault) = state.inflate(bytes, &mut output);
            let is_empty = step.read == bytes.len() && step.written == 0 && step.ended == ends;
            if fault.is_err() || !is_empty {
                return Err(ProtocolError::InvalidCompression);
            }
        }
        Ok(false)
    }
}

/// Inflates a complete message after `window`; returns its length. At most `most` bytes before
/// a byte may be referred to. With `own` the state has just inflated the message before.
pub(crate) fn inflate_message(
    window: &Window,
    most: usize,
    (kind, message): (Kind, &[u8]),
    limits: &Limits,
    inflater: &mut Inflater,
    own: Option<&mut Option<Box<dyn Inflate>>>,
) -> Result<usize, ProtocolError> {
    let (mut own, mut written) = (own, 0);
    let mut state = match own.as_mut().and_then(|it| it.take()) {
        Some(state) => state,
        None => {
            let mut state = inflater.take();
            state.begin(window.parts());
            state
        }
    };
    let work = Work {
        window,
        most,
        message,
        keeps: own.is_some(),
    };
    let ended = work.run(limits, &mut *state, inflater, &mut written);
    match own {
        Some(place) if ended == Ok(true) => *place = Some(state),
        _ => inflater.give_back(state),
    }
    let plain = inflater.plain().get(..written).unwrap_or_default();
    match ended {
        Ok(_) if kind == Kind::Text && !simd::is_utf8(plain) => Err(ProtocolError::InvalidText),
        Ok(_) => {
            inflater.tally.add(written, message.len(), true);
            Ok(written)
        }
        // What is wrong first is what is told.
        Err(_) if kind == Kind::Text && Utf8::new().push(plain).is_err() => {
            Err(ProtocolError::InvalidText)
        }
        Err(fault) => Err(fault),
    }
}

struct Work<'m> {
    window: &'m Window,
    most: usize,
    message: &'m [u8],
    /// The state is to go on with the next message.
    keeps: bool,
}

impl Work<'_> {
    /// Inflates it; whether the state goes on with the next one.
    fn run(
        &self,
        limits: &Limits,
        state: &mut dyn Inflate,
        inflater: &mut Inflater,
        written: &mut usize,
    ) -> Result<bool, ProtocolError> {
        let message = self.message;
        let (largest, too_big) = most_plain(message.len() as u64, limits);
        let largest = usize::try_from(largest).unwrap_or(usize::MAX);
        let (mut read, mut course) = (0, Course::default());
        let mut size = FIRST.max(message.len().saturating_mul(4)).min(largest);
        loop {
            let rest = message.get(read..).unwrap_or_default();
            let room = inflater.room(size);
            let place = room.get_mut(*written..size).unwrap_or_default();
            if place.is_empty() && size == largest {
                // One byte more is too much, and may not even be taken.
                let (step, fault) = state.inflate(rest, &mut [0]);
                if step.written > 0 {
                    return Err(too_big);
                }
                fault.map_err(|_| ProtocolError::InvalidCompression)?;
                course.note(&step, limits)?;
                read += step.read;
                if !step.ended {
                    break;
                }
            } else if place.is_empty() {
                size = size.saturating_mul(4).min(largest);
                continue;
            } else {
                let available = place.len();
                let (step, fault) = state.inflate(rest, place);
                read += step.read;
                *written += step.written;
                fault.map_err(|_| ProtocolError::InvalidCompression)?;
                course.note(&step, limits)?;
                if !step.ended && step.written < available {
                    break; // it has read all
                }
            }
            if course.at_final && read == message.len() {
                break;
            }
            if course.at_final {
                let plain = inflater.plain().get(..*written).unwrap_or_default();
                begin_behind(state, self.window, plain, self.most);
            }
        }
        course.end(state, self.keeps)
    }
}

/// Begins at a new block after a final one, which does not end what may be referred to
/// (RFC 7692 §7.2.3.4).
fn begin_behind(state: &mut dyn Inflate, window: &Window, plain: &[u8], most: usize) {
    match plain.len().checked_sub(most) {
        Some(from) => state.begin([plain.get(from..).unwrap_or_default(), &[]]),
        None => {
            let before = window.parts().concat();
            let from = (before.len() + plain.len()).saturating_sub(most);
            state.begin([before.get(from..).unwrap_or_default(), plain]);
        }
    }
}
