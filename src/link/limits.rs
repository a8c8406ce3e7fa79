//! The limits that a listener sets its peers.

use alloc::vec::Vec;
use core::time::Duration;

use crate::http2;
use crate::wire::setters;
use crate::{http1, websocket};

/// The limits of every protocol that a connection may speak, one for each
/// listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// HTTP/1.1.
    pub http1: http1::Limits,
    /// HTTP/2. A body keeps the pace of [`http1::Limits::body_rate`] and
    /// [`http1::Limits::body_grace`], unless it is taken as messages.
    pub http2: http2::Limits,
    /// WebSocket.
    pub websocket: websocket::Limits,
    pub(crate) further: Vec<websocket::Limits>,
    /// How long an owner may owe the response to a complete request. Stops
    /// handlers that never answer from holding connections; the peer sees 504.
    /// Default: 60 s.
    pub reply: Duration,
}

impl Limits {
    /// Safe on the open internet.
    pub const DEFAULT: Self = Self {
        http1: http1::Limits::DEFAULT,
        http2: http2::Limits::DEFAULT,
        websocket: websocket::Limits::DEFAULT,
        further: Vec::new(),
        reply: Duration::from_secs(60),
    };

    setters! {
        with_http1 http1: http1::Limits,
        with_http2 http2: http2::Limits,
        with_websocket websocket: websocket::Limits,
        with_reply reply: Duration,
    }

    /// Sets the limits of WebSockets that an owner chooses by number, from 1
    /// ([`Link::choose_websocket_limits`](super::Link::choose_websocket_limits));
    /// 0 are those of all others.
    #[must_use]
    pub fn with_further_websocket(mut self, limits: Vec<websocket::Limits>) -> Self {
        self.further = limits;
        self
    }

    #[inline]
    pub(super) fn websocket_of(&self, number: u16) -> &websocket::Limits {
        match number.checked_sub(1) {
            None => &self.websocket,
            Some(at) => self.further.get(usize::from(at)).unwrap_or(&self.websocket),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
