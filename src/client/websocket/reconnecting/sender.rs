//! The side of a reconnecting WebSocket that sends, and what it shares with the thread.

use alloc::sync::Arc;
use core::fmt;
use core::time::Duration;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::{Position, Receipt, ReconnectError, Reconnector};
use crate::client::connecting::{Duplex, clock};
use crate::client::websocket::inbox::Inbox;
use crate::client::{Canceller, Message};
use crate::websocket::CloseCode;

/// The side of a [`Reconnecting`](super::Reconnecting) WebSocket that sends. Its clones are for other threads.
#[derive(Clone)]
pub struct ReconnectSender {
    pub(super) shared: Arc<Shared>,
}

impl ReconnectSender {
    /// Queues a message: it is written as soon as there is a connection.
    ///
    /// # Errors
    /// [`ReconnectError::Full`] if the queue has no room and its policy refuses,
    /// [`ReconnectError::Over`] if it is closed for good.
    pub fn send(&self, message: impl Into<Message>) -> Result<Receipt, ReconnectError> {
        let mut held = self.shared.lock();
        let receipt = held.core.send(message.into())?;
        self.shared.wake(&mut held);
        Ok(receipt)
    }

    /// Says that the peer has read a message, by its own answer. Whether that was not
    /// known.
    pub fn confirm(&self, receipt: &Receipt) -> bool {
        let mut held = self.shared.lock();
        let is_news = held.core.confirm(receipt.id());
        self.shared.wake(&mut held);
        is_news
    }

    /// Connects now, if it waits to: the network is back, or somebody asks for it. Whether
    /// it did wait.
    pub fn try_now(&self) -> bool {
        let mut held = self.shared.lock();
        let did_wait = held.core.try_now();
        self.shared.wake(&mut held);
        did_wait
    }

    /// Closes the connection and connects again, after this time and a bit: a server has
    /// asked for it, say.
    pub fn reconnect(&self, after: Duration) {
        let mut held = self.shared.lock();
        held.core.reconnect(after);
        self.shared.wake(&mut held);
    }

    /// Closes it for good: what was sent is written before and confirmed, where there is a
    /// connection. Nothing can be sent from here on.
    pub fn close(&self) {
        self.leave(|core| core.close(clock::now()));
    }

    /// Closes it for good with this code and reason, and without what waits or is not
    /// confirmed. If the reason is longer than 123 bytes, or the code may not be sent, it
    /// closes with 1000 and no reason.
    pub fn close_with(&self, code: CloseCode, reason: &str) {
        self.leave(|core| core.close_with(code, reason, clock::now()));
    }

    fn leave(&self, act: impl FnOnce(&mut Reconnector)) {
        let mut held = self.shared.lock();
        act(&mut held.core);
        if let Some(canceller) = held.dialling.take() {
            canceller.cancel();
        }
        self.shared.wake(&mut held);
    }

    /// Ends it now, without a word more.
    pub fn abort(&self) {
        let mut held = self.shared.lock();
        held.core.abandon();
        if let Some(canceller) = held.dialling.take() {
            canceller.cancel();
        }
        if let Some(duplex) = &held.duplex {
            duplex.shut_down();
        }
        self.shared.wake(&mut held);
    }

    /// Whether a connection is open.
    pub fn is_open(&self) -> bool {
        self.shared.lock().core.is_open()
    }

    /// How many messages wait or are not confirmed, and the bytes that are held for them.
    pub fn held(&self) -> (usize, usize) {
        self.shared.lock().core.held()
    }

    /// The last position that was seen.
    pub fn position(&self) -> Option<Position> {
        self.shared.lock().core.position().cloned()
    }

    /// Sets the position to resume from: one that was kept, say.
    pub fn set_position(&self, position: Option<Position>) {
        self.shared.lock().core.set_position(position);
    }
}

impl fmt::Debug for ReconnectSender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReconnectSender")
            .field(&self.shared.lock().core)
            .finish()
    }
}

/// State shared by the application's threads and that of the WebSocket.
pub(super) struct Shared {
    held: Mutex<Held>,
    /// For the thread, while it has no connection.
    pub(super) news: Condvar,
}

pub(super) struct Held {
    pub(super) core: Reconnector,
    pub(super) duplex: Option<Arc<Duplex<Inbox>>>,
    /// The canceller of the attempt that is under way.
    pub(super) dialling: Option<Canceller>,
    pub(super) is_asleep: bool,
}

impl Shared {
    pub(super) const fn new(core: Reconnector) -> Self {
        Self {
            held: Mutex::new(Held {
                core,
                duplex: None,
                dialling: None,
                is_asleep: false,
            }),
            news: Condvar::new(),
        }
    }

    /// The lock. No code of the application runs under it.
    pub(super) fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn wake(&self, held: &mut Held) {
        if core::mem::take(&mut held.is_asleep) {
            match &held.duplex {
                Some(duplex) => duplex.alarm(),
                None => self.news.notify_one(),
            }
        }
    }
}
