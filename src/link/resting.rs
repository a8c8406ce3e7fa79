//! A link with nothing under way, compacted.

use alloc::boxed::Box;

use super::Link;
use super::multiplex::Multiplex;
use super::protocol::Protocol;
use super::{Account, Charge, Promise};
use crate::http2;
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
    /// Whether the exchange `stream` of a link is still active whose last one has the
    /// number `own`.
    pub(crate) const fn is_open(&self, own: u32, stream: u32) -> bool {
        match self {
            Self::Http1(_) => false, // it is over, and a next one has not begun
            Self::WebSocket(_) => own == stream,
        }
    }
}

impl Link {
    /// The link compacted, if it is a server's with nothing under way; which of
    /// the limits of WebSockets holds is to be remembered beside it.
    pub(crate) fn resting(&self) -> Option<Resting> {
        let rests = self.role == Role::Server
            && self.exchange.kept.is_none()
            // What an owner keeps for the peer stays this connection's.
            && self.account.as_ref().is_none_or(|account| account.held() == 0)
            && self.exchange.due == Instant::NEVER
            && self.exchange.id != 0
            && !self.exchange.endless
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
            Protocol::Http2(_) => None,
            Protocol::Raw { .. } => None,
        }
    }

    /// Which of the limits of WebSockets holds.
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
            Resting::WebSocket(resting) => {
                Protocol::WebSocket(websocket::Connection::rested(resting))
            }
        };
        let mut link = Self::with(Role::Server, protocol);
        (link.exchange.id, link.exchange.websocket_limits) = (stream, websocket_limits);
        link
    }

    /// Takes the machine out of a server's link that speaks HTTP/2 and has no
    /// stream, and leaves the link without a protocol.
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

/// What has to be remembered of a server's link that speaks HTTP/2 and has no
/// stream.
#[derive(Debug)]
pub(crate) struct Idle {
    machine: http2::Connection,
    stream: u32,
    charge: Charge,
    promise: Promise,
}

impl Idle {
    /// Who is charged for the memory that it takes.
    pub(crate) const fn account(&self) -> Option<&Account> {
        self.charge.account()
    }
}
