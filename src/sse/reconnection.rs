//! The state of an event source that outlives a connection.

use alloc::vec::Vec;
use core::time::Duration;

use super::{Decoded, Text};
use crate::wire::{ascii, simd};

/// The last event ID and the reconnection time of an event source: the state
/// that outlives a connection (WHATWG HTML §9.2.3).
///
/// ```
/// use barewire::sse::{Decoder, Limits, Reconnection};
/// use barewire::wire::Step;
///
/// let (mut decoder, mut reconnection) = (Decoder::new(), Reconnection::new());
/// let mut input = *b"retry: 10\n\nid: 7\ndata: x\n\n";
/// let mut rest = &mut input[..];
/// loop {
///     let received = decoder.receive(rest, &Limits::DEFAULT).unwrap();
///     let used = received.used;
///     let Step::Event(decoded) = received.step else { break };
///     reconnection.observe(&decoded);
///     rest = &mut rest[used..];
/// }
/// assert_eq!(reconnection.last_event_id(), "7");
/// assert_eq!(reconnection.time().unwrap().as_millis(), 10);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reconnection {
    /// UTF-8, and checked where it is read, which is seldom.
    last_event_id: Vec<u8>,
    time: Option<Duration>,
}

impl Reconnection {
    /// Nothing is known yet; allocates nothing.
    pub const fn new() -> Self {
        Self {
            last_event_id: Vec::new(),
            time: None,
        }
    }

    /// Takes over what a decoder found.
    #[inline]
    pub fn observe(&mut self, decoded: &Decoded<'_>) {
        match decoded {
            Decoded::Message(message) => {
                if let Some(id) = message.id {
                    self.set_id(id);
                }
            }
            Decoded::LastEventId(id) => self.set_id(*id),
            Decoded::ReconnectionTime(time) => self.time = Some(*time),
            Decoded::Cut { .. } => {} // it is to come again
        }
    }

    /// The last event ID; empty where there is none, and then no
    /// `Last-Event-ID` field is sent.
    pub fn last_event_id(&self) -> &str {
        simd::as_text(&self.last_event_id).unwrap_or_default()
    }

    /// The reconnection time that the server asked for.
    #[inline]
    pub const fn time(&self) -> Option<Duration> {
        self.time
    }

    fn set_id(&mut self, id: Text<'_>) {
        match ascii::is_printable(id.as_bytes()) {
            true => self.keep(id.as_bytes()),
            false => self.keep(id.decode().as_bytes()),
        }
    }

    fn keep(&mut self, id: &[u8]) {
        self.last_event_id.clear();
        self.last_event_id.extend_from_slice(id);
    }

    #[cfg(feature = "client")]
    #[inline]
    pub(crate) fn set_field_id(&mut self, id: Text<'_>) {
        let bytes = id.as_bytes();
        if ascii::is_printable(bytes) {
            self.keep(bytes);
        } else if ascii::is_field_value(bytes) {
            self.set_id(id);
        }
    }

    #[cfg(feature = "client")]
    pub(crate) const fn set_time(&mut self, time: Duration) {
        self.time = Some(time);
    }
}
