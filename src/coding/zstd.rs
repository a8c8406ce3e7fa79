//! `zstd` (RFC 8878), by the reference implementation.

use alloc::vec::Vec;

use zstd_safe::zstd_sys::ZSTD_EndDirective;
use zstd_safe::{CCtx, CParameter, InBuffer, OutBuffer, ResetDirective, compress_bound};

use super::work::{Failed, Purpose, Then};

const ROOM: usize = 512;

pub(crate) struct Zstd {
    state: CCtx<'static>,
    purpose: Purpose,
}

impl Zstd {
    pub(super) fn new(level: u8, purpose: Purpose) -> Option<Self> {
        let mut state = CCtx::try_create()?;
        let mut set = |parameter| state.set_parameter(parameter).is_ok();
        let mut is_set = set(CParameter::CompressionLevel(i32::from(level)));
        if purpose == Purpose::Body {
            // The usual one takes 3.5 MiB where the length is not known. For short bodies the
            // library would look for matches of 4 bytes, which makes JSON longer, and slower.
            is_set &= set(CParameter::WindowLog(17));
            is_set &= level != 3 || set(CParameter::MinMatch(5));
        } else {
            is_set &= set(CParameter::WindowLog(14))
                && set(CParameter::HashLog(12))
                && set(CParameter::ChainLog(12));
        }
        is_set.then_some(Self { state, purpose })
    }

    pub(super) fn begin(&mut self) {
        // It cannot fail between two calls.
        let _ = self.state.reset(ResetDirective::SessionOnly);
    }

    /// A complete frame, which says how long its content is.
    pub(super) fn whole(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), Failed> {
        let start = out.len();
        out.resize(start + compress_bound(input.len()), 0);
        let room = out.get_mut(start..).unwrap_or_default();
        let coded = self.state.compress2(room, input);
        out.truncate(start + coded.unwrap_or(0));
        coded.map(drop).map_err(|_| Failed)
    }

    pub(super) fn put(
        &mut self,
        input: &[u8],
        then: Then,
        out: &mut Vec<u8>,
    ) -> Result<(), Failed> {
        let directive = match then {
            Then::More => ZSTD_EndDirective::ZSTD_e_continue,
            Then::Flush => ZSTD_EndDirective::ZSTD_e_flush,
            Then::End => ZSTD_EndDirective::ZSTD_e_end,
        };
        let mut input = InBuffer::around(input);
        loop {
            out.reserve(ROOM.max((input.src.len() - input.pos()) / 4));
            let start = out.len();
            let mut room = OutBuffer::around_pos(out, start);
            let left = self
                .state
                .compress_stream2(&mut room, &mut input, directive);
            let left = left.map_err(|_| Failed)?;
            let is_read = input.pos() == input.src.len();
            if is_read && (left == 0 || then == Then::More) {
                return Ok(());
            }
        }
    }

    pub(super) fn memory(&self) -> usize {
        self.state.sizeof().max(match self.purpose {
            Purpose::Body => 1_400_000,
            Purpose::Events => 180_000,
        })
    }
}
