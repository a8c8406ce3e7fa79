//! The options of an event source.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::resume::Rule;
use super::{EventSourceLimits, Interrupted, Resume};
use crate::wire::builder;

/// The options of an event source.
///
/// ```
/// use barewire::client::{EventSourceLimits, EventSourceOptions};
/// use core::time::Duration;
///
/// // A chat completion: it ends with a marker, and is not asked for twice.
/// let completion = EventSourceOptions::new().end_data("[DONE]");
/// // A feed that says something every 15 seconds.
/// let limits = EventSourceLimits::DEFAULT.with_silence(Duration::from_secs(45));
/// let feed = EventSourceOptions::new().limits(limits).last_event_id("1041").retry_on(503);
/// ```
#[derive(Debug, Clone)]
pub struct EventSourceOptions {
    pub(super) limits: EventSourceLimits,
    pub(super) last_event_id: String,
    pub(super) end_data: Option<String>,
    pub(super) end_event: Option<String>,
    pub(super) retry_on: Vec<u16>,
    pub(super) rule: Rule,
}

impl EventSourceOptions {
    /// The options that WHATWG HTML §9.2 describes: a GET is resumed for as long as it
    /// takes, no other method is, and no event ends the stream.
    pub const fn new() -> Self {
        Self {
            limits: EventSourceLimits::DEFAULT,
            last_event_id: String::new(),
            end_data: None,
            end_event: None,
            retry_on: Vec::new(),
            rule: Rule::GetAlone,
        }
    }

    builder! {
        /// Sets the limits.
        const fn limits(limits: EventSourceLimits) => limits = limits;

        /// Sets the ID that the first request carries, to continue where an earlier source
        /// stopped. It must be a value that a field can have.
        fn last_event_id(id: impl Into<String>) => last_event_id = id.into();

        /// Ends the source at the event whose data is `marker`, such as `[DONE]`. That event
        /// is not dispatched. A stream that ends without it is resumed by the rule, or is an
        /// error ([`EventSourceFault::NoMarker`](super::EventSourceFault::NoMarker)).
        fn end_data(marker: impl Into<String>) => end_data = Some(marker.into());

        /// Ends the source after the event of this type, such as `message_stop`. That event
        /// is dispatched. A stream that ends without it is resumed by the rule, or is an
        /// error ([`EventSourceFault::NoMarker`](super::EventSourceFault::NoMarker)).
        fn end_event(event: impl Into<String>) => end_event = Some(event.into());

        /// Takes a response of this status as a failed attempt, after which the source tries
        /// again, and no longer as the end. It may say how long to wait at least
        /// (`Retry-After`, in seconds). For servers that answer 429, 502 or 503 while they
        /// are busy or away. 200 and 204 keep their meaning.
        fn retry_on(status: u16) => retry_on.push(status);
    }

    /// Lets `rule` decide what is asked for again, a GET included, each time that an
    /// attempt fails or a stream is interrupted. A request that is not safe to repeat
    /// should only be sent again if the server has a way to know it.
    ///
    /// ```
    /// use barewire::client::{EventSourceOptions, Interruption, Resume};
    ///
    /// // For a POST: it goes again where nobody has seen it, and a stream that had IDs is
    /// // resumed as MCP does.
    /// let options = EventSourceOptions::new().resume(|interrupted| {
    ///     match (interrupted.why, interrupted.last_event_id) {
    ///         (Interruption::NotReached, _) if interrupted.attempts < 5 => Resume::Again,
    ///         (_, "") => Resume::Stop,
    ///         _ => Resume::Get,
    ///     }
    /// });
    /// ```
    #[must_use]
    pub fn resume(
        mut self,
        rule: impl Fn(&Interrupted<'_>) -> Resume + Send + Sync + 'static,
    ) -> Self {
        self.rule = Rule::Asked(Arc::new(rule));
        self
    }

    pub(super) const fn has_marker(&self) -> bool {
        self.end_data.is_some() || self.end_event.is_some()
    }
}

impl Default for EventSourceOptions {
    fn default() -> Self {
        Self::new()
    }
}
