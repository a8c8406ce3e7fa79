//! Receipts: the fate of messages that were sent.
//!
//! ```text
//!   Queued ──► Written ──► Confirmed
//!     │  ▲        └──────► Unknown ──┐ sent again, by a policy alone
//!     │  └───────────────────────────┘
//!     └──► Unsent
//! ```

use alloc::sync::Arc;
use core::cell::Cell;
use core::fmt;
use core::time::Duration;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant as StdInstant;

use crate::client::WebSocketError;
use crate::net::is_loop_thread;

std::thread_local! {
    /// Whether this thread is that of a reconnecting WebSocket.
    pub(super) static LISTENS: Cell<bool> = const { Cell::new(false) };
}

/// The state of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReceiptState {
    /// It waits for a connection, and nothing of it has left.
    Queued,
    /// It was handed to the system, at least a part of it, and nothing more is known.
    Written,
    /// The peer has read it: its endpoint has answered a Ping that was sent after it, or
    /// the application says so.
    Confirmed,
    /// It was written, and the connection was lost before it was confirmed: the peer may
    /// have got it or not.
    Unknown,
    /// Nothing of it has left, and nothing will: the queue's policy has dropped it, or the
    /// WebSocket is over.
    Unsent,
}

impl ReceiptState {
    /// Whether it stays so. [`Unknown`](Self::Unknown) does, unless unknown messages are
    /// sent again.
    pub const fn is_final(self) -> bool {
        match self {
            Self::Queued | Self::Written => false,
            Self::Confirmed | Self::Unknown | Self::Unsent => true,
        }
    }
}

/// A message that was sent, to be asked what has become of it. Clones are about the same
/// message.
#[derive(Clone)]
pub struct Receipt(Arc<Slip>);

struct Slip {
    id: u64,
    state: Mutex<ReceiptState>,
    news: Condvar,
}

impl Receipt {
    pub(super) fn new(id: u64) -> Self {
        Self(Arc::new(Slip {
            id,
            state: Mutex::new(ReceiptState::Queued),
            news: Condvar::new(),
        }))
    }

    /// The number of the message among those that were sent, from 1.
    pub fn id(&self) -> u64 {
        self.0.id
    }

    /// The state of the message now.
    pub fn state(&self) -> ReceiptState {
        *self.lock()
    }

    /// Waits until what is known [stays so](ReceiptState::is_final), at most for this long.
    /// The state known then.
    ///
    /// # Errors
    /// [`WebSocketError::OnLoop`] on a thread that runs a loop, or a listener's methods:
    /// nothing is read or written meanwhile.
    pub fn wait(&self, time: Duration) -> Result<ReceiptState, WebSocketError> {
        if is_loop_thread() || LISTENS.get() {
            return Err(WebSocketError::OnLoop);
        }
        let until = StdInstant::now().checked_add(time);
        let mut state = self.lock();
        while !state.is_final() {
            state = match until {
                None => self
                    .0
                    .news
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(until) => {
                    let left = until.saturating_duration_since(StdInstant::now());
                    if left.is_zero() {
                        break;
                    }
                    let waited = self.0.news.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        Ok(*state)
    }

    pub(super) fn set(&self, new: ReceiptState) {
        *self.lock() = new;
        self.0.news.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, ReceiptState> {
        let state = self.0.state.lock();
        state.unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receipt")
            .field("id", &self.id())
            .field("state", &self.state())
            .finish()
    }
}
