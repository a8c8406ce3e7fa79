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

/// What our side has announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ours {
    Nothing,
    /// The end, at this time; streams that are on their way are still served.
    Warned(Instant),
    /// The last stream that is served.
    Last(u32),
}

impl GoAway {
    pub(super) const fn new() -> Self {
        Self {
            ours: Ours::Nothing,
            refused_above: None,
        }
    }

    /// Whether a side has announced anything.
    pub(super) const fn is_begun(&self) -> bool {
        self.is_ours() || self.refused_above.is_some()
    }

    /// Whether our side has announced anything.
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

    /// Our streams above this one are refused.
    pub(super) const fn refused_above(&self) -> Option<u32> {
        self.refused_above
    }

    /// All that are refused have been ended, and are not looked for again.
    pub(super) const fn note_ended(&mut self) {
        if let Some(above) = &mut self.refused_above {
            *above = u32::MAX;
        }
    }

    /// Warns the peer. The caller sends the ping behind it.
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
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn a_server_says_so_twice_and_names_the_last_stream_then() {
        let (mut goaway, mut out) = (GoAway::new(), Vec::new());
        assert!(!goaway.is_begun());
        goaway.warn(Instant::START, &mut out);
        assert!(goaway.is_begun() && !goaway.is_final());
        assert_eq!(
            (goaway.warned(), goaway.last()),
            (Some(Instant::START), None)
        );
        goaway.name_last(7, "", &mut out);
        assert!(goaway.is_final());
        assert_eq!((goaway.warned(), goaway.last()), (None, Some(7)));
        assert_eq!(out.len(), 2 * 17);
        assert_eq!(out[9..13], MAX_31.to_be_bytes());
        assert_eq!(out[26..30], 7_u32.to_be_bytes());
    }

    #[test]
    fn the_peer_may_refuse_more_streams_later_and_no_fewer() {
        let mut goaway = GoAway::new();
        for (last, above) in [(MAX_31, MAX_31), (5, 5), (9, 5), (3, 3)] {
            goaway.receive(last);
            assert_eq!(goaway.refused_above(), Some(above));
        }
        assert!(goaway.is_final() && !goaway.is_ours());
        goaway.note_ended();
        assert_eq!(goaway.refused_above(), Some(u32::MAX));
        goaway.receive(1);
        assert_eq!(goaway.refused_above(), Some(1));
    }
}
