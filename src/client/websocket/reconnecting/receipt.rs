//! What is known of a message that was sent.
//!
//! ```text
//!   Queued ──► Written ──► Confirmed
//!     │  ▲        └──────► Unknown ──┐ sent again, by a policy alone
//!     │  └───────────────────────────┘
//!     └──► Unsent
//! ```

use alloc::sync::Arc;
use core::fmt;
use core::time::Duration;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant as StdInstant;

/// What is known of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReceiptState {
    /// It waits for a connection, and nothing of it has left.
    Queued,
    /// It was handed to the system, at least a part of it, and nothing more is known.
    Written,
    /// The peer has read it: its endpoint has answered a Ping that was sent behind it, or
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

    /// What is known of it now.
    pub fn state(&self) -> ReceiptState {
        *self.lock()
    }

    /// Waits until what is known [stays so](ReceiptState::is_final), at most for this long.
    /// What is known then.
    pub fn wait(&self, time: Duration) -> ReceiptState {
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
        *state
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
