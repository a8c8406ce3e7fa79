//! The progress of a connection, for clients.

use super::connecting::dials::DialRequest;
use super::{Context, Cork, Exchange};

#[derive(Debug, Clone, Copy)]
pub(crate) struct Progress {
    /// Bytes written, except those that wait for a stream.
    pub(crate) written: u64,
    /// Bytes of it that the system has taken.
    pub(crate) sent: u64,
    pub(crate) queued: usize,
    /// Bytes that the system did not take when offered.
    pub(crate) refused: usize,
    /// Some has come that means nothing yet: the front of a head, say.
    pub(crate) has_input: bool,
    /// Something has come since [`Context::forget_heard`].
    pub(crate) has_heard: bool,
    /// A further request may be sent.
    pub(crate) is_free: bool,
}

impl Progress {
    /// Whether nothing is under way, and the connection can carry the next exchange.
    pub(crate) const fn is_at_rest(self) -> bool {
        self.is_free && !self.has_input && self.sent == self.written
    }
}

impl Context<'_> {
    /// How far the connection of an exchange has come; `None` if it is over.
    pub(crate) fn progress(&self, exchange: Exchange) -> Option<Progress> {
        let Exchange { connection, stream } = exchange;
        let corked = self.state.cork_of(connection).map_or(0, Cork::len);
        let it = self.state.connections.get(connection)?;
        Some(Progress {
            written: it.end() + corked as u64,
            sent: it.sent,
            queued: it.link.queued(stream),
            refused: it.backlog.len(),
            has_input: it.input_buffer.is_some(),
            has_heard: it.holds.has_heard(),
            is_free: it.may_respond() && it.link.allowance() > 0,
        })
    }

    /// Has the connection of an exchange read in the next turn, whatever the system says.
    pub(crate) fn look(&mut self, exchange: Exchange) {
        if let Some(it) = self.state.connections.get_mut(exchange.connection) {
            it.socket.readable = true;
            self.state.wake(exchange.connection);
        }
    }

    pub(crate) fn is_to_look(&self, exchange: Exchange) -> bool {
        let it = self.state.connections.get(exchange.connection);
        it.is_some_and(|it| it.socket.readable && it.queued)
    }

    /// Gives up a connection that is not open yet; nothing more is told of it but its end.
    pub(crate) fn give_up_dial(&mut self, exchange: Exchange) {
        let key = exchange.connection;
        self.state.dials.push(DialRequest { key, plan: None });
    }

    pub(crate) fn unsent(&self, exchange: Exchange) -> u64 {
        let it = self.state.connections.get(exchange.connection);
        it.map_or(0, |it| it.link.unsent(exchange.stream))
    }

    /// Makes [`Progress::has_heard`] count from here; returns [`Progress::written`], unless the
    /// connection is over.
    pub(crate) fn forget_heard(&mut self, exchange: Exchange) -> Option<u64> {
        let corked = self.state.cork_of(exchange.connection).map_or(0, Cork::len);
        let it = self.state.connections.get_mut(exchange.connection)?;
        it.holds.forget_heard();
        Some(it.end() + corked as u64)
    }

    /// Bytes that have come on the connections that this owner has dialled.
    pub(crate) fn received(&self) -> u64 {
        self.state.alarms.received(self.owner)
    }
}
