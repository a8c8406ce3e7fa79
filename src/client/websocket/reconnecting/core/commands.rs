//! What an application asks of a reconnecting WebSocket.

use core::time::Duration;

use super::{Leaving, Reconnector, State};
use crate::client::Message;
use crate::client::websocket::reconnecting::{Position, Receipt, ReconnectError};
use crate::wire::Instant;

impl Reconnector {
    /// Takes a message to be sent.
    ///
    /// # Errors
    /// [`ReconnectError::Full`] if there is no room for it, [`ReconnectError::Over`] if
    /// nothing is sent any more. They give the message back.
    pub fn send(&mut self, message: Message) -> Result<Receipt, ReconnectError> {
        let leaves = matches!(self.leaving, Some(Leaving::ForGood));
        if leaves || self.state == State::Over {
            return Err(ReconnectError::Over(message));
        }
        let pushed = self.queue.push(message, &self.limits, self.policy);
        pushed.map_err(ReconnectError::Full)
    }

    /// Connects now, if it waits to: the network is back, or somebody asks for it. Whether
    /// it did wait.
    pub fn try_now(&mut self) -> bool {
        match &mut self.state {
            State::Waiting { until } => {
                *until = Instant::START;
                true
            }
            State::Connecting | State::Open | State::Resuming { .. } | State::Over => false,
        }
    }

    /// Closes the connection, and connects again after this time and a bit: a server has
    /// asked for it, say. Messages that were written are confirmed before, others wait.
    pub fn reconnect(&mut self, after: Duration) {
        if self.is_open() && self.leaving.is_none() {
            self.leaving = Some(Leaving::ToReconnect { after });
        }
    }

    /// Closes for good: the connection once what was sent is written and confirmed, if
    /// there is one. Nothing can be sent from here on.
    pub fn close(&mut self) {
        match self.state {
            State::Open | State::Resuming { .. } | State::Connecting => {
                self.leaving = Some(Leaving::ForGood);
            }
            State::Waiting { .. } => self.finish(),
            State::Over => {}
        }
    }

    /// The last position that was seen.
    pub const fn position(&self) -> Option<&Position> {
        self.position.as_ref()
    }

    /// Sets the position to resume from: one that was kept, say.
    pub fn set_position(&mut self, position: Option<Position>) {
        self.position = position;
    }

    /// Whether there is a connection.
    pub const fn is_open(&self) -> bool {
        matches!(self.state, State::Open | State::Resuming { .. })
    }

    /// Whether it is over for good.
    pub const fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// Whether this side ends the connection for good.
    pub const fn is_leaving(&self) -> bool {
        matches!(self.leaving, Some(Leaving::ForGood))
    }

    /// How many messages wait or are not confirmed, and the bytes that are held for them.
    pub fn held(&self) -> (usize, usize) {
        self.queue.held()
    }

    /// Ends it now: nothing is written or told of it any more but its end.
    pub fn abandon(&mut self) {
        if self.state != State::Over {
            // Their receipts say so.
            let _ = self.queue.lost(self.unknown);
            self.finish();
        }
    }
}
