//! Whether a stream is asked for again.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use super::Interruption;

/// What became of a stream that may be asked for again.
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

/// What to do behind an interruption.
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

/// What decides about resuming.
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
