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
//! No thread watches connections at rest: each is looked at before it is used. The one
//! used last is used first, so that those which are not needed grow old and go.

mod leases;
mod sharing;
mod state;
mod waiters;

use alloc::sync::Arc;
use alloc::vec::Vec;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use self::waiters::Waiters;
use super::limits::ClientLimits;
use super::shared::{Seat, SharedConnection};
use crate::client::connecting::{AtWork, Canceller, Rested, clock};
use crate::wire::Instant;

pub(super) use sharing::{Seats, Want};
pub(super) use state::{Closed, Found, Idle, Resting, Return, State};

type Own = Rested;
type Shared = Arc<SharedConnection>;

#[derive(Debug)]
pub(super) struct Pool {
    locked: Mutex<Locked>,
    limits: ClientLimits,
}

/// The state under the lock.
#[derive(Debug, Default)]
struct Locked {
    state: State<Own, Shared>,
    waiters: Waiters,
}

/// A connection that one call has for itself, or the right to dial one.
pub(super) struct Lease {
    pool: Arc<Pool>,
    origin: Arc<str>,
    /// At rest, until it is used.
    rested: Option<Own>,
    at_work: Option<AtWork>,
    born: Instant,
    /// The connection that goes back to rest.
    back: Option<Idle<Own>>,
    /// Others wait for what comes of the dial, as it may be one to share.
    is_awaited: bool,
    is_shared: bool,
}

/// A call's place on a shared connection, until it is dropped.
#[derive(Debug)]
pub(super) struct SharedLease {
    pool: Arc<Pool>,
    origin: Arc<str>,
    connection: Shared,
    rested: Option<Instant>,
    seat: Option<Seat>,
}

pub(super) enum Taken {
    Own(Lease),
    Shared(SharedLease),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    TimedOut,
    Cancelled,
}

