//! Ending a wait from another thread.

use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::clock;
use super::socket::Socket;
use crate::wire::Instant;
use crate::wire::partly_shown;

/// Ends what blocks, from any thread, immediately and for good: whatever was given it, or
/// is given it later, fails as cancelled. Clones are one and the same.
///
/// ```
/// use barewire::client::Canceller;
///
/// let canceller = Canceller::new();
/// let other = canceller.clone(); // for another thread
/// other.cancel();
/// assert!(canceller.is_cancelled());
/// ```
#[derive(Clone, Default)]
pub struct Canceller(Arc<Shared>);

#[derive(Default)]
struct Shared {
    cancelled: AtomicBool,
    waits: Mutex<Waits>,
}

#[derive(Default)]
struct Waits {
    next: u64,
    targets: Vec<(u64, Target)>,
}

pub(super) enum Target {
    /// A wait for a socket, which goes down.
    Socket(Weak<Socket>),
    Wake(Arc<dyn Fn() + Send + Sync>),
}

impl Canceller {
    /// One that has not been used.
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends all that waits, and all that will.
    pub fn cancel(&self) {
        // Before anybody is woken: those look at it then.
        self.0.cancelled.store(true, Ordering::SeqCst);
        let mut waits = self.waits();
        // With the lock: a socket that is watched no longer may be another one's.
        let is_socket = |it: &mut (u64, Target)| matches!(it.1, Target::Socket(_));
        for (_, socket) in waits.targets.extract_if(.., is_socket) {
            socket.end();
        }
        let wakes = core::mem::take(&mut waits.targets);
        drop(waits);
        for (_, target) in wakes {
            target.end();
        }
    }

    /// Whether it was used.
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::SeqCst)
    }

    /// Calls `wake` when this is used, for as long as what is returned lives; now, if it
    /// was used before.
    pub(crate) fn on_cancel(&self, wake: impl Fn() + Send + Sync + 'static) -> Watch {
        self.watch(Target::Wake(Arc::new(wake)))
    }

    /// Ends `target` when this is used, for as long as what is returned lives; now, if it
    /// was used before.
    pub(super) fn watch(&self, target: Target) -> Watch {
        let mut waits = self.waits();
        let number = waits.next;
        waits.next += 1;
        match self.is_cancelled() {
            true => {
                drop(waits);
                target.end();
            }
            false => waits.targets.push((number, target)),
        }
        Watch {
            canceller: self.clone(),
            number,
        }
    }

    fn waits(&self) -> MutexGuard<'_, Waits> {
        let waits = self.0.waits.lock();
        waits.unwrap_or_else(PoisonError::into_inner)
    }
}

partly_shown!(it: Canceller { is_cancelled: it.is_cancelled() });

impl Target {
    fn end(self) {
        match self {
            Self::Socket(socket) => {
                if let Some(socket) = socket.upgrade() {
                    socket.shut_down();
                }
            }
            Self::Wake(wake) => wake(),
        }
    }
}

/// That something is ended when its canceller is used.
pub(crate) struct Watch {
    canceller: Canceller,
    number: u64,
}

impl Watch {
    pub(super) const fn canceller(&self) -> &Canceller {
        &self.canceller
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.canceller.is_cancelled()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut waits = self.canceller.waits();
        waits.targets.retain(|(number, _)| *number != self.number);
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.canceller.fmt(f)
    }
}

/// Waits until `until`, or until it is cancelled.
pub(crate) fn pause(until: Instant, canceller: Option<&Canceller>) {
    let bell = Arc::new((Mutex::new(()), Condvar::new()));
    let rings = bell.clone();
    let _watch = canceller.map(|it| {
        it.on_cancel(move || {
            // With the lock, so that a wait that is about to begin is not missed.
            drop(rings.0.lock());
            rings.1.notify_all();
        })
    });
    let mut guard = bell.0.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let left = until.saturating_since(clock::now());
        if left.is_zero() || canceller.is_some_and(Canceller::is_cancelled) {
            return;
        }
        let waited = bell.1.wait_timeout(guard, left);
        guard = waited.unwrap_or_else(PoisonError::into_inner).0;
    }
}

#[cfg(test)]
mod tests;
