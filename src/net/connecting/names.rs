//! Names of a loop's dials, and threads for their lookups.
//!
//! Threads for what cannot be waited for with a time: lookups of names.
//!
//! A lookup of the system can be neither cancelled nor given a deadline, so that it runs
//! on a thread of its own, and those that need the answer wait for that. All loops and clients
//! of a process share these threads, of which there are few; they start with the first
//! name, and end when there was none for a while.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::panic::AssertUnwindSafe;
use core::sync::atomic::AtomicUsize;
use core::sync::atomic::Ordering::Relaxed;
use core::time::Duration;
use std::io::{self, ErrorKind};
use std::net::ToSocketAddrs;
use std::panic::catch_unwind;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::dial::NameService;
use crate::net::stores::mailbox::mailbox;
use crate::net::{Inbox, Key, Limits, Priority, Waker};
use crate::wire::partly_shown;

/// The result of a [`Resolver`].
#[derive(Debug)]
pub(crate) struct Resolved {
    pub dial: Key,
    pub found: io::Result<Vec<SocketAddr>>,
}

type Lookup = Box<dyn Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync>;

/// Resolves names on the threads of the process ([`LOOKUPS`]).
pub(crate) struct Resolver {
    lookup: Arc<Lookup>,
    inbox: Inbox<Resolved>,
    /// Names that no answer has come for.
    waiting: Arc<AtomicUsize>,
    limit: usize,
}

impl Resolver {
    /// A resolver of the system, which wakes `waker` and lets [`resolving`](Limits::resolving)
    /// names wait.
    pub(crate) fn new(waker: Waker, limits: &Limits) -> Self {
        Self::with_lookup(waker, limits, |host, port| {
            Ok((host, port).to_socket_addrs()?.collect())
        })
    }

    fn with_lookup(
        waker: Waker,
        limits: &Limits,
        lookup: impl Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static,
    ) -> Self {
        // As many answers wait as there are names at most, so that none is lost.
        let (_, inbox) = mailbox(usize::MAX, usize::MAX, waker);
        Self {
            lookup: Arc::new(Box::new(lookup)),
            inbox,
            waiting: Arc::default(),
            limit: limits.resolving,
        }
    }

    /// Counts a name that is about to wait. Fails when too many wait.
    fn count(&self) -> io::Result<Counted> {
        if self.waiting.load(Relaxed) >= self.limit {
            return Err(ErrorKind::QuotaExceeded.into());
        }
        self.waiting.fetch_add(1, Relaxed);
        Ok(Counted(self.waiting.clone()))
    }

    /// Has `names` resolve a name. Fails if too many wait or it cannot be asked.
    pub(super) fn resolve_by(
        &self,
        names: &dyn NameService,
        dial: Key,
        host: &str,
        port: u16,
    ) -> io::Result<()> {
        let (counted, mailbox) = (self.count()?, self.inbox.mailbox());
        let then = move |found| {
            drop(counted);
            // Refused only where the loop is gone.
            let _ = mailbox.post(Resolved { dial, found }, Priority::Reply);
        };
        names.find(host, port, Box::new(then))
    }

    /// Begins to resolve a name. Fails if too many wait or no thread can be started.
    pub(crate) fn resolve(&self, dial: Key, host: &str, port: u16) -> io::Result<()> {
        let counted = self.count()?;
        let (lookup, mailbox) = (self.lookup.clone(), self.inbox.mailbox());
        let host = String::from(host);
        LOOKUPS.run(move || {
            let found = lookup(&host, port);
            drop(counted);
            // Refused only where the loop is gone.
            let _ = mailbox.post(Resolved { dial, found }, Priority::Reply);
        })
    }
}

/// Counts a name for as long as it waits.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// The answers in no order; `None` ends the iteration for now, and the waker announces more.
impl Iterator for Resolver {
    type Item = Resolved;

    #[inline]
    fn next(&mut self) -> Option<Resolved> {
        self.inbox.next()
    }
}

partly_shown!(it: Resolver { waiting });

/// Lookups at the same time: one of silent servers holds its thread for many seconds.
const THREADS: usize = 8;
const WAITING: usize = 1024;
/// How long a thread waits for a further one before it ends.
const IDLE: Duration = Duration::from_secs(10);

type Job = Box<dyn FnOnce() + Send>;

pub(crate) struct Lookups {
    state: Mutex<State>,
    work: Condvar,
    idle: Duration,
}

struct State {
    jobs: VecDeque<Job>,
    threads: usize,
    idle: usize, // threads that wait for `work`
}

pub(crate) static LOOKUPS: Lookups = Lookups::new(IDLE);

impl Lookups {
    const fn new(idle: Duration) -> Self {
        Self {
            state: Mutex::new(State {
                jobs: VecDeque::new(),
                threads: 0,
                idle: 0,
            }),
            work: Condvar::new(),
            idle,
        }
    }

    /// Lets a thread do `job`.
    ///
    /// # Errors
    /// If too many wait, or no thread can be started.
    pub(crate) fn run(&'static self, job: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let mut state = self.lock();
        if state.jobs.len() >= WAITING {
            let text = "too many names wait to be resolved";
            return Err(io::Error::new(ErrorKind::QuotaExceeded, text));
        }
        if state.idle <= state.jobs.len() && state.threads < THREADS {
            let name = thread::Builder::new().name("barewire-names".into());
            match name.spawn(|| self.work()) {
                Ok(_) => state.threads += 1,
                Err(error) if state.threads == 0 => return Err(error),
                Err(_) => {} // those that run will come to it
            }
        }
        state.jobs.push_back(Box::new(job));
        drop(state);
        self.work.notify_one();
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        while let Some(job) = self.take() {
            // A job that panics has told those who wait for it.
            let _ = catch_unwind(AssertUnwindSafe(job));
        }
    }

    /// Waits for a job; `None`, and the thread leaves, if there is none for long.
    fn take(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                return Some(job);
            }
            state.idle += 1;
            let waited = self.work.wait_timeout(state, self.idle);
            let (mut woken, result) = waited.unwrap_or_else(PoisonError::into_inner);
            woken.idle -= 1;
            if result.timed_out() && woken.jobs.is_empty() {
                woken.threads -= 1;
                return None;
            }
            state = woken;
        }
    }
}

#[cfg(test)]
mod tests;
