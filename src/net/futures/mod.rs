//! Futures on a loop: which of them are to be polled, and their timers.

pub(super) mod shared;
pub(super) mod sleep;
pub(super) mod sleeping;
pub(super) mod slot;
pub(super) mod woken;
