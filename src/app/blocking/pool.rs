//! The threads that do blocking work, and the jobs that wait for them.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::Relaxed;
use core::time::Duration;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::Instant;

use crate::net::report::report;
use crate::wire::setters;

/// The work of a thread. It catches its own panics.
type Work = Box<dyn FnOnce() + Send>;

/// The threads of one app, and what waits for them. Clones are the same pool.
#[derive(Clone, Default)]
pub(crate) struct Pool(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// There is work, or there will be no more.
    work: Condvar,
    /// Nothing waits and nothing runs.
    rest: Condvar,
    counts: Counts,
}

#[derive(Default)]
struct State {
    limits: BlockingLimits,
    queue: VecDeque<Waiting>, // in the order of their tickets
    next: u64,
    threads: usize,
    running: usize, // of them, with work
    closed: bool,
}

struct Waiting {
    ticket: Ticket,
    work: Work,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket(u64);

/// The counters of a pool, for any thread to read. Written with its state locked.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) running: AtomicU64,
    pub(crate) waiting: AtomicU64,
    pub(crate) done: AtomicU64,
    pub(crate) refused: AtomicU64,
}

impl core::fmt::Debug for Pool {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.counts.fmt(f)
    }
}

impl Pool {
    pub(crate) fn counts(&self) -> &Counts {
        &self.0.counts
    }

    pub(super) fn set_limits(&self, limits: BlockingLimits) {
        self.0.lock().limits = limits;
    }

    /// Takes work, for a thread that has none or for the queue; gives it back if
    /// there is no room.
    pub(crate) fn submit(&self, work: Work) -> Result<Ticket, Work> {
        let mut state = self.0.lock();
        let limits = state.limits;
        let room = limits.threads.saturating_add(limits.queue);
        let is_full = limits.threads == 0 || state.running + state.queue.len() >= room;
        if state.closed || is_full {
            self.0.counts.refused.fetch_add(1, Relaxed);
            return Err(work);
        }
        // Those that are idle or about to begin take as many of the queue.
        let idle = state.threads - state.running; // each that runs is a thread
        let needs_thread = state.queue.len() >= idle && state.threads < limits.threads;
        if needs_thread && !self.start(&mut state) && state.threads == 0 {
            self.0.counts.refused.fetch_add(1, Relaxed);
            return Err(work);
        }
        let ticket = Ticket(state.next);
        state.next += 1;
        state.queue.push_back(Waiting { ticket, work });
        self.0.note(&state);
        drop(state);
        self.0.work.notify_one();
        Ok(ticket)
    }

    pub(crate) fn cancel(&self, ticket: Ticket) {
        let mut state = self.0.lock();
        let found = state.queue.binary_search_by_key(&ticket, |it| it.ticket);
        let dropped = found.ok().and_then(|at| state.queue.remove(at));
        self.0.note(&state);
        self.0.tell_rest(&state);
        drop(state);
        drop(dropped); // an application's own, and so not under the lock
    }

    /// Waits until the pool is at rest or until `end`, then takes no more work and drops what
    /// waits. Returns how many jobs still run.
    pub(crate) fn close(&self, end: Option<Instant>) -> usize {
        let mut state = self.0.lock();
        while !Shared::is_at_rest(&state) {
            let left = end.map_or(Duration::MAX, |end| {
                end.saturating_duration_since(Instant::now())
            });
            if left.is_zero() {
                break;
            }
            // A wait for ever is made of long ones.
            let left = left.min(Duration::from_secs(3_600));
            let waited = self.0.rest.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.closed = true;
        let dropped = core::mem::take(&mut state.queue);
        self.0.note(&state);
        let running = state.running;
        drop(state);
        drop(dropped);
        self.0.work.notify_all();
        running
    }

    /// Starts a thread; whether there is one more.
    fn start(&self, state: &mut State) -> bool {
        let shared = self.0.clone();
        let name = alloc::format!("barewire-blocking-{}", state.threads);
        match Builder::new().name(name).spawn(move || shared.run()) {
            Ok(_) => {
                state.threads += 1;
                true
            }
            Err(error) => {
                report!(Error, "no thread for blocking work can be started: {error}");
                false
            }
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works until there has been nothing to do for long enough.
    fn run(&self) {
        let mut state = self.lock();
        loop {
            if let Some(Waiting { work, .. }) = state.queue.pop_front() {
                state.running += 1;
                self.note(&state);
                drop(state);
                work();
                state = self.lock();
                state.running -= 1;
                self.note(&state);
                self.counts.done.fetch_add(1, Relaxed);
                self.tell_rest(&state);
                continue;
            }
            if state.closed {
                break;
            }
            let idle = state.limits.idle;
            let waited = self.work.wait_timeout(state, idle);
            let (locked, waited) = waited.unwrap_or_else(PoisonError::into_inner);
            state = locked;
            if waited.timed_out() && state.queue.is_empty() {
                break;
            }
        }
        state.threads -= 1;
    }

    fn note(&self, state: &State) {
        let waiting = state.queue.len() as u64;
        self.counts.waiting.store(waiting, Relaxed);
        self.counts.running.store(state.running as u64, Relaxed);
    }

    fn is_at_rest(state: &State) -> bool {
        state.queue.is_empty() && state.running == 0
    }

    fn tell_rest(&self, state: &State) {
        if Self::is_at_rest(state) {
            self.rest.notify_all();
        }
    }
}

/// How much blocking work an app may have: see
/// [`Reply::blocking`](crate::app::Reply::blocking).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BlockingLimits {
    /// Threads for blocking work, shared by all loops. Each is started when there is work
    /// for it, and ends when it has had none for `idle`. With 0, all blocking work is
    /// refused. Default 64.
    pub threads: usize,
    /// Jobs that wait for a thread. Stops clients that ask faster than the work is done.
    /// The peer sees 503, or RESOURCE_EXHAUSTED for calls. Default 1,024.
    pub queue: usize,
    /// Time after which a thread without work ends. Default 10 s.
    pub idle: Duration,
}

impl BlockingLimits {
    /// Enough for a database whose queries take milliseconds.
    pub const DEFAULT: Self = Self {
        threads: 64,
        queue: 1_024,
        idle: Duration::from_secs(10),
    };

    setters! {
        with_threads threads: usize,
        with_queue queue: usize,
        with_idle idle: Duration,
    }
}

impl Default for BlockingLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[cfg(test)]
mod tests;
