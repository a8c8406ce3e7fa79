//! Further attempts at a stream, and their times.
//!
//! How long an event source waits before it connects again.
//!
//! ```text
//!  of use │ 3 s + │ in vain │ 6 s + │ in vain │ 12 s + │ in vain │ ... 60 s +
//! ```
//!
//! After a connection that was of use it waits for the reconnection time, and after each
//! failed attempt twice as long (WHATWG HTML §9.2.3, "reestablish the connection"). The
//! server has asked for at least that time, so the random part, up to half of the delay,
//! is added: clients that lost one server together come back apart.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use super::{EventSourceLimits, Interruption};

/// A stream that was interrupted and may be asked for again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interrupted<'a> {
    /// Why it was interrupted.
    pub why: Interruption,
    /// How many attempts in a row have brought nothing, this one included.
    pub attempts: u32,
    /// The ID that the next request would carry; empty if there is none.
    pub last_event_id: &'a str,
    /// Whether any event has come since the source began.
    pub had_events: bool,
}

/// The decision after an interruption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resume {
    /// Asks no more: the source is over.
    Stop,
    /// Sends the request again, with the last event ID.
    Again,
    /// Sends a GET without a body to the same URL, with the last event ID, now and from
    /// now on. It is how a stream that a POST began is resumed in MCP (Streamable HTTP,
    /// "Resumability and Redelivery").
    Get,
    /// Sends the request again, now and from now on with this body.
    Body(Vec<u8>),
}

/// The rule that decides about resuming.
#[derive(Clone)]
pub(super) enum Rule {
    /// A GET is sent again, and nothing else.
    GetAlone,
    Asked(Arc<dyn Fn(&Interrupted<'_>) -> Resume + Send + Sync>),
}

impl Rule {
    pub(super) fn decide(&self, interrupted: &Interrupted<'_>, is_get: bool) -> Resume {
        match self {
            Self::GetAlone if is_get => Resume::Again,
            Self::GetAlone => Resume::Stop,
            Self::Asked(rule) => rule(interrupted),
        }
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GetAlone => "GetAlone",
            Self::Asked(_) => "Asked",
        })
    }
}

/// The delay after `in_vain` attempts in a row; `asked` is the server's reconnection
/// time, and `dice` any number.
pub(super) fn delay(
    asked: Option<Duration>,
    in_vain: u32,
    limits: &EventSourceLimits,
    dice: u32,
) -> Duration {
    let time = asked.map_or(limits.reconnection, |asked| {
        asked.min(limits.longest).max(limits.shortest)
    });
    let factor = 1_u32.checked_shl(in_vain).unwrap_or(u32::MAX);
    let step = time.saturating_mul(factor).min(limits.delay.max(time));
    // In 4,096 parts of its half.
    let random = step / 2 / 4096 * (dice % 4097);
    step.saturating_add(random)
}

#[cfg(test)]
mod tests;
