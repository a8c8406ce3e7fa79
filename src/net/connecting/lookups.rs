//! Threads for what cannot be waited for with a time: lookups of names.
//!
//! A lookup of the system can be neither cancelled nor given a deadline, so that it runs
//! on a thread of its own, and those that need the answer wait for that. All loops and clients
//! of a process share these threads, of which there are few; they start with the first
//! name, and end when there was none for a while.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::panic::AssertUnwindSafe;
use core::time::Duration;
use std::io::{self, ErrorKind};
use std::panic::catch_unwind;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Lookups at the same time. One whose servers are silent holds its thread for many
/// seconds, and should hold up nobody else.
const THREADS: usize = 8;
/// Lookups that wait for a thread.
const WAITING: usize = 1024;
/// How long a thread waits for a further one before it ends.
const IDLE: Duration = Duration::from_secs(10);

type Job = Box<dyn FnOnce() + Send>;

/// The threads, and what waits for them.
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

/// Those of the process.
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

    /// Has a thread do `job`.
    ///
    /// # Errors
    /// If too many wait, or no thread can be had.
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

    /// A thread's life.
    fn work(&self) {
        while let Some(job) = self.take() {
            // A job that panics has told those who wait for it.
            let _ = catch_unwind(AssertUnwindSafe(job));
        }
    }

    /// Waits for a job; `None`, and the thread is none of these any more, if there is
    /// none for long.
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
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    fn lookups(idle: Duration) -> &'static Lookups {
        Box::leak(Box::new(Lookups::new(idle)))
    }

    #[test]
    fn threads_are_few_and_survive_a_panic() {
        let lookups = lookups(IDLE);
        let (send, done) = channel();
        for nth in 0..100 {
            let send = send.clone();
            lookups
                .run(move || {
                    send.send(nth).unwrap();
                    assert!(nth % 2 == 0, "every other one");
                })
                .unwrap();
        }
        let mut all: alloc::vec::Vec<i32> = done.iter().take(100).collect();
        all.sort_unstable();
        assert_eq!(all, (0..100).collect::<alloc::vec::Vec<_>>());
        assert!((1..=THREADS).contains(&lookups.lock().threads));
    }

    #[test]
    fn threads_end_when_there_is_nothing_to_do() {
        let lookups = lookups(Duration::from_millis(1));
        let (send, done) = channel();
        lookups.run(move || send.send(()).unwrap()).unwrap();
        done.recv().unwrap();
        while lookups.lock().threads > 0 {
            thread::yield_now();
        }
    }

    #[test]
    fn there_is_a_bound_to_what_waits() {
        let lookups = lookups(IDLE);
        let gate = alloc::sync::Arc::new(Mutex::new(()));
        let shut = gate.lock().unwrap();
        let mut refused = 0;
        for _ in 0..WAITING + THREADS + 1 {
            let gate = gate.clone();
            let run = lookups.run(move || drop(gate.lock()));
            refused += usize::from(run.is_err());
        }
        assert!(refused >= 1);
        drop(shut);
    }
}
