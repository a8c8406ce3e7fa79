//! What a thread sleeps by: each has one, for whatever it waits for.

use alloc::sync::Arc;
use std::sync::{Condvar, Mutex, PoisonError};

use crate::client::connecting::clock;
use crate::wire::Instant;

/// What wakes a thread. A ring that comes before the sleep ends it at its beginning, so
/// that none is lost; a sleeper has to look for itself whether there is something.
#[derive(Debug, Default)]
pub(super) struct Bell {
    rung: Mutex<bool>,
    heard: Condvar,
}

std::thread_local! {
    static MINE: Arc<Bell> = Arc::default();
}

impl Bell {
    /// That of this thread.
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

    /// Sleeps until it is rung, or until `until`; whether it was rung.
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
mod tests {
    use super::*;
    use core::time::Duration;
    use std::thread;

    #[test]
    fn a_ring_before_the_sleep_ends_it() {
        let bell = Bell::mine();
        bell.ring();
        bell.ring();
        assert!(bell.sleep(Instant::NEVER));
        let until = clock::now() + Duration::from_millis(5);
        assert!(!bell.sleep(until)); // it was rung once
        assert!(clock::now() >= until);
    }

    #[test]
    fn a_ring_of_another_thread_ends_a_sleep() {
        let bell = Bell::mine();
        let ringing = bell.clone();
        let other = thread::spawn(move || {
            assert!(!Arc::ptr_eq(&ringing, &Bell::mine()));
            ringing.ring();
        });
        assert!(bell.sleep(Instant::NEVER));
        other.join().unwrap();
    }
}
