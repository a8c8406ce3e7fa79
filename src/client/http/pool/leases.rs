//! Leases: the connections of a pool in the hands of calls.

use alloc::sync::Arc;

use super::{Idle, Lease, Pool, Return, SharedLease};
use crate::client::connecting::{AtWork, Canceller, Driven, clock};
use crate::client::http::shared::{Seat, SharedConnection};
use crate::wire::Instant;
use crate::wire::partly_shown;

impl Pool {
    fn give_back(&self, lease: &mut Lease) {
        let mut locked = self.lock();
        let returned = Return {
            back: lease.back.take(),
            is_awaited: lease.is_awaited,
            is_shared: lease.is_shared,
        };
        let state = &mut locked.state;
        let closed = state.give_back(&lease.origin, returned, &self.limits);
        locked.wake_one(&lease.origin, &self.limits);
        drop(locked);
        drop(closed);
    }

    fn cannot_be_shared(&self, origin: &str) {
        let mut locked = self.lock();
        if let Some(of_origin) = locked.state.origins.get_mut(origin) {
            of_origin.sharing.refuse();
        }
        locked.waiters.wake_all(Some(origin));
    }

    fn rise(&self, origin: &str, connection: &Arc<SharedConnection>) {
        let mut locked = self.lock();
        let state = &mut locked.state;
        let closed = state.rise(origin, connection, &self.limits, clock::now());
        locked.wake_one(origin, &self.limits);
        drop(locked);
        drop(closed);
    }
}

impl Lease {
    pub(crate) fn share(mut self, connection: SharedConnection) -> SharedLease {
        let connection = Arc::new(connection);
        let now = clock::now();
        let mut locked = self.pool.lock();
        if let Some(of_origin) = locked.state.origins.get_mut(&self.origin) {
            of_origin.sharing.add(connection.clone(), now);
        }
        drop(locked);
        self.is_shared = true;
        let (pool, origin) = (self.pool.clone(), self.origin.clone());
        drop(self); // the others need not wait any more
        pool.lock().waiters.wake_all(Some(&origin));
        SharedLease::new(pool, origin, connection, None)
    }

    /// The connection, unless it is still to be dialled.
    pub(crate) fn driven(&mut self) -> Option<&mut Driven> {
        self.at_work.as_mut()?.driven()
    }

    /// Has the connection that was at rest work again, unless there is none; whether it is
    /// still of use.
    pub(crate) fn wake(&mut self, now: Instant) -> Option<bool> {
        let mut rested = self.rested.take()?;
        let is_alive = rested.is_alive(now);
        self.at_work = is_alive.then(|| rested.wake(now));
        Some(is_alive)
    }

    /// Puts in the connection that was dialled, for this call alone.
    pub(crate) fn dialled(&mut self, driven: Driven) {
        self.at_work = Some(AtWork::new(driven));
        if core::mem::take(&mut self.is_awaited) {
            self.pool.cannot_be_shared(&self.origin);
        }
    }

    /// Gives the connection back, if it can carry another request; else it is closed.
    pub(crate) fn give_back(mut self, now: Instant) {
        let Some(mut at_work) = self.at_work.take() else {
            return;
        };
        let Some(driven) = at_work.driven() else {
            return;
        };
        let is_cancelled = driven.unwatch();
        let is_old = now.saturating_since(self.born) >= self.pool.limits.connection_age;
        if is_cancelled || is_old || !driven.connection().is_at_rest() {
            return;
        }
        self.back = Some(Idle {
            connection: at_work.put_to_rest(),
            born: self.born,
            since: now,
        });
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // In front of the count, so that there are never more.
        (self.rested, self.at_work) = (None, None);
        let pool = self.pool.clone();
        pool.give_back(self);
    }
}

partly_shown!(it: Lease { origin, at_work });

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
    pub(crate) const fn rested(&self) -> Option<Instant> {
        self.rested
    }

    pub(crate) const fn connection(&self) -> &Arc<SharedConnection> {
        &self.connection
    }

    /// The seat, whose waits `canceller` ends.
    pub(crate) fn seat(&mut self, canceller: Option<&Canceller>) -> &mut Seat {
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