impl Pool {
    pub(super) fn new(limits: ClientLimits) -> Self {
        Self {
            locked: Mutex::default(),
            limits,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Locked> {
        self.locked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a connection to `origin` or the right to dial; waits for one. Sets the time to
    /// that of the return.
    pub(super) fn take(
        self: &Arc<Self>,
        origin: &str,
        want: Want,
        until: Instant,
        canceller: Option<&Canceller>,
        now: &mut Instant,
    ) -> Result<Taken, Refused> {
        let mut closed = Closed::default();
        let mut locked = self.lock();
        locked.state.sweep(&self.limits, *now, &mut closed);
        // Who waits is in front of who comes.
        if !locked.waiters.wait_for(origin)
            && let Some(taken) = self.find(&mut locked.state, origin, want, *now, &mut closed)
        {
            return Ok(taken);
        }
        drop(locked);
        drop(closed);
        let found = self.wait(origin, want, until, canceller);
        *now = clock::now();
        found
    }

    #[cold]
    fn wait(
        self: &Arc<Self>,
        origin: &str,
        want: Want,
        until: Instant,
        canceller: Option<&Canceller>,
    ) -> Result<Taken, Refused> {
        let bell = Arc::new(Condvar::new());
        let (pool, rings) = (self.clone(), bell.clone());
        let _watch = canceller.map(|it| {
            it.on_cancel(move || {
                // With the lock, so that it is not missed by one that is about to wait.
                drop(pool.lock());
                rings.notify_one();
            })
        });
        let mut locked = self.lock();
        locked.waiters.join(origin.into(), bell.clone());
        let found = loop {
            let (mut closed, now) = (Closed::default(), clock::now());
            if canceller.is_some_and(Canceller::is_cancelled) {
                break Err(Refused::Cancelled);
            }
            if locked.waiters.has_turn(&bell) {
                if let Some(taken) = self.find(&mut locked.state, origin, want, now, &mut closed) {
                    break Ok(taken);
                }
                locked.looked_in_vain(&bell, origin, &self.limits);
            }
            let left = until.saturating_since(now);
            if left.is_zero() {
                break Err(Refused::TimedOut);
            }
            let waited = bell.wait_timeout(locked, left);
            locked = waited.unwrap_or_else(PoisonError::into_inner).0;
        };
        let was_woken = locked.waiters.leave(&bell);
        let leaves_some = match &found {
            // There may be more room on it: its server may allow more than it did.
            Ok(Taken::Shared(_)) => true,
            Ok(Taken::Own(_)) => false,
            Err(_) => was_woken,
        };
        if leaves_some {
            locked.wake_one(origin, &self.limits);
        }
        found
    }

    /// Looks for a connection. What is to be closed goes into `closed`, dropped without the
    /// lock.
    fn find(
        self: &Arc<Self>,
        state: &mut State<Own, Shared>,
        origin: &str,
        want: Want,
        now: Instant,
        closed: &mut Closed<Own, Shared>,
    ) -> Option<Taken> {
        let key = state.key(origin);
        let (rested, born, is_awaited) = match state.find(&key, want, &self.limits, now, closed) {
            Found::Seat(connection, rested) => {
                let lease = SharedLease::new(self.clone(), key, connection, rested);
                return Some(Taken::Shared(lease));
            }
            Found::Idle(idle) => (Some(idle.connection), idle.born, false),
            Found::Dial { is_awaited } => (None, now, is_awaited),
            Found::Full => return None,
        };
        Some(Taken::Own(Lease {
            pool: self.clone(),
            origin: key,
            rested,
            at_work: None,
            born,
            back: None,
            is_awaited,
            is_shared: false,
        }))
    }

    /// Closes resting connections that are too old or dead, without the lock.
    pub(super) fn close_dead(&self) {
        let mut closed = Closed::default();
        let mut locked = self.lock();
        locked.state.sweep(&self.limits, clock::now(), &mut closed);
        let Resting {
            mut own,
            mut shared,
        } = locked.state.take_idle();
        drop(locked);
        drop(closed);
        let mut closed = Closed::default();
        let now = clock::now();
        let is_dead = |it: &mut (_, Idle<Own>)| !it.1.connection.is_alive(now);
        let dead: Vec<_> = own.extract_if(.., is_dead).collect();
        shared.retain(|it| !it.probe());
        let mut locked = self.lock();
        for (origin, idle) in dead {
            locked.state.leave(&origin);
            closed.own.push(idle);
        }
        for (origin, idle) in own {
            let state = &mut locked.state;
            state.put_back(&origin, idle, &self.limits, &mut closed);
        }
        let is_dead = |connection: &Shared| shared.iter().any(|it| it.is(connection));
        locked
            .state
            .close(|_| false, |it, _| is_dead(it), &mut closed);
        self.closed(locked, closed);
    }

    pub(super) fn close_idle(&self) {
        let mut closed = Closed::default();
        let mut locked = self.lock();
        locked.state.close(|_| true, |_, _| true, &mut closed);
        self.closed(locked, closed);
    }

    /// Lets go of what was closed, and lets others use the room.
    fn closed(&self, mut locked: MutexGuard<'_, Locked>, closed: Closed<Own, Shared>) {
        locked.waiters.wake_all(None);
        drop(locked);
        drop(closed);
    }

    pub(super) fn counts(&self) -> (usize, usize) {
        self.lock().state.counts()
    }
}

impl Locked {
    /// Something became free at `origin`, or made room: wakes one waiter.
    fn wake_one(&mut self, origin: &str, limits: &ClientLimits) {
        let state = &self.state;
        self.waiters
            .wake_one(|of| of == origin || state.has_room(of, limits));
    }

    /// One that waits for `origin` has looked, and found nothing.
    fn looked_in_vain(&mut self, bell: &Arc<Condvar>, origin: &str, limits: &ClientLimits) {
        let state = &self.state;
        let suits = |of: &str| of == origin || state.has_room(of, limits);
        self.waiters.looked_in_vain(bell, suits);
    }
}
