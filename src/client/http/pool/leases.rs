//! What calls have of a pool, and how they give it back.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;

use super::state::Idle;
use super::{Lease, Pool, SharedLease};
use crate::client::connecting::{Canceller, Driven, clock};
use crate::client::http::shared::{Seat, SharedConnection};
use crate::wire::Instant;

impl Pool {
    /// Takes back what was leased.
    fn give_back(&self, lease: &mut Lease) {
        let mut state = self.lock();
        let (wakes, limits) = (state.waiting > 0, &self.limits);
        let mut closed = None;
        let mut is_gone = !lease.is_shared;
        if let Some(of_origin) = state.origins.get_mut(&lease.origin) {
            if lease.is_awaited {
                of_origin.sharing.is_dialling = false;
            }
            if let Some(idle) = lease.back.take() {
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
        }
        if is_gone {
            state.leave(&lease.origin);
        }
        drop(state);
        drop(closed);
        if wakes {
            self.freed.notify_all();
        }
    }

    /// The server of an origin speaks HTTP/1.1: nobody need wait for another's dial.
    fn cannot_be_shared(&self, origin: &str) {
        let mut state = self.lock();
        if let Some(of_origin) = state.origins.get_mut(origin) {
            of_origin.sharing.refuse();
        }
        drop(state);
        self.freed.notify_all();
    }

    /// A call on a shared connection is over.
    fn rise(&self, origin: &str, connection: &Arc<SharedConnection>) {
        let mut state = self.lock();
        let (wakes, limits) = (state.waiting > 0, &self.limits);
        let now = clock::now();
        let mut closed = None;
        if let Some(of_origin) = state.origins.get_mut(origin) {
            closed = of_origin.sharing.rise(connection, limits, now);
            state.sweep.get_or_insert(now + limits.idle_time);
        }
        if closed.is_some() {
            state.leave(origin);
        }
        drop(state);
        drop(closed);
        if wakes {
            self.freed.notify_all();
        }
    }
}

impl Lease {
    /// Has the connection that was dialled shared from now on.
    pub(in crate::client::http) fn share(mut self, connection: SharedConnection) -> SharedLease {
        let connection = Arc::new(connection);
        let now = clock::now();
        let mut state = self.pool.lock();
        if let Some(of_origin) = state.origins.get_mut(&self.origin) {
            of_origin.sharing.add(connection.clone(), now);
        }
        drop(state);
        self.is_shared = true;
        let (pool, origin) = (self.pool.clone(), self.origin.clone());
        drop(self); // the others need not wait any more
        pool.freed.notify_all();
        SharedLease::new(pool, origin, connection, None)
    }

    /// The connection, unless it is still to be dialled.
    pub(in crate::client::http) fn driven(&mut self) -> Option<&mut Driven> {
        self.driven.as_deref_mut()
    }

    /// Since when it was at rest; `None` if it is new.
    pub(in crate::client::http) const fn rested(&self) -> Option<Instant> {
        self.rested
    }

    /// Whether it is to be looked at, however short its rest was.
    pub(in crate::client::http) const fn is_doubtful(&self) -> bool {
        self.is_doubtful
    }

    /// Puts in the connection that was dialled, for this call alone.
    pub(in crate::client::http) fn dialled(&mut self, driven: Driven) {
        self.driven = Some(Box::new(driven));
        if core::mem::take(&mut self.is_awaited) {
            self.pool.cannot_be_shared(&self.origin);
        }
    }

    /// Gives the connection back, if it can carry another request; else it is closed.
    /// A `doubtful` one is looked at before.
    pub(in crate::client::http) fn give_back(mut self, doubtful: bool) {
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
            is_doubtful: doubtful,
        });
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // In front of the count, so that there are never more.
        self.driven = None;
        let pool = self.pool.clone();
        pool.give_back(self);
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

impl SharedLease {
    pub(super) const fn new(
        pool: Arc<Pool>,
        origin: Arc<str>,
        connection: Arc<SharedConnection>,
        rested: Option<Instant>,
    ) -> Self {
        Self {
            pool,
            origin,
            connection,
            rested,
            seat: None,
        }
    }

    /// Since when it was at rest; `None` if it was not.
    pub(in crate::client::http) const fn rested(&self) -> Option<Instant> {
        self.rested
    }

    pub(in crate::client::http) const fn connection(&self) -> &Arc<SharedConnection> {
        &self.connection
    }

    /// The seat, whose waits `canceller` ends.
    pub(in crate::client::http) fn seat(&mut self, canceller: Option<&Canceller>) -> &mut Seat {
        let connection = &self.connection;
        self.seat
            .get_or_insert_with(|| Seat::take(connection, canceller))
    }
}

impl Drop for SharedLease {
    fn drop(&mut self) {
        self.seat = None;
        self.pool.rise(&self.origin, &self.connection);
    }
}
