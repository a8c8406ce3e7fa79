//! Connections that carry one request at a time, between requests.
//!
//! ```text
//!            take                            give back
//!   at rest ──────► Lease: one call's own ──────────────► at rest
//!                     ▲        │ broken, or too many
//!        dialled ─────┘        └─► closed
//! ```
//!
//! Nobody looks after what is at rest: it is looked at before it is used. The one used
//! last is used first, so that those which are not needed grow old and go.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::limits::ClientLimits;
use crate::client::connecting::{Canceller, Driven, clock};
use crate::wire::Instant;

/// The connections of a client.
#[derive(Debug)]
pub(super) struct Pool {
    state: Mutex<State>,
    freed: Condvar,
    limits: ClientLimits,
}

#[derive(Debug, Default)]
struct State {
    origins: HashMap<Arc<str>, Origin>,
    /// All connections, those at rest included.
    open: usize,
    /// Threads that wait for one.
    waiting: usize,
    /// When the next one at rest is too old.
    sweep: Option<Instant>,
}

#[derive(Debug, Default)]
struct Origin {
    open: usize,
    /// Those at rest, the one used last at the end.
    idle: Vec<Idle>,
}

#[derive(Debug)]
struct Idle {
    driven: Box<Driven>,
    born: Instant,
    since: Instant,
}

/// A connection that one call has for itself, or the right to dial one.
pub(super) struct Lease {
    pool: Arc<Pool>,
    origin: Arc<str>,
    driven: Option<Box<Driven>>,
    born: Instant,
    /// Since when it was at rest.
    rested: Option<Instant>,
    /// What goes back to rest.
    back: Option<Idle>,
}

/// Which connection is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Want {
    /// One that has carried no request.
    pub(super) fresh: bool,
    /// It has to have been at rest for no longer than [`ClientLimits::unrepeatable_idle_time`].
    pub(super) young: bool,
}

/// Why none can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    TimedOut,
    Cancelled,
}

/// What a look at the pool has brought.
enum Found {
    Lease(Lease),
    Full,
}

