//! Channels: what they remember, who is in them, and what they are published through.
//!
//! The machines here do no I/O and read no clock; `app/publishing` drives them.

pub(super) mod ask;
pub(super) mod backplane;
pub(super) mod channel_limits;
pub(super) mod clock;
pub(super) mod cursor;
pub(super) mod format;
pub(super) mod history;
pub(super) mod joining;
pub(super) mod options;
pub(super) mod position;
pub(super) mod presence;
pub(super) mod publication;
pub(super) mod slow;
