//! From the first request to the last: whether an app is ready for more.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// Whether an app wants requests: what its route for readiness answers
/// ([`App::health`](crate::app::App::health)).
///
/// An app is ready when it starts. It is not while it says so itself, and never again once it
/// is about to drain ([`ServerHandle::drain_after`](crate::app::ServerHandle::drain_after)).
#[derive(Debug, Clone, Default)]
pub struct Readiness(Arc<State>);

#[derive(Debug, Default)]
struct State {
    unready: AtomicBool,
    leaving: AtomicBool,
}

impl Readiness {
    /// Whether it is ready.
    pub fn is_ready(&self) -> bool {
        !self.0.unready.load(Ordering::Relaxed) && !self.is_leaving()
    }

    /// Says whether it is: not while a database is away, for example.
    pub fn set(&self, ready: bool) {
        self.0.unready.store(!ready, Ordering::Relaxed);
    }

    fn is_leaving(&self) -> bool {
        self.0.leaving.load(Ordering::SeqCst)
    }
}

type Ending = Box<dyn FnOnce() + Send>;

/// The part of a server's life that its threads share.
#[derive(Default)]
pub(super) struct Life {
    readiness: Readiness,
    /// What is done once, when it begins to leave.
    endings: Mutex<Vec<Ending>>,
}

impl Life {
    pub(super) fn of(readiness: Readiness) -> Self {
        Self {
            readiness,
            endings: Mutex::default(),
        }
    }

    pub(super) fn is_leaving(&self) -> bool {
        self.readiness.is_leaving()
    }

    /// Has the app be ready no more.
    pub(super) fn leave(&self) {
        let mut endings = self.endings.lock().unwrap_or_else(PoisonError::into_inner);
        self.readiness.0.leaving.store(true, Ordering::SeqCst);
        let endings = core::mem::take(&mut *endings);
        endings.into_iter().for_each(|end| end());
    }

    /// Has `end` called when it leaves: now, if it has left already.
    #[cfg(unix)]
    pub(super) fn when_leaving(&self, end: impl FnOnce() + Send + 'static) {
        let mut endings = self.endings.lock().unwrap_or_else(PoisonError::into_inner);
        match self.is_leaving() {
            true => end(),
            false => endings.push(Box::new(end)),
        }
    }
}