impl Pool {
    pub(super) fn new(limits: ClientLimits) -> Self {
        Self {
            state: Mutex::default(),
            freed: Condvar::new(),
            limits,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a connection to `origin`, or the right to dial one; waits until one of them
    /// is to be had.
    pub(super) fn take(
        self: &Arc<Self>,
        origin: &str,
        want: Want,
        until: Instant,
        canceller: Option<&Canceller>,
    ) -> Result<Lease, Refused> {
        let mut closed = Vec::new();
        let mut state = self.lock();
        self.sweep(&mut state, clock::now(), &mut closed);
        match self.find(&mut state, origin, want, &mut closed) {
            Found::Lease(lease) => Ok(lease),
            Found::Full => {
                drop(state);
                drop(closed);
                self.wait(origin, want, until, canceller)
            }
        }
    }

    #[cold]
    fn wait(
        self: &Arc<Self>,
        origin: &str,
        want: Want,
        until: Instant,
        canceller: Option<&Canceller>,
    ) -> Result<Lease, Refused> {
        let pool = self.clone();
        let _watch = canceller.map(|it| {
            it.on_cancel(move || {
                // With the lock, so that nobody is missed who is about to wait.
                drop(pool.lock());
                pool.freed.notify_all();
            })
        });
        let mut state = self.lock();
        state.waiting += 1;
        let found = loop {
            let mut closed = Vec::new();
            if canceller.is_some_and(Canceller::is_cancelled) {
                break Err(Refused::Cancelled);
            }
            if let Found::Lease(lease) = self.find(&mut state, origin, want, &mut closed) {
                break Ok(lease);
            }
            let left = until.saturating_since(clock::now());
            if left.is_zero() {
                break Err(Refused::TimedOut);
            }
            let waited = self.freed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        };
        state.waiting -= 1;
        found
    }

    /// Looks for a connection. What is to be closed is put into `closed`, to be dropped
    /// without the lock.
    fn find(
        self: &Arc<Self>,
        state: &mut State,
        origin: &str,
        want: Want,
        closed: &mut Vec<Idle>,
    ) -> Found {
        let now = clock::now();
        let key = match state.origins.get_key_value(origin) {
            Some((key, _)) => key.clone(),
            None => {
                let key: Arc<str> = origin.into();
                state.origins.insert(key.clone(), Origin::default());
                key
            }
        };
        let lease = |driven, born, rested| Lease {
            pool: self.clone(),
            origin: key.clone(),
            driven,
            born,
            rested,
            back: None,
        };
        let oldest = match want.young {
            true => self
                .limits
                .unrepeatable_idle_time
                .min(self.limits.idle_time),
            false => self.limits.idle_time,
        };
        let Some(of_origin) = state.origins.get_mut(origin) else {
            return Found::Full; // it was put there
        };
        if !want.fresh {
            let last = of_origin.idle.last();
            let is_young = last.is_some_and(|it| it.rests(now) <= oldest);
            if let Some(idle) = is_young.then(|| of_origin.idle.pop()).flatten() {
                let rested = Some(idle.since);
                return Found::Lease(lease(Some(idle.driven), idle.born, rested));
            }
        }
        // One at rest makes room for a new one.
        if of_origin.open >= self.limits.connections_of_origin {
            if of_origin.idle.is_empty() {
                return Found::Full;
            }
            closed.push(of_origin.idle.remove(0));
            of_origin.open -= 1;
            state.open -= 1;
        } else if state.open >= self.limits.connections && !state.close_oldest(closed) {
            return Found::Full;
        }
        state.open += 1;
        if let Some(of_origin) = state.origins.get_mut(&key) {
            of_origin.open += 1;
        }
        Found::Lease(lease(None, now, None))
    }

    /// Closes what has been at rest for too long.
    fn sweep(&self, state: &mut State, now: Instant, closed: &mut Vec<Idle>) {
        if state.sweep.is_none_or(|at| at > now) {
            return;
        }
        let limit = self.limits.idle_time;
        let mut next = None;
        for origin in state.origins.values_mut() {
            let old = origin.idle.partition_point(|it| it.rests(now) >= limit);
            origin.open -= old;
            state.open -= old;
            closed.extend(origin.idle.drain(..old));
            let first = origin.idle.first().map(|it| it.since + limit);
            next = [next, first].into_iter().flatten().min();
        }
        state.sweep = next;
        state.forget_unused();
    }

    /// Closes all that is at rest and too old or dead, and looks at each.
    pub(super) fn close_dead(&self) {
        let mut closed = Vec::new();
        let mut state = self.lock();
        let now = clock::now();
        self.sweep(&mut state, now, &mut closed);
        let mut gone = 0;
        for origin in state.origins.values_mut() {
            let before = origin.idle.len();
            let dead = |it: &mut Idle| !it.driven.probe();
            closed.extend(origin.idle.extract_if(.., dead));
            let of_origin = before - origin.idle.len();
            origin.open -= of_origin;
            gone += of_origin;
        }
        state.open -= gone;
        state.forget_unused();
        drop(state);
        drop(closed);
        self.freed.notify_all();
    }

    /// Closes all that is at rest.
    pub(super) fn close_idle(&self) {
        let mut closed = Vec::new();
        let mut state = self.lock();
        let mut gone = 0;
        for origin in state.origins.values_mut() {
            gone += origin.idle.len();
            origin.open -= origin.idle.len();
            closed.append(&mut origin.idle);
        }
        state.open -= gone;
        state.forget_unused();
        drop(state);
        drop(closed);
        self.freed.notify_all();
    }

    /// Connections now, and how many of them are at rest.
    pub(super) fn counts(&self) -> (usize, usize) {
        let state = self.lock();
        let idle = state.origins.values().map(|it| it.idle.len()).sum();
        (state.open, idle)
    }

    /// Takes back what was leased.
    fn give_back(&self, origin: &str, back: Option<Idle>) {
        let mut state = self.lock();
        let (wakes, limits) = (state.waiting > 0, &self.limits);
        let mut closed = None;
        let mut is_gone = true;
        if let (Some(idle), Some(of_origin)) = (back, state.origins.get_mut(origin)) {
            if limits.idle == 0 {
                closed = Some(idle);
            } else {
                // The one that is likelier to be alive stays.
                is_gone = of_origin.idle.len() >= limits.idle;
                closed = is_gone.then(|| of_origin.idle.remove(0));
                let sweep = idle.since + limits.idle_time;
                of_origin.idle.push(idle);
                state.sweep.get_or_insert(sweep);
            }
        }
        if is_gone {
            state.open -= 1;
            if let Some(of_origin) = state.origins.get_mut(origin) {
                of_origin.open -= 1;
                if of_origin.open == 0 {
                    state.origins.remove(origin);
                }
            }
        }
        drop(state);
        drop(closed);
        if wakes {
            self.freed.notify_all();
        }
    }
}

impl State {
    /// Takes out the connection that has been at rest for longest; whether there was one.
    fn close_oldest(&mut self, closed: &mut Vec<Idle>) -> bool {
        let origins = self.origins.values_mut();
        let oldest = origins
            .filter(|it| !it.idle.is_empty())
            .min_by_key(|it| it.idle.first().map(|it| it.since));
        let Some(origin) = oldest else {
            return false;
        };
        closed.push(origin.idle.remove(0));
        origin.open -= 1;
        self.open -= 1;
        true
    }

    fn forget_unused(&mut self) {
        self.origins.retain(|_, origin| origin.open > 0);
    }
}

impl Idle {
    fn rests(&self, now: Instant) -> core::time::Duration {
        now.saturating_since(self.since)
    }
}

impl Lease {
    /// The connection, unless it is still to be dialled.
    pub(super) fn driven(&mut self) -> Option<&mut Driven> {
        self.driven.as_deref_mut()
    }

    /// Since when it was at rest; `None` if it is new.
    pub(super) const fn rested(&self) -> Option<Instant> {
        self.rested
    }

    /// Puts in the connection that was dialled.
    pub(super) fn dialled(&mut self, driven: Driven) {
        self.driven = Some(Box::new(driven));
    }

    /// Gives the connection back, if it can carry another request; else it is closed.
    pub(super) fn give_back(mut self) {
        let Some(mut driven) = self.driven.take() else {
            return;
        };
        let now = clock::now();
        let is_cancelled = driven.unwatch();
        let is_old = now.saturating_since(self.born) >= self.pool.limits.connection_age;
        if is_cancelled || is_old || !driven.connection().is_at_rest() {
            return;
        }
        self.back = Some(Idle {
            driven,
            born: self.born,
            since: now,
        });
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // In front of the count, so that there are never more.
        self.driven = None;
        self.pool.give_back(&self.origin, self.back.take());
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("origin", &self.origin)
            .field("driven", &self.driven)
            .finish_non_exhaustive()
    }
}
