//! The end of a connection, announced by either side (RFC 9113 §6.8).
//!
//! A server that ends gracefully says so twice, because requests may be on their
//! way that it has not seen:
//!
//! ```text
//!   server                                     client
//!     | -- GOAWAY(2^31-1), PING -----------------> |  opens no new stream
//!     | <------------- what was on its way, PING - |
//!     | -- GOAWAY(last stream) ------------------> |  may ask elsewhere for the rest
//! ```

use super::frame::MAX_31;
use super::{ErrorCode, payload};
use crate::wire::{Instant, Sink};

/// How far either side has announced the end of the connection.
#[derive(Debug)]
pub(super) struct GoAway {
    ours: Ours,
    /// The peer goes: it will not act on our streams above this one, so that their
    /// requests may be sent again elsewhere. None is, once all those have been ended.
    refused_above: Option<u32>,
}

/// The GOAWAY that our side has announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ours {
    Nothing,
    /// The end, at this time; streams that are on their way are still served.
    Warned(Instant),
    Last(u32),
}

impl GoAway {
    pub(super) const fn new() -> Self {
        Self {
            ours: Ours::Nothing,
            refused_above: None,
        }
    }

    pub(super) const fn is_begun(&self) -> bool {
        self.is_ours() || self.refused_above.is_some()
    }

    pub(super) const fn is_ours(&self) -> bool {
        !matches!(self.ours, Ours::Nothing)
    }

    /// Whether the connection ends with the streams that are open.
    pub(super) const fn is_final(&self) -> bool {
        matches!(self.ours, Ours::Last(_)) || self.refused_above.is_some()
    }

    /// The last of the peer's streams that is served, once the peer knows it.
    #[inline]
    pub(super) const fn last(&self) -> Option<u32> {
        match self.ours {
            Ours::Last(last) => Some(last),
            Ours::Nothing | Ours::Warned(_) => None,
        }
    }

    /// Since when the peer is warned that does not know the last stream yet.
    pub(super) const fn warned(&self) -> Option<Instant> {
        match self.ours {
            Ours::Warned(since) => Some(since),
            Ours::Nothing | Ours::Last(_) => None,
        }
    }

    pub(super) const fn refused_above(&self) -> Option<u32> {
        self.refused_above
    }

    pub(super) const fn note_ended(&mut self) {
        if let Some(above) = &mut self.refused_above {
            *above = u32::MAX;
        }
    }

    /// Warns the peer. The caller sends the ping after it.
    pub(super) fn warn(&mut self, now: Instant, out: &mut impl Sink) {
        payload::put_goaway(MAX_31, ErrorCode::NO_ERROR, "", out);
        self.ours = Ours::Warned(now);
    }

    /// Tells the peer which of its streams is the last that is served.
    pub(super) fn name_last(&mut self, last: u32, debug: &str, out: &mut impl Sink) {
        payload::put_goaway(last, ErrorCode::NO_ERROR, debug, out);
        self.ours = Ours::Last(last);
    }

    /// No stream comes after `last`: the peer has ended its output.
    pub(super) const fn end_at(&mut self, last: u32) {
        self.ours = Ours::Last(last);
    }

    /// Takes the peer's GOAWAY. A later one may name a lower stream, not a higher.
    pub(super) fn receive(&mut self, last: u32) {
        let above = self.refused_above.unwrap_or(u32::MAX).min(last);
        self.refused_above = Some(above);
    }

    /// Counts the time to the second GOAWAY from `at`.
    pub(super) const fn restart(&mut self, at: Instant) {
        if let Ours::Warned(since) = &mut self.ours {
            *since = at;
        }
    }
}

#[cfg(test)]
mod tests;
