//! Control of an event source by other threads.

use alloc::sync::Arc;
use core::time::Duration;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::client::connecting::Canceller;

/// Ends an event source, or has it try again, from any thread.
///
/// Clones act on the same source.
#[derive(Debug, Clone, Default)]
pub struct EventSourceHandle(Arc<Control>);

#[derive(Debug, Default)]
struct Control {
    canceller: Canceller,
    tries_now: Mutex<bool>,
    changed: Condvar,
}

impl EventSourceHandle {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Closes the source, immediately, whatever it waits for: its thread is told that it
    /// is over.
    pub fn close(&self) {
        self.0.canceller.cancel();
        // A thread that is about to wait has either seen that, or waits by now.
        drop(self.lock());
        self.0.changed.notify_all();
    }

    /// Whether it was closed.
    pub fn is_closed(&self) -> bool {
        self.0.canceller.is_cancelled()
    }

    /// Begins the next attempt of a source that waits for it: the network is back.
    pub fn try_now(&self) {
        *self.lock() = true;
        self.0.changed.notify_all();
    }

    pub(super) fn canceller(&self) -> &Canceller {
        &self.0.canceller
    }

    /// Waits, or until told to try now or to close. A wish to try counts only while waiting.
    pub(super) fn wait(&self, time: Duration) -> Woken {
        let mut tries_now = self.lock();
        *tries_now = false;
        let waits = |tries_now: &mut bool| !*tries_now && !self.is_closed();
        let (mut tries_now, timed_out) = self
            .0
            .changed
            .wait_timeout_while(tries_now, time, waits)
            .unwrap_or_else(PoisonError::into_inner);
        match core::mem::take(&mut *tries_now) {
            _ if self.is_closed() => Woken::Closed,
            true => Woken::TryNow,
            false => {
                debug_assert!(timed_out.timed_out());
                Woken::TimeOver
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        let lock = self.0.tries_now.lock();
        lock.unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Woken {
    TimeOver,
    TryNow,
    Closed,
}

#[cfg(test)]
mod tests;
