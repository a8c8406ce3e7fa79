//! A link with nothing under way, compacted.

use alloc::boxed::Box;

use super::Link;
use super::exchanges::Intake;
use super::multiplex::Multiplex;
use super::protocol::Protocol;
use super::{Account, Charge, Promise};
use crate::http2;
use crate::wire::{Instant, Role};
use crate::{http1, websocket};

/// The state of a server's link with nothing under way, apart from the number of its
/// exchange.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Resting {
    /// Between two exchanges, since that many nanoseconds: the two halves.
    Http1([u32; 2]),
    /// Streaming a response over HTTP/1.1, `endless` if the content has no end of its own.
    Streaming {
        endless: bool,
    },
    WebSocket(websocket::Resting),
}

impl Resting {
    /// Whether exchange `stream` is still active on a link whose last has the number `own`.
    pub(crate) const fn is_open(&self, own: u32, stream: u32) -> bool {
        match self {
            Self::Http1(_) => false, // it is over, and a next one has not begun
            Self::Streaming { .. } | Self::WebSocket(_) => own == stream,
        }
    }
}

impl Link {
    /// Whether nothing is under way, and nothing is held: between two exchanges
    /// of HTTP/1.1, two pieces of a response that is streamed over it, or two messages
    /// of a WebSocket.
    #[inline]
    pub fn is_at_rest(&self) -> bool {
        let is_between = match &self.protocol {
            Protocol::Http1(machine) if machine.is_idle() => self.exchange.id != 0,
            Protocol::Http1(_) => self.is_streaming(),
            Protocol::WebSocket(machine) => machine.is_between_messages(),
            Protocol::Http2(_) => false,
            Protocol::Raw { .. } => false,
        };
        is_between && self.exchange.due == Instant::NEVER && self.exchange.kept.is_none()
    }

    /// The link compacted, if it is a resting server's; its profile of WebSocket limits is to
    /// be kept beside.
    pub(crate) fn resting(&self) -> Option<Resting> {
        let rests = self.role == Role::Server
            && self.exchange.kept.is_none()
            // What an owner keeps for the peer stays this connection's.
            && self.account.as_ref().is_none_or(|account| account.held() == 0)
            && self.exchange.due == Instant::NEVER
            && self.exchange.id != 0
            && self.over.is_none();
        if !rests {
            return None;
        }
        match &self.protocol {
            Protocol::Http1(_) if self.is_streaming() => Some(Resting::Streaming {
                endless: self.exchange.endless,
            }),
            Protocol::Http1(_) if self.exchange.endless => None,
            Protocol::Http1(machine) => {
                let nanos = machine.resting()?.as_nanos();
                Some(Resting::Http1([nanos as u32, (nanos >> 32) as u32]))
            }
            Protocol::WebSocket(machine) => Some(Resting::WebSocket(machine.resting()?)),
            Protocol::Http2(_) => None,
            Protocol::Raw { .. } => None,
        }
    }

    pub(crate) fn is_streaming(&self) -> bool {
        matches!(&self.protocol, Protocol::Http1(machine) if machine.is_streaming())
            && self.exchange.intake == Intake::Discarded
            && self.dropped == 0
    }

    pub(crate) const fn websocket_limits(&self) -> u16 {
        self.exchange.websocket_limits
    }

    /// The link that was put away as `resting`, its last exchange being
    /// `stream`.
    pub(crate) fn rested(resting: Resting, stream: u32, websocket_limits: u16) -> Self {
        let protocol = match resting {
            Resting::Http1([low, high]) => {
                let since = Instant::from_nanos(u64::from(high) << 32 | u64::from(low));
                Protocol::Http1(http1::Connection::rested(since))
            }
            Resting::Streaming { .. } => Protocol::Http1(http1::Connection::streaming()),
            Resting::WebSocket(resting) => {
                Protocol::WebSocket(websocket::Connection::rested(resting))
            }
        };
        let mut link = Self::with(Role::Server, protocol);
        (link.exchange.id, link.exchange.websocket_limits) = (stream, websocket_limits);
        link.exchange.endless = matches!(resting, Resting::Streaming { endless: true });
        link
    }

    pub(crate) fn take_idle(&mut self) -> Option<Idle> {
        if self.role != Role::Server || self.over.is_some() || self.exchange.due != Instant::NEVER {
            return None;
        }
        let Protocol::Http2(many) = &mut self.protocol else {
            return None;
        };
        let (machine, charge, promise) = many.take_idle()?;
        self.protocol = super::protocol::RAW;
        Some(Idle {
            machine,
            charge,
            promise,
            stream: self.exchange.id,
        })
    }

    /// The link again whose machine was taken out.
    pub(crate) fn of_idle(idle: Idle) -> Self {
        let account = idle.charge.account().cloned();
        let many = Multiplex::of_idle(idle.machine, idle.charge, idle.promise);
        let mut link = Self::with(Role::Server, Protocol::Http2(Box::new(many)));
        link.account = account;
        link.exchange.id = idle.stream;
        link
    }
}

/// The state of a server's link that speaks HTTP/2 and has no stream.
#[derive(Debug)]
pub(crate) struct Idle {
    machine: http2::Connection,
    stream: u32,
    charge: Charge,
    promise: Promise,
}

impl Idle {
    pub(crate) const fn account(&self) -> Option<&Account> {
        self.charge.account()
    }
}

#[cfg(test)]
mod tests;
