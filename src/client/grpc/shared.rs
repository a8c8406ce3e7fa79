//! State that an application's threads and a channel's loop share.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, ThreadId};

use super::coding::Coding;
use super::machine::Form;
use super::{CallOptions, Calls, Ending};
use crate::grpc::Code;
use crate::http::FieldBuffer;
use crate::net::{Key, Owner, Priority, Remote, is_loop_thread};
use crate::wire::Instant;

/// How long a thread waits before it tries again to reach a loop whose mailbox
/// was full.
const RETRY: Duration = Duration::from_millis(10);

pub(super) const GONE: &str = "the loop of the channel is gone";

/// The listener of a call.
pub(super) enum Waiter {
    /// A thread that may be blocked.
    Thread(Arc<Condvar>),
    /// An object on the loop; `None` while it runs.
    Listener(Option<Box<dyn Listening>>),
}

impl fmt::Debug for Waiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Thread(_) => "Thread",
            Self::Listener(_) => "Listener",
        })
    }
}

/// An object on the loop that is told of its call.
pub(super) trait Listening: Send {
    /// The head of the response; not of one that ends with it.
    fn head(&mut self, fields: FieldBuffer);
    /// A message, and whether it came compressed; an ending cancels the call
    /// with it.
    fn message(&mut self, bytes: &[u8], compressed: bool) -> Result<(), Ending>;
    /// There is room to send again.
    fn writable(&mut self);
    fn end(self: Box<Self>, ending: Ending);
}

/// The calls of a channel under their lock, and the way to its loop.
pub(super) struct Shared {
    state: Mutex<State>,
    pub(super) coding: Coding,
    remote: Remote,
    /// Set once the loop knows its handler.
    place: OnceLock<(Owner, Clock)>,
    thread: ThreadId, // of the loop
    pub(super) is_http1: bool,
}

pub(super) struct State {
    pub(super) calls: Calls<Waiter>,
    /// The loop will look at the calls of its own accord.
    pub(super) awake: bool,
    /// The loop's mailbox was full when it was to be woken.
    missed: bool,
    pub(super) gone: bool,
}

/// The loop's clock, readable from any thread.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    zero: std::time::Instant,
    at_zero: Instant,
}

impl Clock {
    /// A clock that shows `now` at this moment.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            zero: std::time::Instant::now(),
            at_zero: now,
        }
    }

    fn now(&self) -> Instant {
        self.at_zero + self.zero.elapsed()
    }
}

impl Shared {
    /// Made on the thread of the loop.
    pub(super) fn new(calls: Calls<Waiter>, remote: Remote, is_http1: bool) -> Self {
        Self {
            coding: Coding::new(calls.message_limit()),
            state: Mutex::new(State {
                calls,
                awake: false,
                missed: false,
                gone: false,
            }),
            remote,
            place: OnceLock::new(),
            thread: thread::current().id(),
            is_http1,
        }
    }

    /// Tells whose the calls are on the loop, and what time it is there.
    pub(super) fn begin(&self, owner: Owner, clock: Clock) {
        // It is set once.
        let _ = self.place.set((owner, clock));
    }

    fn now(&self) -> Instant {
        self.place
            .get()
            .map_or(Instant::START, |place| place.1.now())
    }

    /// The lock. Nothing that can panic half-way runs under it, and no code
    /// of the application does.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the loop do what was asked.
    pub(super) fn wake(&self, state: &mut State) {
        if !state.awake && !state.gone {
            state.awake = self.post();
            state.missed = !state.awake;
        }
    }

    /// Sends the loop a message without content; whether it was reached.
    pub(super) fn post(&self) -> bool {
        self.place.get().is_some_and(|&(owner, _)| {
            let posted = self
                .remote
                .post_to_owner(owner, Priority::Reply, Box::new(()));
            posted.is_ok()
        })
    }

    /// Begins a call with messages of this form, and with the only one that it sends if
    /// that is here already.
    pub(super) fn start(
        &self,
        method: (&str, &CallOptions),
        form: Form,
        waiter: Waiter,
        only: Option<Vec<u8>>,
    ) -> Result<Key, Ending> {
        let mut state = self.lock();
        if state.gone {
            return Err(Ending::constant(Code::Unavailable, GONE));
        }
        let call = state.calls.begin(method, form, waiter, only, self.now())?;
        self.wake(&mut state);
        Ok(call)
    }

    /// Begins a call with a listener that knows it.
    pub(super) fn listen(
        &self,
        method: (&str, &CallOptions),
        form: Form,
        only: Option<Vec<u8>>,
        make: impl FnOnce(Key) -> Box<dyn Listening>,
    ) -> Result<Key, Ending> {
        let call = self.start(method, form, Waiter::Listener(None), only)?;
        let listener = make(call);
        let mut state = self.lock();
        if let Some(Waiter::Listener(place)) = state.calls.owner_mut(call) {
            *place = Some(listener);
        }
        // What came before the listener did is told now.
        state.calls.note(call);
        self.wake(&mut state);
        Ok(call)
    }

    /// Ends the channel once its calls are over.
    pub(super) fn shutdown(&self) {
        let now = self.now();
        let mut state = self.lock();
        state.calls.shutdown(now);
        self.wake(&mut state);
    }

    /// Refuses to block a thread that runs a loop.
    pub(super) fn may_block(&self) -> Result<(), Ending> {
        if thread::current().id() == self.thread || is_loop_thread() {
            let message = "a blocking call on a thread that runs a loop";
            return Err(Ending::constant(Code::FailedPrecondition, message));
        }
        Ok(())
    }

    /// Blocks until there is news, or says why there will be none.
    pub(super) fn wait<'a>(
        &self,
        mut state: MutexGuard<'a, State>,
        news: &Condvar,
    ) -> Result<MutexGuard<'a, State>, Ending> {
        if state.gone {
            return Err(Ending::constant(Code::Unavailable, GONE));
        }
        self.may_block()?;
        if state.missed || state.calls.has_output() {
            self.wake(&mut state);
        }
        if state.missed {
            let waited = news.wait_timeout(state, RETRY);
            return Ok(waited.unwrap_or_else(PoisonError::into_inner).0);
        }
        Ok(news.wait(state).unwrap_or_else(PoisonError::into_inner))
    }
}
