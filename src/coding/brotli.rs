//! `br` (RFC 7932).

use alloc::boxed::Box;
use alloc::vec::Vec;

use brotli::enc::StandardAlloc;
use brotli::enc::encode::{
    BrotliEncoderOperation, BrotliEncoderParameter, BrotliEncoderStateStruct,
};

use super::work::{Failed, Purpose, Then};

/// The window of streams of events, as a power of two: that which [`HEAD`] says.
const EVENTS: u32 = 16;

/// The head of a stream with such a window, and an empty block of metadata up to the end of
/// the byte.
pub(super) const HEAD: [u8; 1] = [0x0c];

/// The end of a stream: an empty last block.
pub(super) const TAIL: [u8; 1] = [0x03];

/// How much room is made at a time at least.
const ROOM: usize = 512;

/// The state of one body. The library has no way to begin anew with the same.
pub(crate) struct Brotli {
    state: Box<BrotliEncoderStateStruct<StandardAlloc>>,
    level: u8,
    purpose: Purpose,
    is_fresh: bool,
}

impl Brotli {
    pub(super) fn new(level: u8, purpose: Purpose) -> Self {
        Self {
            state: fresh(level, purpose),
            level,
            purpose,
            is_fresh: true,
        }
    }

    pub(super) fn begin(&mut self) {
        if !self.is_fresh {
            self.state = fresh(self.level, self.purpose);
            self.is_fresh = true;
        }
    }

    pub(super) fn begin_body_of(&mut self, length: usize) {
        self.begin();
        use BrotliEncoderParameter::{BROTLI_PARAM_LGWIN, BROTLI_PARAM_SIZE_HINT};
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        // No larger than what it can refer to, and no larger than usual.
        let bits = length
            .max(2)
            .next_power_of_two()
            .trailing_zeros()
            .clamp(10, 20);
        self.state.set_parameter(BROTLI_PARAM_LGWIN, bits);
        self.state.set_parameter(BROTLI_PARAM_SIZE_HINT, length);
    }

    pub(super) fn put(
        &mut self,
        input: &[u8],
        then: Then,
        out: &mut Vec<u8>,
    ) -> Result<(), Failed> {
        use BrotliEncoderOperation::{
            BROTLI_OPERATION_FINISH, BROTLI_OPERATION_FLUSH, BROTLI_OPERATION_PROCESS,
        };
        self.is_fresh = false;
        let (mut left, mut at) = (input.len(), 0);
        loop {
            let start = out.len();
            out.resize(start + ROOM.max(left / 4), 0);
            let room = out.get_mut(start..).unwrap_or_default();
            let (mut available, mut written) = (room.len(), 0);
            let operation = match then {
                Then::More => BROTLI_OPERATION_PROCESS,
                Then::Flush => BROTLI_OPERATION_FLUSH,
                Then::End => BROTLI_OPERATION_FINISH,
            };
            let went_well = self.state.compress_stream(
                operation,
                &mut left,
                input,
                &mut at,
                &mut available,
                room,
                &mut written,
                &mut None,
                &mut |_, _, _, _| (),
            );
            out.truncate(start + written);
            if !went_well {
                return Err(Failed);
            }
            if left == 0 && !self.state.has_more_output() && available > 0 {
                return Ok(());
            }
        }
    }

    pub(super) const fn memory(&self) -> usize {
        match self.purpose {
            Purpose::Body => 1_147_959, // streamed; a complete one takes more if it is large
            Purpose::Events => 754_711,
        }
    }
}

fn fresh(level: u8, purpose: Purpose) -> Box<BrotliEncoderStateStruct<StandardAlloc>> {
    use BrotliEncoderParameter::{
        BROTLI_PARAM_BARE_STREAM, BROTLI_PARAM_CATABLE, BROTLI_PARAM_LGWIN, BROTLI_PARAM_QUALITY,
    };
    let mut state = Box::new(BrotliEncoderStateStruct::new(StandardAlloc::default()));
    state.set_parameter(BROTLI_PARAM_QUALITY, u32::from(level));
    match purpose {
        Purpose::Body => state.set_parameter(BROTLI_PARAM_LGWIN, 18),
        Purpose::Events => {
            // Without a head, and so that its blocks may stand after any others.
            state.set_parameter(BROTLI_PARAM_CATABLE, 1);
            state.set_parameter(BROTLI_PARAM_BARE_STREAM, 1);
            state.set_parameter(BROTLI_PARAM_LGWIN, EVENTS)
        }
    };
    state
}
