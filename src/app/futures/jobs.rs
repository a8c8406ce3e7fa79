//! Futures and streams of sessions, beside what the session's object does.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::kept::{FutureError, Kept};
use crate::net::{Context, FutureSlot, Key, Slab};

/// Names a future of a session: see [`Socket::cancel`](crate::app::Socket::cancel).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FutureId(u64);

impl FutureId {
    /// That of a future that was ready immediately.
    pub(crate) const READY: Self = Self(u64::MAX);
}

/// How far a job is after it was polled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// It is over.
    Ready,
    /// It waits to be woken.
    Pending,
    /// It waits until the peer takes more.
    Blocked,
}

/// Items of a stream that are sent in one turn at most.
#[cfg(feature = "futures")]
pub(crate) const ITEMS: usize = 64;

/// The futures of one session that are not ready. Without any it is a word.
pub(crate) struct Jobs<J>(Option<Box<Slab<Entry<J>>>>);

struct Entry<J> {
    /// None while it is polled.
    job: Option<Job<J>>,
    is_blocked: bool,
}

/// A future, and what is done with its result.
pub(crate) struct Job<J> {
    pub(crate) kept: Kept,
    pub(crate) run: J,
}

impl<J> Jobs<J> {
    pub(crate) const fn new() -> Self {
        Self(None)
    }

    /// Keeps a job that was polled in `slot` and is not ready. It has so many bytes.
    pub(crate) fn keep(
        &mut self,
        context: &mut Context<'_>,
        (run, bytes): (J, usize),
        (slot, progress): (FutureSlot, Progress),
    ) -> Result<FutureId, FutureError> {
        let kept = Kept::new(context, slot, bytes)?;
        let jobs = self.0.get_or_insert_with(|| Box::new(Slab::new()));
        let key = jobs.insert(Entry {
            job: None,
            is_blocked: progress == Progress::Blocked,
        });
        kept.renumber(context, key.to_u64());
        if let Some(entry) = jobs.get_mut(key) {
            entry.job = Some(Job { kept, run });
        }
        Ok(FutureId(key.to_u64()))
    }

    /// Takes a job out to be polled.
    pub(crate) fn take(&mut self, token: u64) -> Option<Job<J>> {
        let entry = self.0.as_mut()?.get_mut(Key::from_u64(token))?;
        entry.job.take_if(|_| !entry.is_blocked)
    }

    /// Puts a job back that was polled; it is dropped if it is over, or was cancelled meanwhile.
    pub(crate) fn put_back(&mut self, token: u64, job: Job<J>, progress: Progress) {
        let key = Key::from_u64(token);
        let Some(jobs) = self.0.as_mut() else {
            return;
        };
        match jobs.get_mut(key) {
            Some(entry) if progress != Progress::Ready => {
                entry.is_blocked = progress == Progress::Blocked;
                entry.job = Some(job);
            }
            _ => drop(jobs.remove(key)),
        }
        if jobs.is_empty() {
            self.0 = None;
        }
    }

    /// Those that waited until the peer takes more may go on.
    pub(crate) fn unblock(&mut self) -> Vec<u64> {
        let Some(jobs) = &mut self.0 else {
            return Vec::new();
        };
        let blocked = jobs.iter().filter(|(_, entry)| entry.is_blocked);
        let keys: Vec<Key> = blocked.map(|(key, _)| key).collect();
        for key in &keys {
            if let Some(entry) = jobs.get_mut(*key) {
                entry.is_blocked = false;
            }
        }
        keys.into_iter().map(Key::to_u64).collect()
    }

    /// Drops a job; whether it was there.
    pub(crate) fn cancel(&mut self, id: FutureId) -> bool {
        let Some(jobs) = &mut self.0 else {
            return false;
        };
        jobs.remove(Key::from_u64(id.0)).is_some()
    }
}

