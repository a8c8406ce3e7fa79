//! The events and requests of a reconnecting WebSocket.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::{Closed, Position, Receipt};
use crate::client::Message;
use crate::websocket::CloseCode;
use crate::wire::Instant;

/// An event of a reconnecting WebSocket.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ReconnectEvent {
    /// A connection is open.
    Opened {
        /// The subprotocol that the server has chosen.
        protocol: Option<String>,
    },
    /// The server has answered what was asked to resume.
    Resumed {
        /// Whether nothing is missing.
        recovered: bool,
    },
    /// A message has arrived.
    Message(Message),
    /// A connection has ended, or an attempt has failed.
    Closed {
        /// How.
        closed: Closed,
        /// Whether it was open.
        was_open: bool,
        /// Messages that were written and may have arrived or not. They are not sent
        /// again, unless [`UnknownPolicy::SendAgain`](super::UnknownPolicy) does so: then
        /// they are not in here.
        unknown: Vec<Receipt>,
    },
    /// The next attempt is to begin later.
    Waiting {
        /// After this time.
        delay: Duration,
        /// Its number among those that fail in a row, from 1.
        attempt: u32,
    },
    /// No further attempt is made: this is over. Nothing follows.
    GaveUp {
        /// How the last one ended.
        closed: Closed,
        /// How many have failed in a row.
        attempts: u32,
        /// Messages of which nothing has left.
        unsent: Vec<Receipt>,
    },
    /// This side has [closed](super::Reconnector::close) it for good. Nothing follows.
    Finished {
        /// Messages of which nothing has left.
        unsent: Vec<Receipt>,
    },
}

/// A task for the owner of a [`Reconnector`](super::Reconnector).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReconnectTask {
    /// Connect.
    Connect(ConnectAttempt),
    /// Wait until then, or until another call.
    Wait(Instant),
    /// Write and read on the connection.
    Serve,
    /// Nothing ever again.
    Over,
}

/// An attempt to connect.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectAttempt {
    /// Its number among those that fail in a row, from 1.
    pub number: u32,
    /// The last position that was seen, for servers that are told in the request.
    pub position: Option<Position>,
}

/// The next bytes or message to write on the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ToWrite<'a> {
    /// A message.
    Message(&'a Message),
    /// A Ping with this payload.
    Ping([u8; 8]),
    /// A Close frame; then the connection is to be read to its end.
    Close {
        /// Its code.
        code: CloseCode,
        /// Its reason.
        reason: &'a str,
    },
}

/// Why a message was not taken. It is given back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReconnectError {
    /// The queue has no room for it.
    #[error("too many messages, or bytes of them, wait to be sent or confirmed")]
    Full(Message),
    /// The account that is [charged](super::Reconnector::charge_to) has no room for it: on a
    /// loop that of all its peers ([`net::Limits::memory`](crate::net::Limits::memory)).
    #[error("there is no memory left for it")]
    NoMemory(Message),
    /// The WebSocket is closed for good.
    #[error("the WebSocket is closed for good")]
    Over(Message),
}

impl ReconnectError {
    /// The message.
    pub fn into_message(self) -> Message {
        match self {
            Self::Full(message) | Self::NoMemory(message) | Self::Over(message) => message,
        }
    }
}
