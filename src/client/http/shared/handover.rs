//! The choice of the thread that waits for the socket, among those that wait for one
//! connection.
//!
//! ```text
//!             no leader                        news, or its time is over
//!   Away ──────────────────► Leads ─────────────────────────────────────► Away
//!    │                         ▲                                            ▲
//!    │ somebody leads          │ appointed by a leader that leaves          │
//!    └────────────► Follows ───┴──────────── called: there is news ─────────┘
//! ```
//!
//! One of those that wait leads: it waits for the socket, and calls others whose news it
//! has read. The others sleep. A leader that leaves appoints one of those that sleep and
//! were not called; if there is none, the next one that waits leads. Everything here
//! happens under the connection's lock. A thread that is to be woken is named by what
//! is returned, and is woken once the lock is free.

use alloc::sync::Arc;
use alloc::vec::Vec;
use std::sync::{Condvar, Mutex, PoisonError};

use crate::client::connecting::clock;
use crate::wire::Instant;

#[cfg(test)]
mod search;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Duty {
    Lead,
    /// Sleep until it is woken.
    Follow,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Posture {
    Away,
    Follows,
    Called,
}

/// The choice of the thread that waits for the socket.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Handover {
    postures: Vec<Posture>,
    leader: Option<usize>,
    /// How many are called and have not come.
    called: usize,
}

impl Handover {
    pub(super) const fn new() -> Self {
        Self {
            postures: Vec::new(),
            leader: None,
            called: 0,
        }
    }

    pub(super) fn seat(&mut self, seat: usize) {
        if self.postures.len() <= seat {
            self.postures.resize(seat + 1, Posture::Away);
        }
    }

    /// The thread of `seat` has no news and waits, for the first time or again.
    pub(super) fn wait(&mut self, seat: usize) -> Duty {
        match self.leader {
            None => {
                self.set(seat, Posture::Away);
                self.leader = Some(seat);
                Duty::Lead
            }
            Some(leader) if leader == seat => {
                self.set(seat, Posture::Away);
                Duty::Lead
            }
            Some(_) => {
                self.set(seat, Posture::Follows);
                Duty::Follow
            }
        }
    }

    /// There is news for `seat`; whether to wake its thread. Leaders, and those away, look
    /// before they sleep.
    pub(super) fn call(&mut self, seat: usize) -> bool {
        let follows = self.postures.get(seat) == Some(&Posture::Follows);
        if follows {
            self.set(seat, Posture::Called);
        }
        follows
    }

    /// The thread of `seat` waits no longer. Returns the seat to wake, which leads now.
    #[must_use]
    pub(super) fn leave(&mut self, seat: usize) -> Option<usize> {
        self.set(seat, Posture::Away);
        if self.leader != Some(seat) {
            return None;
        }
        let mut sleeping = self.postures.iter();
        self.leader = sleeping.position(|it| *it == Posture::Follows);
        let next = self.leader?;
        self.set(next, Posture::Called);
        Some(next)
    }

    pub(super) const fn leader(&self) -> Option<usize> {
        self.leader
    }

    /// Whether threads were woken that have not come yet.
    pub(super) const fn expects(&self) -> bool {
        self.called > 0
    }

    fn set(&mut self, seat: usize, posture: Posture) {
        let Some(place) = self.postures.get_mut(seat) else {
            return;
        };
        let before = core::mem::replace(place, posture);
        self.called += usize::from(posture == Posture::Called);
        self.called -= usize::from(before == Posture::Called);
    }
}

/// Wakes a thread. A ring before the sleep ends it; the sleeper looks for itself.
#[derive(Debug, Default)]
pub(super) struct Bell {
    rung: Mutex<bool>,
    heard: Condvar,
}

std::thread_local! {
    static MINE: Arc<Bell> = Arc::default();
}

impl Bell {
    pub(super) fn mine() -> Arc<Self> {
        MINE.with(Arc::clone)
    }

    /// Wakes its thread, or has its next sleep end immediately.
    pub(super) fn ring(&self) {
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let was_rung = core::mem::replace(&mut *rung, true);
        drop(rung);
        if !was_rung {
            self.heard.notify_one();
        }
    }

    pub(super) fn sleep(&self, until: Instant) -> bool {
        let mut rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        while !core::mem::take(&mut *rung) {
            let left = until.saturating_since(clock::now());
            if left.is_zero() {
                return false;
            }
            let slept = self.heard.wait_timeout(rung, left);
            rung = slept.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

#[cfg(test)]
mod tests;
