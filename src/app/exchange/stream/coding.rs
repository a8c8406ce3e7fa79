//! Writing a body that is coded.

use alloc::vec::Vec;
use core::mem;
use core::time::Duration;

use super::super::coded::count;
use super::{State, Stream};
use crate::app::exchange::timer_token;
use crate::coding::Coding;
use crate::link::UsageError;
use crate::net::Flow;

/// Bytes that a writer may have coded in one turn.
const TURN: usize = 256 << 10;

impl Stream<'_, '_> {
    /// Codes a piece, and writes what comes out of it. A writer that never waits gets its
    /// next turn after others.
    #[inline(never)]
    pub(super) fn write_coded(&mut self, data: &[u8]) -> Flow {
        if !self.at.context.is_open() {
            return Flow::Over(UsageError::Over);
        }
        let Some(coded) = &mut self.state.coded else {
            return Flow::Over(UsageError::Over);
        };
        let mut out = mem::take(&mut self.at.loop_state.coding.room);
        if coded.put(data, &mut out).is_err() {
            self.at.loop_state.coding.keep(out);
            self.abort(); // more than was announced, as without a coding
            return Flow::Over(UsageError::Over);
        }
        let has_had_its_turn = coded.in_turn >= TURN;
        let coding = coded.coding();
        let flow = self.pass_on(coding, data.len(), out);
        if flow == Flow::Go
            && has_had_its_turn
            && self.at.context.after(Duration::ZERO, timer_token::RESUME)
        {
            self.state.waiting = true;
            return Flow::Wait;
        }
        flow
    }

    /// Writes what has come of so many bytes.
    fn pass_on(&mut self, coding: Coding, plain: usize, out: Vec<u8>) -> Flow {
        count(&self.at.loop_state.metrics, coding, plain, out.len());
        let flow = match out.is_empty() {
            true => Flow::Go,
            false => {
                let flow = self.at.context.write(&out);
                self.note(flow, out.len())
            }
        };
        self.at.loop_state.coding.keep(out);
        flow
    }

    /// Flushes the coder after a writer that has not been told to wait: the client is
    /// to see what it has written.
    pub(super) fn flush_coded(&mut self) {
        let State { coded, waiting, .. } = &mut *self.state;
        let Some(coded) = coded else { return };
        coded.in_turn = 0;
        if coded.is_pending && !*waiting {
            let mut out = mem::take(&mut self.at.loop_state.coding.room);
            let coding = coded.coding();
            match coded.flush(&mut out) {
                Ok(()) => drop(self.pass_on(coding, 0, out)),
                Err(_) => self.abort(),
            }
        }
    }

    /// Writes the end of a coded body; whether there is one.
    pub(super) fn end_coded(&mut self) -> bool {
        let Some(coded) = self.state.coded.take() else {
            return true;
        };
        let coding = coded.coding();
        let coders = &mut self.at.loop_state.coding;
        let mut out = mem::take(&mut coders.room);
        let ended = coded.finish(&coders.lent, &mut out).is_ok();
        if ended {
            self.pass_on(coding, 0, out);
        }
        ended
    }
}
