//! Without an allocator nothing is compressed.

use super::Connection;
use crate::websocket::{Limits, extension::Reserved, timer::Due};
use crate::wire::Instant;

impl Connection {
    #[inline]
    #[expect(clippy::unused_self, reason = "as where there is compression")]
    pub(super) const fn claimed(&self) -> Reserved {
        Reserved::NONE
    }

    #[inline]
    #[expect(clippy::unused_self, reason = "as where there is compression")]
    pub(super) const fn or_forget(&self, due: Due, _: Instant, _: &Limits) -> Due {
        due
    }

    #[inline]
    #[expect(clippy::unused_self, reason = "as where there is compression")]
    pub(super) const fn forget_sent(&self) {}

    #[inline]
    #[expect(clippy::unused_self, reason = "as where there is compression")]
    pub(super) const fn forget_all(&self) {}
}
