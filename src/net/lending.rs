//! The parts of a loop that a link borrows for one call.

use super::{Cork, Entropy};
use crate::http::date::Date;
use crate::link::Link;
use crate::wire::Instant;
use crate::wire::codec::Deflater;

/// The parts that a link needs to act.
pub(super) struct Lending<'s, S = Cork> {
    pub(super) stream: u32,
    pub(super) cork: &'s mut S,
    pub(super) entropy: &'s mut Entropy,
    pub(super) now: Instant,
    pub(super) date: &'s Date,
    /// The compression for messages, if this build has one.
    pub(super) deflater: Option<&'s mut Deflater>,
}

impl<S> Lending<'_, S> {
    /// A frame's mask, unpredictable where there may be a client's WebSocket (RFC 6455 §5.1).
    #[inline]
    pub(super) fn mask(&mut self, link: &Link) -> [u8; 4] {
        match link.may_mask() {
            true => self.entropy.take(),
            false => [0; 4],
        }
    }
}
