//! The limits of a reconnecting WebSocket.

use core::time::Duration;

use crate::wire::setters;

/// Limits on what a reconnecting WebSocket holds, and on how long it waits. Those of
/// one connection are [`websocket::Limits`](crate::websocket::Limits).
///
/// ```
/// use barewire::client::ReconnectLimits;
/// use std::time::Duration;
///
/// let limits = ReconnectLimits::DEFAULT.with_first(Duration::from_secs(5));
/// assert_eq!(limits.messages, 1024);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReconnectLimits {
    /// Messages that wait for a connection, or were written and are not confirmed. What
    /// happens to more is [`QueuePolicy`](super::QueuePolicy)'s affair.
    pub messages: usize,
    /// Bytes of payload that are held for them.
    pub bytes: usize,
    /// The window of the first retry: it comes after a time that is drawn evenly from
    /// zero to this. Each further one has a window twice as long. Zero retries
    /// immediately.
    ///
    /// Spreads the clients of a server that restarts, which would all come at once.
    pub first: Duration,
    /// The longest window.
    pub longest: Duration,
    /// How long a connection has to last until the next retry has the first window again,
    /// and attempts are counted anew.
    pub stable: Duration,
    /// The longest that a server may have its clients wait, by Retry-After.
    pub later: Duration,
    /// The time of one attempt, from the name to the end of the handshake.
    pub attempt: Duration,
    /// From a Ping after messages to its Pong, in addition to the time that what is in
    /// front of it takes at [`rate`](Self::rate).
    ///
    /// Finds peers that read nothing, or that are lost. They see: the end of the
    /// connection.
    pub confirm: Duration,
    /// Bytes a second that a peer has to read at the least, where some wait for it.
    ///
    /// Stops: a server that reads a byte now and then. It sees: the end of the
    /// connection, after [`confirm`](Self::confirm) and the time that its bytes take at
    /// this rate.
    pub rate: u32,
    /// From [`close`](super::Reconnecting::close) to the end of the connection: for what
    /// is still to be written and confirmed, and for the closing handshake.
    ///
    /// Stops: a server that holds up a client that leaves. It sees: the end of the
    /// connection.
    pub leave: Duration,
    /// From what asks to resume to the answer.
    ///
    /// Stops: a server that never says whether it resumes. It sees: the end of the
    /// connection.
    pub resume: Duration,
}

impl ReconnectLimits {
    /// Good for most.
    pub const DEFAULT: Self = Self {
        messages: 1_024,
        bytes: 1024 * 1024,
        first: Duration::from_secs(1),
        longest: Duration::from_secs(30),
        stable: Duration::from_secs(10),
        later: Duration::from_secs(300),
        attempt: Duration::from_secs(30),
        confirm: Duration::from_secs(20),
        rate: 4 * 1024,
        leave: Duration::from_secs(60),
        resume: Duration::from_secs(10),
    };

    setters! {
        with_messages messages: usize,
        with_bytes bytes: usize,
        with_first first: Duration,
        with_longest longest: Duration,
        with_stable stable: Duration,
        with_later later: Duration,
        with_attempt attempt: Duration,
        with_confirm confirm: Duration,
        with_rate rate: u32,
        with_leave leave: Duration,
        with_resume resume: Duration,
    }
}

impl Default for ReconnectLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
