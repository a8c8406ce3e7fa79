//! `br` (RFC 7932).

use alloc::boxed::Box;

use brotli::enc::StandardAlloc;
use brotli::{BrotliDecompressStream, BrotliResult, BrotliState, SliceWrapper as _};

use super::fault::{Decode, Decoded, Fault};

const MALFORMED: Fault = Fault::Coding("the body is not br, as its Content-Encoding says");

type State = BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>;

pub(super) struct Brotli {
    state: Box<State>,
    /// How far back the body may refer, and how far it says that it does.
    most: u64,
    window: Option<u64>,
    given: u64,
    has_ended: bool,
}

impl Brotli {
    pub(super) fn new(window: u32) -> Self {
        let alloc = StandardAlloc::default;
        Self {
            // Large windows are no part of the format.
            state: Box::new(BrotliState::new_strict(alloc(), alloc(), alloc())),
            most: u64::from(window),
            window: None,
            given: 0,
            has_ended: false,
        }
    }
}

/// The window by the first byte of a body (RFC 7932 §9.1).
fn window(first: u8) -> Result<u64, Fault> {
    let (low, high) = (first >> 1 & 7, first >> 4 & 7);
    let bits = match (first & 1, low, high) {
        (0, _, _) => 16,
        (_, 1.., _) => 17 + low,
        (_, _, 0) => 17,
        (_, _, 1) => return Err(Fault::TooLarge("decoding_window")), // a large one
        (_, _, _) => 8 + high,
    };
    Ok((1 << bits) - 16)
}

impl Decode for Brotli {
    fn decode(&mut self, input: &[u8], out: &mut [u8]) -> Result<Decoded, Fault> {
        if self.has_ended {
            return match input.is_empty() {
                true => Ok(Decoded { used: 0, given: 0 }),
                false => Err(Fault::Coding("more follows the end of the body's coding")),
            };
        }
        let announced = match (self.window, input) {
            (Some(window), _) => window,
            (None, &[first, ..]) => *self.window.insert(window(first)?),
            (None, []) => return Ok(Decoded { used: 0, given: 0 }),
        };
        let (mut left, mut used) = (input.len(), 0);
        let (mut room, mut given, mut total) = (out.len(), 0, 0);
        let result = BrotliDecompressStream(
            &mut left,
            &mut used,
            input,
            &mut room,
            &mut given,
            out,
            &mut total,
            &mut self.state,
        );
        match result {
            BrotliResult::ResultFailure => return Err(MALFORMED),
            BrotliResult::ResultSuccess => self.has_ended = true,
            BrotliResult::NeedsMoreInput | BrotliResult::NeedsMoreOutput => {}
        }
        // What is kept grows with what was given, up to the window.
        self.given += given as u64;
        if announced.min(self.given) > self.most {
            return Err(Fault::TooLarge("decoding_window"));
        }
        Ok(Decoded { used, given })
    }

    fn memory(&self) -> usize {
        let state = &*self.state;
        let groups = [
            &state.literal_hgroup,
            &state.insert_copy_hgroup,
            &state.distance_hgroup,
        ];
        let tables = groups.into_iter().map(|it| size_of_val(it.codes.slice()));
        size_of::<State>() + state.ringbuffer.slice().len() + tables.sum::<usize>()
    }

    fn can_end(&self) -> bool {
        self.has_ended || self.window.is_none()
    }
}
