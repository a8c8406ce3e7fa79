//! The commands of the application to a reconnecting WebSocket.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::time::Duration;

use super::{Leaving, Reconnector, State};
use crate::client::websocket::reconnecting::options::Deciding;
use crate::client::websocket::reconnecting::{Position, Receipt, ReconnectError, ResumeHook};
use crate::client::{CloseFrame, Message};
use crate::link::Account;
use crate::websocket::CloseCode;
use crate::wire::Instant;

impl Reconnector {
    /// Takes a message to be sent.
    ///
    /// # Errors
    /// [`ReconnectError::Full`] if there is no room for it, [`ReconnectError::NoMemory`] if
    /// the account that is [charged](Self::charge_to) has none, [`ReconnectError::Over`] if
    /// nothing is sent any more. They give the message back.
    pub fn send(&mut self, message: Message) -> Result<Receipt, ReconnectError> {
        let leaves = matches!(self.leaving, Some(Leaving::ForGood));
        if leaves || self.state == State::Over {
            return Err(ReconnectError::Over(message));
        }
        self.queue.push(message, &self.limits, self.policy)
    }

    /// Charges what it holds of messages to this account from here on. One that the account
    /// has no room for is treated as one that the queue has none for.
    pub fn charge_to(&mut self, account: &Account) {
        self.queue.charge_to(account);
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
    /// there is one, at the latest after [`leave`]. Nothing can be sent from here on.
    ///
    /// [`leave`]: crate::client::ReconnectLimits::leave
    pub fn close(&mut self, now: Instant) {
        match self.state {
            State::Open | State::Resuming { .. } | State::Connecting => {
                self.leaving = Some(Leaving::ForGood);
                self.leave_by.get_or_insert(now + self.limits.leave);
            }
            State::Waiting { .. } => self.finish(),
            State::Over => {}
        }
    }

    /// Closes for good with this code and reason, and without what waits or is not
    /// confirmed. If the reason is longer than 123 bytes, or the code may not be sent, it
    /// closes with 1000 and no reason.
    pub fn close_with(&mut self, code: CloseCode, reason: &str, now: Instant) {
        self.close(now);
        if self.is_leaving() {
            self.farewell = Some(CloseFrame::new(code, reason));
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

    /// Takes out the resume hook and what decides to come back: called without the lock.
    pub(crate) fn take_hooks(&mut self) -> (Option<Box<dyn ResumeHook>>, Deciding) {
        (self.resume.take(), self.come_back.clone())
    }

    pub(crate) fn is_to_ask(&self) -> bool {
        self.state == State::Open && !self.pings.has_asked
    }

    pub(crate) fn ask(&mut self, questions: VecDeque<Message>) {
        self.pings.has_asked = true;
        self.questions = questions;
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
