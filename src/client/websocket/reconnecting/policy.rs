//! Decisions of the caller: what a full queue does, what becomes of messages whose fate is
//! unknown, and whether to come back.

use alloc::string::{String, ToString as _};
use core::time::Duration;

use crate::client::WebSocketError;
use crate::http::Status;
use crate::websocket::CloseCode;
use crate::websocket::handshake::Refused;

/// The rule of a full queue for a further message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum QueuePolicy {
    /// It is refused, with an error.
    #[default]
    Refuse,
    /// The oldest ones that wait give way. What was written does not: where that fills
    /// the queue, the new one is refused.
    DropOldest,
    /// It is dropped: its receipt says [`Unsent`](super::ReceiptState::Unsent).
    DropNewest,
}

/// The rule for messages that were written and not confirmed when their connection was
/// lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnknownPolicy {
    /// They are reported, and never sent again: nothing arrives twice.
    #[default]
    Report,
    /// They are sent again, in order, before all others: some may arrive twice. Their
    /// payload is held until they are confirmed.
    SendAgain,
}

/// The proof that the peer has read a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Confirmation {
    /// The Pong to a Ping that is sent after messages: the peer's endpoint has read them.
    /// One Ping is under way at a time.
    #[default]
    Ping,
    /// The application says so, when the peer's own answer comes
    /// ([`ReconnectSender::confirm`](super::ReconnectSender::confirm)).
    Application,
}

/// How an attempt or a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Closed {
    /// The peer has closed the WebSocket.
    ByPeer {
        /// Its code; [`NO_STATUS`](CloseCode::NO_STATUS) if it gave none.
        code: CloseCode,
        /// Its reason.
        reason: String,
    },
    /// The connection was lost: how, in words.
    Lost(String),
    /// The server has refused the handshake.
    Refused {
        /// With this status.
        status: Status,
        /// After so long it asks to be tried again (RFC 9110 §10.2.3).
        retry_after: Option<Duration>,
    },
    /// No connection could be made: why, in words.
    Unreachable(String),
    /// No attempt was made, as who is asked where to connect did not know: why, in words.
    NotTried(String),
    /// No attempt was made, as the URL or the options are not valid: why, in words.
    Unusable(String),
    /// This side has closed it, to connect again.
    ToReconnect {
        /// The least time until then.
        after: Duration,
    },
}

impl Closed {
    /// How an attempt has ended that has failed so, or a connection.
    pub(super) fn by(error: WebSocketError) -> Self {
        match error {
            WebSocketError::Refused {
                reason: Refused::Status(status),
                retry_after,
                ..
            } => Self::Refused {
                status,
                retry_after,
            },
            WebSocketError::Dial { error, .. } => Self::Unreachable(error.to_string()),
            WebSocketError::Handshake(error) => Self::Unusable(error.to_string()),
            WebSocketError::Options(error) => Self::Unusable(error.to_string()),
            error => Self::Lost(error.to_string()),
        }
    }
}

/// When to come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ComeBack {
    /// In the window whose turn it is.
    Retry,
    /// In a time that is drawn evenly from `least` to `most`, or in the window whose turn
    /// it is if that ends later.
    Between {
        /// The shortest.
        least: Duration,
        /// The longest.
        most: Duration,
    },
    /// Never: it would end in the same way.
    Never,
}

impl ComeBack {
    /// The default rule, unless the caller gives one
    /// ([`ReconnectOptions::come_back`](super::ReconnectOptions::come_back)).
    ///
    /// - Never after the close codes 1000, 1002, 1003 and 1007 to 1010, which say that
    ///   the peer is done, or that the same would be wrong again; and after the statuses
    ///   4xx but 401, 408, 421, 425 and 429. A token may have run out, which is asked
    ///   anew. Nor if the URL or the options are not valid.
    /// - After 1012 (the service restarts) in 5 to 30 s, after 1013 (try again later) in 30
    ///   to 60 s. After a Retry-After in that time, and up to as long again as the window
    ///   whose turn it is.
    /// - Otherwise in the window whose turn it is.
    pub fn after(closed: &Closed) -> Self {
        match closed {
            Closed::ByPeer { code, .. } => match code.get() {
                1000 | 1002 | 1003 | 1007..=1010 => Self::Never,
                1012 => Self::between_seconds(5, 30),
                1013 => Self::between_seconds(30, 60),
                _ => Self::Retry,
            },
            Closed::Refused {
                status,
                retry_after,
            } => match (status.code(), retry_after) {
                (408 | 425 | 429 | 500.., &Some(after)) => Self::Between {
                    least: after,
                    most: after,
                },
                (401 | 408 | 421 | 425 | 429 | 500.., _) => Self::Retry,
                (400..=499, _) => Self::Never,
                _ => Self::Never, // a redirection, or no handshake at all
            },
            &Closed::ToReconnect { after } => Self::Between {
                least: after,
                most: after,
            },
            Closed::Unusable(_) => Self::Never,
            Closed::Lost(_) | Closed::Unreachable(_) | Closed::NotTried(_) => Self::Retry,
        }
    }

    const fn between_seconds(least: u64, most: u64) -> Self {
        Self::Between {
            least: Duration::from_secs(least),
            most: Duration::from_secs(most),
        }
    }
}
