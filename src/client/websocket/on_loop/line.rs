//! The way of a seat to its connection.

use crate::link::{Charge, UsageError};
use crate::net::{Context, Exchange, Flow, Progress};
use crate::websocket::{CloseCode, Kind};

/// The connection of a seat, if an open WebSocket is on it.
pub(crate) struct Line<'a, 'c> {
    context: &'a mut Context<'c>,
    exchange: Option<Exchange>,
    /// The WebSocket is over, and can only be asked how far it came.
    is_over: bool,
    /// Its seat is to be called once everything has left.
    pub(crate) awaits_departure: bool,
}

impl<'a, 'c> Line<'a, 'c> {
    pub(super) const fn new(context: &'a mut Context<'c>, exchange: Option<Exchange>) -> Self {
        Self {
            context,
            exchange,
            is_over: false,
            awaits_departure: false,
        }
    }

    pub(super) const fn over(context: &'a mut Context<'c>, exchange: Option<Exchange>) -> Self {
        Self {
            context,
            exchange,
            is_over: true,
            awaits_departure: false,
        }
    }

    fn on<R>(&mut self, act: impl FnOnce(&mut Context<'_>) -> R) -> Option<R> {
        let exchange = self.exchange.filter(|_| !self.is_over)?;
        self.context.with(exchange, act)
    }

    /// Whether the loop takes more for now; if not, it says when it does.
    pub(super) fn takes_more(&mut self) -> bool {
        self.on(|context| context.flow() == Flow::Go)
            .unwrap_or(false)
    }

    pub(crate) fn send(&mut self, kind: Kind, payload: &[u8]) -> bool {
        self.on(|context| context.send(kind, payload).is_taken())
            .unwrap_or(false)
    }

    pub(crate) fn ping(&mut self, payload: &[u8]) -> Result<(), UsageError> {
        self.on(|context| context.ping(payload))
            .unwrap_or(Err(UsageError::Over))
    }

    pub(crate) fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), UsageError> {
        self.on(|context| context.close(code, reason))
            .unwrap_or(Err(UsageError::Over))
    }

    pub(super) fn set_reading(&mut self, reading: bool) {
        self.on(|context| context.set_reading(reading));
    }

    /// How far the connection has come.
    pub(crate) fn progress(&self) -> Option<Progress> {
        self.context.progress(self.exchange?)
    }

    /// Bytes that waited for the stream when the WebSocket was over; `None` while it is not.
    pub(crate) fn left_unsent(&self) -> Option<u64> {
        let exchange = self.exchange.filter(|_| self.is_over)?;
        Some(self.context.unsent(exchange))
    }

    pub(crate) fn charge(&mut self, charge: &mut Charge) {
        let account = self.on(|context| context.account()).flatten();
        if account.is_some() {
            charge.move_to(account.as_ref());
        }
    }
}
