//! The limits on what one client sends.

use crate::wire::{Rate, setters};

/// Limits on what one client of the [envelope](crate::envelope) sends. It is answered with
/// an error, and the connection stays.
///
/// ```
/// use barewire::envelope::EnvelopeLimits;
///
/// let limits = EnvelopeLimits::DEFAULT.with_message(4096);
/// assert_eq!(limits.nesting, 64);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct EnvelopeLimits {
    /// Bytes of a message. Stops: messages that all members of a channel have to read. The
    /// client sees `too_large`. What is longer than
    /// [`websocket::Limits::message`](crate::websocket::Limits::message) closes the
    /// connection with 1009.
    pub message: usize,
    /// How deep arrays and objects may be nested. Stops: messages at which the parsers of
    /// other clients overflow their stacks. The client sees `too_large`.
    pub nesting: usize,
    /// Bytes of a `message_id`. Stops: answers that are longer than what they answer. The
    /// client sees `bad_envelope`.
    pub message_id: usize,
    /// Subscribes and unsubscribes of a connection in one moment. Stops: clients that join
    /// and leave without end. The client sees `too_fast`.
    pub subscribe_burst: u32,
    /// Subscribes and unsubscribes of a connection that are allowed again in each second.
    /// Likewise.
    pub subscribe_rate: u32,
    /// Requests of a connection that wait for a later answer. Stops: publications that pile
    /// up where a backplane is slow. The client sees `too_fast`.
    pub waiting: usize,
}

impl EnvelopeLimits {
    /// Good for browsers that are not trusted.
    pub const DEFAULT: Self = Self {
        message: 64 << 10,
        nesting: 64,
        message_id: 128,
        subscribe_burst: 200,
        subscribe_rate: 50,
        waiting: 1_000,
    };

    setters! {
        with_message message: usize,
        with_nesting nesting: usize,
        with_message_id message_id: usize,
        with_subscribe_burst subscribe_burst: u32,
        with_subscribe_rate subscribe_rate: u32,
        with_waiting waiting: usize,
    }

    /// How fast a connection may subscribe and unsubscribe.
    pub(crate) const fn subscribes(&self) -> Rate {
        Rate {
            burst: self.subscribe_burst,
            per_second: self.subscribe_rate,
        }
    }
}

impl Default for EnvelopeLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