/// The methods that let futures act on a session by its handle of this type, whose fields are
/// `at` and `jobs`.
macro_rules! future_methods {
    ($handle:ident) => {
        /// Polls a future on this loop, now and whenever it is woken, and calls `then` with
        /// what it gives. It is dropped with the session.
        ///
        /// # Errors
        /// [`FutureError`](crate::app::FutureError) if it is not ready and may not be kept: it
        /// is dropped.
        pub fn future<F: Future + 'static>(
            &mut self,
            future: F,
            then: impl FnOnce(F::Output, &mut $handle<'_, '_>) + 'static,
        ) -> Result<FutureId, FutureError> {
            let mut future = Box::pin(future);
            let slot = self.at.context.future_slot(0);
            let asker = crate::app::futures::asker::Asker::of(self.at.context);
            let polled = asker.poll(&slot, |context| future.as_mut().poll(context));
            if let Poll::Ready(output) = polled {
                self.at.context.free_slot(slot);
                then(output, self);
                return Ok(FutureId::READY);
            }
            let bytes = size_of::<F>();
            let mut then = Some(then);
            let run: Run =
                Box::new(
                    move |context, handle| match (future.as_mut().poll(context), &mut then) {
                        (Poll::Ready(output), then) => {
                            if let Some(then) = then.take() {
                                then(output, handle);
                            }
                            Progress::Ready
                        }
                        (Poll::Pending, _) => Progress::Pending,
                    },
                );
            let polled = (slot, Progress::Pending);
            self.jobs.keep(self.at.context, (run, bytes), polled)
        }

        /// Polls a stream on this loop, and calls `then` with each of its items, and with
        /// `None` at its end. It is not polled while the peer does not read. It is dropped
        /// with the session.
        ///
        /// # Errors
        /// [`FutureError`](crate::app::FutureError) if it may not be kept: it is dropped.
        #[cfg(feature = "futures")]
        pub fn stream<S: futures_core::Stream + 'static>(
            &mut self,
            stream: S,
            mut then: impl FnMut(Option<S::Item>, &mut $handle<'_, '_>) + 'static,
        ) -> Result<FutureId, FutureError> {
            let bytes = size_of::<S>();
            let mut stream = Box::pin(stream);
            let mut run: Run = Box::new(move |context, handle| {
                for _ in 0..crate::app::futures::jobs::ITEMS {
                    if handle.at.context.flow() != crate::net::Flow::Go {
                        return Progress::Blocked;
                    }
                    match stream.as_mut().poll_next(context) {
                        Poll::Ready(Some(item)) => then(Some(item), handle),
                        Poll::Ready(None) => {
                            then(None, handle);
                            return Progress::Ready;
                        }
                        Poll::Pending => return Progress::Pending,
                    }
                }
                context.waker().wake_by_ref(); // others come first
                Progress::Pending
            });
            let slot = self.at.context.future_slot(0);
            let asker = crate::app::futures::asker::Asker::of(self.at.context);
            match asker.poll(&slot, |context| run(context, self)) {
                Progress::Ready => Ok(FutureId::READY),
                progress => self
                    .jobs
                    .keep(self.at.context, (run, bytes), (slot, progress)),
            }
        }

        /// Drops a future or stream of the session; whether it was not over yet.
        pub fn cancel(&mut self, id: FutureId) -> bool {
            self.jobs.cancel(id)
        }

        /// A spawner of tasks of the app on this loop, which outlive the session.
        pub fn spawner(&self) -> Spawner {
            self.at.loop_state.tasks.spawner()
        }

        /// Polls one future of the session.
        pub(crate) fn poll_job(&mut self, token: u64) {
            if let Some(mut job) = self.jobs.take(token) {
                let progress = job.kept.poll(|context| (job.run)(context, self));
                self.jobs.put_back(token, job, progress);
            }
        }

        /// Polls the streams that waited for the peer.
        pub(crate) fn poll_blocked(&mut self) {
            for token in self.jobs.unblock() {
                self.poll_job(token);
            }
        }
    };
}

pub(crate) use future_methods;

#[cfg(test)]
mod tests;
