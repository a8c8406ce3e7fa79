//! Connections between requests: those that carry one at a time, and those that threads
//! share.
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

mod leases;
mod sharing;
mod state;

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use self::sharing::Choice;
use self::state::{Closed, Idle, Origin, Resting, State};
use super::limits::ClientLimits;
use super::shared::{Seat, SharedConnection};
use crate::client::connecting::{Canceller, Driven, clock};
use crate::wire::Instant;

pub(super) use sharing::Want;

/// The connections of a client.
#[derive(Debug)]
pub(super) struct Pool {
    state: Mutex<State>,
    freed: Condvar,
    limits: ClientLimits,
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
    /// It is to be looked at, however short its rest was.
    is_doubtful: bool,
    /// Others wait for what comes of the dial, as it may be one to share.
    is_awaited: bool,
    /// It has become one to share.
    is_shared: bool,
}

/// A call's place on a shared connection, until it is dropped.
#[derive(Debug)]
pub(super) struct SharedLease {
    pool: Arc<Pool>,
    origin: Arc<str>,
    connection: Arc<SharedConnection>,
    rested: Option<Instant>,
    seat: Option<Seat>,
}

/// What was taken from the pool.
pub(super) enum Taken {
    Own(Lease),
    Shared(SharedLease),
}

/// Why none can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    TimedOut,
    Cancelled,
}

/// What a look at the pool has brought.
#[expect(
    clippy::large_enum_variant,
    reason = "it is taken apart right away, and a box is memory for each call"
)]
enum Found {
    Taken(Taken),
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
    ) -> Result<Taken, Refused> {
        let mut closed = Closed::default();
        let mut state = self.lock();
        self.sweep(&mut state, clock::now(), &mut closed);
        match self.find(&mut state, origin, want, &mut closed) {
            Found::Taken(taken) => Ok(taken),
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
    ) -> Result<Taken, Refused> {
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
            let mut closed = Closed::default();
            if canceller.is_some_and(Canceller::is_cancelled) {
                break Err(Refused::Cancelled);
            }
            if let Found::Taken(taken) = self.find(&mut state, origin, want, &mut closed) {
                break Ok(taken);
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
        closed: &mut Closed,
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
            is_doubtful: false,
            is_awaited: false,
            is_shared: false,
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
        let choice = match want.shares {
            true => of_origin.sharing.choose(want, &self.limits, now),
            false => Choice::Own,
        };
        match choice {
            Choice::Seat(connection, rested) => {
                let lease = SharedLease::new(self.clone(), key, connection, rested);
                return Found::Taken(Taken::Shared(lease));
            }
            Choice::Wait => return Found::Full,
            Choice::Dial | Choice::Own => {}
        }
        let is_awaited = matches!(choice, Choice::Dial);
        if is_awaited {
            // It takes the place of those at rest that this call cannot use.
            let sharing = &mut of_origin.sharing;
            let before = closed.shared.len();
            let is_old = |_: &SharedConnection, since| now.saturating_since(since) > oldest;
            sharing.close(is_old, &mut closed.shared);
            let gone = closed.shared.len() - before;
            of_origin.open -= gone;
            state.open -= gone;
        }
        if !want.fresh && !is_awaited {
            let age = self.limits.connection_age;
            let is_aged = |it: &mut Idle| now.saturating_since(it.born) >= age;
            while let Some(idle) = of_origin.idle.pop_if(is_aged) {
                of_origin.open -= 1;
                state.open -= 1;
                closed.own.push(idle);
            }
            let last = of_origin.idle.last();
            let is_young = last.is_some_and(|it| it.rests(now) <= oldest);
            if let Some(idle) = is_young.then(|| of_origin.idle.pop()).flatten() {
                let rested = Some(idle.since);
                let mut lease = lease(Some(idle.driven), idle.born, rested);
                lease.is_doubtful = idle.is_doubtful;
                return Found::Taken(Taken::Own(lease));
            }
        }
        // One at rest makes room for a new one.
        if of_origin.open >= self.limits.connections_of_origin {
            if of_origin.oldest().is_none() {
                return Found::Full;
            }
            of_origin.close_oldest(closed);
            state.open -= 1;
        } else if state.open >= self.limits.connections && !state.close_oldest(closed) {
            return Found::Full;
        }
        state.open += 1;
        if let Some(of_origin) = state.origins.get_mut(&key) {
            of_origin.open += 1;
            of_origin.sharing.is_dialling |= is_awaited;
        }
        let mut lease = lease(None, now, None);
        lease.is_awaited = is_awaited;
        Found::Taken(Taken::Own(lease))
    }

    /// Closes what has been at rest for too long.
    fn sweep(&self, state: &mut State, now: Instant, closed: &mut Closed) {
        if state.sweep.is_none_or(|at| at > now) {
            return;
        }
        let limit = self.limits.idle_time;
        let is_old = |since: Instant| now.saturating_since(since) >= limit;
        state.close(|idle| is_old(idle.since), |_, since| is_old(since), closed);
        let oldest = state.origins.values().filter_map(Origin::oldest).min();
        state.sweep = oldest.map(|since| since + limit);
    }

    /// Closes all that is at rest and too old or dead, and looks at each, without the lock.
    pub(super) fn close_dead(&self) {
        let mut closed = Closed::default();
        let mut state = self.lock();
        self.sweep(&mut state, clock::now(), &mut closed);
        let Resting {
            mut own,
            mut shared,
        } = state.take_idle();
        drop(state);
        drop(closed);
        let mut closed = Closed::default();
        let dead: Vec<_> = own.extract_if(.., |it| !it.1.driven.probe()).collect();
        shared.retain(|it| !it.probe());
        let mut state = self.lock();
        for (origin, idle) in dead {
            state.leave(&origin);
            closed.own.push(idle);
        }
        for (origin, idle) in own {
            state.put_back(&origin, idle, &self.limits, &mut closed);
        }
        let is_dead = |connection: &SharedConnection| {
            let mut dead = shared.iter();
            dead.any(|it| core::ptr::eq(&raw const **it, connection))
        };
        state.close(|_| false, |it, _| is_dead(it), &mut closed);
        self.closed(state, closed);
    }

    /// Closes all that is at rest.
    pub(super) fn close_idle(&self) {
        let mut closed = Closed::default();
        let mut state = self.lock();
        state.close(|_| true, |_, _| true, &mut closed);
        self.closed(state, closed);
    }

    /// Lets go of what was closed, and lets others use the room.
    fn closed(&self, state: MutexGuard<'_, State>, closed: Closed) {
        drop(state);
        drop(closed);
        self.freed.notify_all();
    }

    /// Connections now, and how many of them are at rest.
    pub(super) fn counts(&self) -> (usize, usize) {
        let state = self.lock();
        let origins = state.origins.values();
        let idle = origins.map(|it| it.idle.len() + it.sharing.at_rest()).sum();
        (state.open, idle)
    }
}
