//! What other threads do to an event source.

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

    /// Has a source that waits for its next attempt begin it now: the network is back.
    pub fn try_now(&self) {
        *self.lock() = true;
        self.0.changed.notify_all();
    }

    /// What ends the source's requests.
    pub(super) fn canceller(&self) -> &Canceller {
        &self.0.canceller
    }

    /// Waits for so long, or until told to try now or to close. Word to try now counts
    /// once, and only if it comes while somebody waits.
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

/// Why a wait is over.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Woken {
    TimeOver,
    TryNow,
    Closed,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    const LONG: Duration = Duration::from_secs(3600);

    #[test]
    fn a_wait_ends_when_its_time_is_over() {
        let handle = EventSourceHandle::new();
        assert_eq!(handle.wait(Duration::from_millis(1)), Woken::TimeOver);
    }

    #[test]
    fn closing_ends_a_wait_that_is_under_way_and_all_to_come() {
        let handle = EventSourceHandle::new();
        let other = handle.clone();
        let waits = thread::spawn(move || other.wait(LONG));
        handle.close();
        assert_eq!(waits.join().unwrap(), Woken::Closed);
        assert_eq!(handle.wait(LONG), Woken::Closed);
        assert!(handle.is_closed());
    }

    #[test]
    fn word_to_try_now_ends_one_wait() {
        let handle = EventSourceHandle::new();
        handle.try_now(); // nobody waits: it is no word for later
        assert_eq!(handle.wait(Duration::from_millis(1)), Woken::TimeOver);
        let other = handle.clone();
        let waits = thread::spawn(move || other.wait(LONG));
        while !waits.is_finished() {
            handle.try_now();
            thread::yield_now();
        }
        assert_eq!(waits.join().unwrap(), Woken::TryNow);
        assert!(!handle.is_closed());
    }
}
