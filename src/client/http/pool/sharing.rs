//! Connections that calls share.
//!
//! ```text
//!            take: a seat                    the lease is dropped
//!   Entry ───────────────────► SharedLease ───────────────────────► Entry
//!     ▲                                                                │ of no use, and
//!     └── share ── Lease: the one that dials, while others wait        └─► nobody there:
//!                                                                          closed
//! ```

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use crate::client::http::limits::ClientLimits;
use crate::client::http::shared::SharedConnection;
use crate::wire::Instant;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Want {
    pub(crate) fresh: bool,
    /// It has to have been at rest for no longer than [`ClientLimits::unrepeatable_idle_time`].
    pub(crate) young: bool,
    /// It may be one that threads share.
    pub(crate) shares: bool,
    /// A shared one that was opened since then is fresh.
    pub(crate) since: Instant,
}

impl Want {
    /// For how long it may have been at rest at most.
    pub(super) fn oldest(self, limits: &ClientLimits) -> Duration {
        match self.young {
            true => limits.unrepeatable_idle_time.min(limits.idle_time),
            false => limits.idle_time,
        }
    }
}

pub(crate) trait Seats: Clone {
    /// Whether it takes further calls, perhaps later.
    fn is_usable(&self) -> bool;

    /// For how many calls at one time the server allows.
    fn capacity(&self) -> usize;

    fn is(&self, other: &Self) -> bool;
}

impl Seats for Arc<SharedConnection> {
    fn is_usable(&self) -> bool {
        SharedConnection::is_usable(self)
    }

    fn capacity(&self) -> usize {
        SharedConnection::capacity(self)
    }

    fn is(&self, other: &Self) -> bool {
        Self::ptr_eq(self, other)
    }
}

/// The connections to one origin that calls share.
#[derive(Debug)]
pub(crate) struct Sharing<S> {
    entries: Vec<Entry<S>>,
    /// One call dials, and others wait for what comes of it.
    pub(super) is_dialling: bool,
    /// The server speaks HTTP/1.1.
    is_refused: bool,
}

#[derive(Debug)]
struct Entry<S> {
    connection: S,
    seats: usize,
    born: Instant,
    /// Since when there is no call on it, if there is none.
    since: Instant,
}

/// The next thing for a call to do.
#[derive(Debug)]
pub(super) enum Choice<S> {
    /// Use this one; it was at rest since then.
    Seat(S, Option<Instant>),
    /// Wait for a call to end, or a dial.
    Wait,
    /// Dial one, while others wait.
    Dial,
    Own,
}

impl<S> Default for Sharing<S> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            is_dialling: false,
            is_refused: false,
        }
    }
}

impl<S: Seats> Sharing<S> {
    pub(super) fn choose(&mut self, want: Want, limits: &ClientLimits, now: Instant) -> Choice<S> {
        if self.is_refused {
            return Choice::Own;
        }
        let oldest = want.oldest(limits);
        let most = usize::try_from(limits.http2_streams).unwrap_or(usize::MAX);
        let mut usable = 0;
        for entry in &mut self.entries {
            let age = now.saturating_since(entry.born);
            let rests = (entry.seats == 0).then_some(entry.since);
            let is_old = rests.is_some_and(|it| now.saturating_since(it) > oldest);
            let is_fresh = !want.fresh || entry.born >= want.since;
            if !entry.connection.is_usable() || age >= limits.connection_age || is_old || !is_fresh
            {
                continue;
            }
            usable += 1;
            // One may always come, to see for itself what the server allows.
            if entry.seats < entry.connection.capacity().min(most).max(1) {
                entry.seats += 1;
                return Choice::Seat(entry.connection.clone(), rests);
            }
        }
        match self.is_dialling || usable >= limits.http2_connections.max(1) {
            true => Choice::Wait,
            false => Choice::Dial,
        }
    }

    pub(crate) fn add(&mut self, connection: S, now: Instant) {
        self.is_refused = false;
        self.entries.push(Entry {
            connection,
            seats: 1,
            born: now,
            since: now,
        });
    }

    pub(crate) const fn refuse(&mut self) {
        (self.is_dialling, self.is_refused) = (false, true);
    }

    /// A call on a connection is over. The connection, if it is to be closed.
    pub(super) fn rise(
        &mut self,
        connection: &S,
        limits: &ClientLimits,
        now: Instant,
    ) -> Option<S> {
        let is_it = |it: &Entry<S>| it.connection.is(connection);
        let at = self.entries.iter().position(is_it)?;
        let entry = self.entries.get_mut(at)?;
        entry.seats -= 1;
        entry.since = now;
        let is_old = now.saturating_since(entry.born) >= limits.connection_age;
        let is_kept = entry.connection.is_usable() && !is_old && limits.idle > 0;
        let is_last = entry.seats == 0;
        (is_last && !is_kept).then(|| self.entries.swap_remove(at).connection)
    }

    /// Takes out those at rest that are to be closed.
    pub(super) fn close(
        &mut self,
        mut which: impl FnMut(&S, Instant) -> bool,
        closed: &mut Vec<S>,
    ) {
        let gone = self
            .entries
            .extract_if(.., |it| it.seats == 0 && which(&it.connection, it.since));
        closed.extend(gone.map(|it| it.connection));
    }

    pub(super) fn all_at_rest(&self) -> impl Iterator<Item = &S> {
        let at_rest = self.entries.iter().filter(|it| it.seats == 0);
        at_rest.map(|it| &it.connection)
    }

    pub(super) fn at_rest(&self) -> usize {
        self.all_at_rest().count()
    }

    /// Since when the one is at rest that has been so for longest.
    pub(super) fn oldest(&self) -> Option<Instant> {
        let at_rest = self.entries.iter().filter(|it| it.seats == 0);
        at_rest.map(|it| it.since).min()
    }

    pub(super) fn take_oldest(&mut self) -> Option<S> {
        let since = self.oldest()?;
        let is_oldest = |it: &Entry<S>| it.seats == 0 && it.since == since;
        let at = self.entries.iter().position(is_oldest)?;
        Some(self.entries.swap_remove(at).connection)
    }
}
