//! The side of a connection without I/O that sends.

use alloc::vec::Vec;

use super::Transport;
use crate::http::{Fields, RequestHead};
use crate::http2::ErrorCode;
use crate::link::{Body, EndReason, Link, UsageError};
use crate::net::Flow;
use crate::wire::{Instant, Role};

/// Output from which on nothing is added to it but answers of the protocol.
const OUTPUT: usize = 64 << 10;

/// The side of a [`Connection`](super::Connection) that sends.
#[derive(Debug)]
pub struct Wire {
    pub(super) link: Link,
    pub(super) out: Vec<u8>,
    /// Bytes that wait behind those, sealed.
    pub(super) behind: usize,
    pub(super) now: Instant,
    /// The exchange that is to be told when there is room again, where all exchanges
    /// share the output alone.
    held: Option<u32>,
    /// The owner knows that the connection is over.
    pub(super) told: bool,
    /// It is to end behind what is under way, and was told so before it had begun.
    pub(super) leaves: bool,
}

impl Wire {
    /// That of a connection which has not begun.
    pub(super) const fn new(now: Instant) -> Self {
        Self {
            link: Link::raw(Role::Client),
            out: Vec::new(),
            behind: 0,
            now,
            held: None,
            told: false,
            leaves: false,
        }
    }

    /// Bytes of output that its owner has not taken.
    const fn waiting(&self) -> usize {
        self.out.len() + self.behind
    }

    /// The exchange that has room again, if it was told to wait.
    pub(super) fn take_relieved(&mut self) -> Option<u32> {
        match self.waiting() < OUTPUT / 2 {
            true => self.held.take(),
            false => None,
        }
    }

    pub(super) fn pump(&mut self) {
        self.link.set_room(OUTPUT.saturating_sub(self.waiting()));
        self.link.pump(0, self.now, &mut self.out);
    }
}

impl Transport for Wire {
    fn allowance(&mut self) -> usize {
        if self.told {
            return 0;
        }
        if self.waiting() >= OUTPUT {
            self.link.wait(0);
            return 0;
        }
        self.link.allowance()
    }

    fn request(
        &mut self,
        head: &RequestHead<'_>,
        body: Option<Body<'_>>,
    ) -> Result<u32, UsageError> {
        let stream = self.link.request(head, body, self.now, &mut self.out)?;
        self.link.let_owner_consume(stream);
        Ok(stream)
    }

    fn write(&mut self, stream: u32, data: &[u8]) -> Flow {
        if let Err(misuse) = self.link.write(stream, data, &mut self.out) {
            return Flow::Over(misuse);
        }
        if !self.link.is_multiplexed() {
            // Nothing is queued but in the output.
            if self.waiting() < OUTPUT {
                return Flow::Go;
            }
            self.held = Some(stream);
            return Flow::Wait;
        }
        self.pump();
        if self.link.queued(stream) == 0 {
            return Flow::Go;
        }
        self.link.wait(stream);
        Flow::Wait
    }

    fn finish(&mut self, stream: u32) {
        let out = &mut self.out;
        // Refused only where it is over: an event says so.
        let _ = self.link.finish(stream, Fields::EMPTY, self.now, out);
    }

    fn reset(&mut self, stream: u32, code: ErrorCode) {
        let (code, now, out) = (code.code(), self.now, &mut self.out);
        // Refused only where it is over.
        let _ = self.link.reset(stream, code, EndReason::Aborted, now, out);
    }

    fn consume(&mut self, stream: u32, bytes: usize) {
        self.link.consume(stream, bytes, &mut self.out);
    }

    fn shutdown(&mut self) {
        self.leaves = true; // it may not have begun
        self.link.drain(false, [0; 4], self.now, &mut self.out);
    }
}
