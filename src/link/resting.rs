//! A link with nothing under way, in short.

use super::Link;
use super::protocol::Protocol;
use crate::wire::{Instant, Role};
use crate::{http1, websocket};

/// What has to be remembered of a server's link with nothing under way, apart
/// from the number of its exchange.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Resting {
    /// Between two exchanges, since that many nanoseconds: the two halves.
    Http1([u32; 2]),
    /// Between two messages.
    WebSocket(websocket::Resting),
}

impl Resting {
    /// Whether the exchange `stream` of a link goes on whose last one has the
    /// number `own`.
    pub(crate) const fn is_open(&self, own: u32, stream: u32) -> bool {
        match self {
            Self::Http1(_) => false, // it is over, and a next one has not begun
            Self::WebSocket(_) => own == stream,
        }
    }
}

impl Link {
    /// The link in short, if it is a server's with nothing under way.
    pub(crate) fn resting(&self) -> Option<Resting> {
        let rests = self.role == Role::Server
            && self.parked.is_none()
            && self.due == Instant::NEVER
            && self.stream != 0
            && !self.endless
            && self.over.is_none();
        if !rests {
            return None;
        }
        match &self.protocol {
            Protocol::Http1(machine) => {
                let nanos = machine.resting()?.as_nanos();
                Some(Resting::Http1([nanos as u32, (nanos >> 32) as u32]))
            }
            Protocol::WebSocket(machine) => Some(Resting::WebSocket(machine.resting()?)),
            #[cfg(feature = "http2")]
            Protocol::Http2(_) => None,
            Protocol::Raw { .. } => None,
        }
    }

    /// The link that was put away as `resting`, its last exchange being
    /// `stream`.
    pub(crate) fn rested(resting: Resting, stream: u32) -> Self {
        let protocol = match resting {
            Resting::Http1([low, high]) => {
                let since = Instant::from_nanos(u64::from(high) << 32 | u64::from(low));
                Protocol::Http1(http1::Connection::rested(since))
            }
            Resting::WebSocket(resting) => {
                Protocol::WebSocket(websocket::Connection::rested(resting))
            }
        };
        let mut link = Self::with(Role::Server, protocol);
        link.stream = stream;
        link
    }

    /// Gives back memory that a link with nothing under way does not need;
    /// whether it is one that keeps such memory.
    pub(crate) fn compact(&mut self) -> bool {
        #[cfg(feature = "http2")]
        if let Protocol::Http2(many) = &mut self.protocol {
            return many.compact();
        }
        false
    }
}
