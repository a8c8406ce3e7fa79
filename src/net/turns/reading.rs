//! An owner's reading of the body of its exchange, and its pauses.

use super::holds::Hold;
use super::state::State;
use crate::http::RequestHead;
use crate::link::UsageError;
use crate::net::{Context, Exchange};

impl Context<'_> {
    /// Collects the body on offer, up to `limit` bytes: the request comes
    /// again with its complete body.
    ///
    /// # Errors
    /// [`UsageError::BodyTooLarge`] if a longer body is announced, other
    /// [`UsageError`] unless one is on offer.
    pub fn collect(&mut self, head: &RequestHead<'_>, limit: usize) -> Result<(), UsageError> {
        if !self.is_open() {
            return Err(UsageError::Over);
        }
        self.state.account_of(self.exchange.connection);
        let State {
            connections,
            cork,
            request_pool,
            now,
            ..
        } = &mut *self.state;
        let Some(connection) = connections.get_mut(self.exchange.connection) else {
            return Err(UsageError::Over);
        };
        let stream = self.exchange.stream;
        let link = &mut connection.link;
        link.collect(stream, head, limit, request_pool, *now, cork)
    }

    /// Streams the offered body as [`Body`](crate::link::Event::Body) events.
    ///
    /// # Errors
    /// [`UsageError`] unless a body is on offer.
    pub fn accept_body(&mut self) -> Result<(), UsageError> {
        self.act(|link, state| link.accept_body(state.stream, state.now, state.cork))?;
        if let Some(it) = self.state.connections.get_mut(self.exchange.connection) {
            it.hold_behind_interim(self.state.cork.len(), self.state.now);
        }
        Ok(())
    }

    /// Accepts a body that consists of messages, between which the peer may
    /// rest as long as it likes, as those of gRPC: over HTTP/2 it need not keep
    /// [`body_rate`](crate::http1::Limits::body_rate).
    ///
    /// # Errors
    /// [`UsageError`] unless a body is on offer.
    pub fn accept_messages(&mut self) -> Result<(), UsageError> {
        self.act(|link, state| link.accept_messages(state.stream, state.now, state.cork))
    }

    /// Stops or resumes the reading of a body, of messages or of raw bytes, so
    /// that the peer is held back by its own flow control.
    pub fn set_reading(&mut self, reading: bool) {
        let Exchange {
            connection: key,
            stream,
        } = self.exchange;
        let now = self.state.now;
        if reading {
            self.state.excuse(key);
        }
        let Some(connection) = self.state.connections.get_mut(key) else {
            return;
        };
        let link = &mut connection.link;
        if !link.set_reading(stream, reading, now) {
            let is_held = connection.holds.has(Hold::Owner);
            match reading {
                true if is_held => {
                    connection.holds.end(Hold::Owner);
                    link.resume(now);
                }
                false if !is_held => connection.holds.add(Hold::Owner),
                _ => return,
            }
        }
        if reading {
            self.state.go_on(key);
        }
        self.state.touch(key); // its deadline is another now
    }

    /// Keeps the content of this exchange counted against the peer's window until
    /// [`consume`](Self::consume) gives it back: for owners that keep content. `false` on
    /// HTTP/1.1, which has no windows.
    pub fn let_owner_consume(&mut self) -> bool {
        let Exchange { connection, stream } = self.exchange;
        let connection = self.state.connections.get_mut(connection);
        connection.is_some_and(|it| it.link.let_owner_consume(stream))
    }

    /// Opens the peer's window again for `bytes` of content that the owner has
    /// done with, after [`let_owner_consume`](Self::let_owner_consume).
    pub fn consume(&mut self, bytes: usize) {
        // An exchange that is over has given back all of it.
        let _ = self.act(|link, state| {
            link.consume(state.stream, bytes, state.cork);
            Ok(())
        });
    }

    pub(crate) fn dropped_trailers(&self) -> u16 {
        let Exchange { connection, stream } = self.exchange;
        let connection = self.state.connections.get(connection);
        connection.map_or(0, |it| it.link.dropped_trailers(stream))
    }

    /// Reads from the connection even while its output waits for the peer.
    ///
    /// Otherwise a peer that takes nothing is not read from. In a protocol with windows
    /// of its own that can stop both sides for good: each waits for the other to read.
    /// Such an owner bounds what it writes itself.
    pub fn read_while_waiting(&mut self) {
        let key = self.exchange.connection;
        if let Some(connection) = self.state.connections.get_mut(key) {
            connection.holds.ignore_output();
            self.state.go_on(key);
        }
    }
}
