//! The options of a client of the envelope.

use crate::client::ReconnectOptions;
use crate::wire::builder;

/// The treatment of messages while there is no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhileAway {
    /// They wait for the next one, within
    /// [`ReconnectLimits::messages`](crate::client::ReconnectLimits::messages).
    #[default]
    Queue,
    /// They are refused with
    /// [`EnvelopeError::NotConnected`](super::EnvelopeError::NotConnected). One that was
    /// taken just before the connection was lost waits for the next one all the same.
    Refuse,
}

/// How a client of the envelope reconnects, and what it does meanwhile.
///
/// ```
/// use barewire::client::{EnvelopeOptions, ReconnectOptions, WhileAway};
///
/// let options = EnvelopeOptions::new()
///     .reconnect(ReconnectOptions::new().attempts(10))
///     .while_away(WhileAway::Refuse);
/// ```
#[derive(Debug, Default)]
pub struct EnvelopeOptions {
    pub(super) reconnect: ReconnectOptions,
    pub(super) while_away: WhileAway,
}

impl EnvelopeOptions {
    /// [`ReconnectOptions::new`], and messages wait.
    pub fn new() -> Self {
        Self::default()
    }

    builder! {
        /// Sets how it reconnects. A [`ResumeHook`](crate::client::ResumeHook) in there is not
        /// asked: the client has its own.
        fn reconnect(reconnect: ReconnectOptions) => reconnect = reconnect;

        /// Sets the treatment of messages while there is no connection.
        const fn while_away(policy: WhileAway) => while_away = policy;
    }
}
