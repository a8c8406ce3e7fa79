//! One open stream.

use super::UsageError;
use super::state::State;
use super::table::Numbered;
use super::window::{ReceiveWindow, SendWindow};
use crate::http::Asks;
use crate::wire::Instant;

pub(super) const UNKNOWN: u64 = u64::MAX;

#[derive(Debug, Clone, Copy)]
pub(super) struct Stream {
    pub(super) id: u32,
    pub(super) state: State,
    pub(super) sending: Sending,
    pub(super) asks: Asks,
    /// The peer waits for 100 Continue (RFC 9110 §10.1.1).
    pub(super) expects: bool,
    /// A final head was received (client) or sent (server).
    pub(super) answered: bool,
    /// Its caller has more to send than was taken.
    pub(super) waiting: bool,
    /// It stands in the queue of those that may send.
    pub(super) queued: bool,
    pub(super) send: SendWindow,
    pub(super) receive: ReceiveWindow,
    /// Bytes of content still to come, or [`UNKNOWN`].
    pub(super) remaining: u64,
    /// Bytes of content still to be sent, or [`UNKNOWN`].
    pub(super) owed: u64,
    /// Since when nothing could be sent for want of a window; [`Instant::NEVER`] if that is not
    /// so.
    pub(super) stalled: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sending {
    Content,
    /// It is taken and dropped: no content may follow the head.
    Swallowed,
}

impl Stream {
    pub(super) const fn new(id: u32, state: State, send: u32, receive: u32) -> Self {
        Self {
            id,
            state,
            sending: Sending::Content,
            asks: Asks::Content,
            expects: false,
            answered: false,
            waiting: false,
            queued: false,
            send: SendWindow::new(send),
            receive: ReceiveWindow::new(receive),
            remaining: UNKNOWN,
            owed: UNKNOWN,
            stalled: Instant::NEVER,
        }
    }

    #[inline]
    pub(super) const fn count_content(&mut self, n: u64) -> bool {
        if self.remaining == UNKNOWN {
            return true;
        }
        if n > self.remaining {
            return false;
        }
        self.remaining -= n;
        true
    }

    /// Whether the peer has announced more content than it has sent.
    pub(super) const fn lacks_content(&self) -> bool {
        self.remaining != UNKNOWN && self.remaining > 0
    }

    /// Checks that our side may send `len` bytes of content now, and end it there.
    pub(super) const fn check_length(&self, len: u64, end: bool) -> Result<(), UsageError> {
        if self.owed == UNKNOWN {
            return Ok(());
        }
        if len > self.owed {
            return Err(UsageError::BodyTooLong);
        }
        if end && len < self.owed {
            return Err(UsageError::BodyTooShort);
        }
        Ok(())
    }

    /// Counts `n` bytes of content of ours, no more than
    /// [are owed](Self::check_length).
    #[inline]
    pub(super) const fn pay(&mut self, n: u64) {
        if self.owed != UNKNOWN {
            self.owed = self.owed.saturating_sub(n);
        }
    }

    pub(super) const fn is_swallowed(&self) -> bool {
        matches!(self.sending, Sending::Swallowed)
    }
}

impl Numbered for Stream {
    #[inline]
    fn number(&self) -> u32 {
        self.id
    }
}
