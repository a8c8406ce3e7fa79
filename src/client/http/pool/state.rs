//! The rules of a pool, and its record of connections: without I/O, and for any type of
//! connection.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use super::sharing::{Choice, Seats, Sharing, Want};
use crate::client::http::limits::ClientLimits;
use crate::wire::Instant;

/// The connections by origin. `O` carries one call at a time, `S` is shared.
#[derive(Debug)]
pub(crate) struct State<O, S> {
    pub(crate) origins: BTreeMap<Arc<str>, Origin<O, S>>,
    /// All connections, those at rest included.
    pub(crate) open: usize,
    /// When the next one at rest is too old.
    pub(crate) sweep: Option<Instant>,
}

#[derive(Debug)]
pub(crate) struct Origin<O, S> {
    pub(super) open: usize,
    /// Those at rest, the one used last at the end.
    pub(super) idle: Vec<Idle<O>>,
    pub(crate) sharing: Sharing<S>,
}

#[derive(Debug)]
pub(crate) struct Idle<O> {
    pub(crate) connection: O,
    pub(crate) born: Instant,
    pub(crate) since: Instant,
}

#[derive(Debug)]
pub(crate) struct Closed<O, S> {
    pub(crate) own: Vec<Idle<O>>,
    pub(crate) shared: Vec<S>,
}

/// Connections that are looked at, out of the pool.
pub(crate) struct Resting<O, S> {
    pub(crate) own: Vec<(Arc<str>, Idle<O>)>,
    pub(crate) shared: Vec<S>,
}

#[derive(Debug)]
pub(crate) enum Found<O, S> {
    /// A place on this one, which was at rest since then.
    Seat(S, Option<Instant>),
    Idle(Idle<O>),
    /// The right to dial one. `is_awaited` if others wait for what comes of it, as it may be
    /// one to share.
    Dial {
        is_awaited: bool,
    },
    /// None, until a call ends or a dial is over.
    Full,
}

/// How a connection comes back that a call had for itself.
#[derive(Debug)]
pub(crate) struct Return<O> {
    /// It goes to rest; else there is one less.
    pub(crate) back: Option<Idle<O>>,
    pub(crate) is_awaited: bool,
    pub(crate) is_shared: bool,
}

impl<O, S> Default for State<O, S> {
    fn default() -> Self {
        Self {
            origins: BTreeMap::new(),
            open: 0,
            sweep: None,
        }
    }
}

impl<O, S> Default for Origin<O, S> {
    fn default() -> Self {
        Self {
            open: 0,
            idle: Vec::new(),
            sharing: Sharing::default(),
        }
    }
}

impl<O, S> Default for Closed<O, S> {
    fn default() -> Self {
        Self {
            own: Vec::new(),
            shared: Vec::new(),
        }
    }
}

impl<O, S: Seats> State<O, S> {
    /// The name of an origin, which all of its connections share.
    pub(crate) fn key(&mut self, origin: &str) -> Arc<str> {
        match self.origins.get_key_value(origin) {
            Some((key, _)) => key.clone(),
            None => {
                let key: Arc<str> = origin.into();
                self.origins.insert(key.clone(), Origin::default());
                key
            }
        }
    }

    /// Looks for a connection to an origin. What must go is put into `closed`.
    pub(crate) fn find(
        &mut self,
        key: &str,
        want: Want,
        limits: &ClientLimits,
        now: Instant,
        closed: &mut Closed<O, S>,
    ) -> Found<O, S> {
        let oldest = want.oldest(limits);
        if !self.origins.contains_key(key) {
            self.key(key);
        }
        let Some(of_origin) = self.origins.get_mut(key) else {
            return Found::Full; // it was put there
        };
        let choice = match want.shares {
            true => of_origin.sharing.choose(want, limits, now),
            false => Choice::Own,
        };
        match choice {
            Choice::Seat(connection, rested) => return Found::Seat(connection, rested),
            Choice::Wait => return Found::Full,
            Choice::Dial | Choice::Own => {}
        }
        let is_awaited = matches!(choice, Choice::Dial);
        if is_awaited {
            // It takes the place of those at rest that this call cannot use.
            let sharing = &mut of_origin.sharing;
            let before = closed.shared.len();
            let is_old = |_: &S, since| now.saturating_since(since) > oldest;
            sharing.close(is_old, &mut closed.shared);
            let gone = closed.shared.len() - before;
            of_origin.open -= gone;
            self.open -= gone;
        }
        if !want.fresh && !is_awaited {
            let age = limits.connection_age;
            let is_aged = |it: &mut Idle<O>| now.saturating_since(it.born) >= age;
            while let Some(idle) = of_origin.idle.pop_if(is_aged) {
                of_origin.open -= 1;
                self.open -= 1;
                closed.own.push(idle);
            }
            let last = of_origin.idle.last();
            let is_young = last.is_some_and(|it| it.rests(now) <= oldest);
            if let Some(idle) = is_young.then(|| of_origin.idle.pop()).flatten() {
                return Found::Idle(idle);
            }
        }
        // One at rest makes room for a new one.
        if of_origin.open >= limits.connections_per_origin {
            if of_origin.oldest().is_none() {
                return Found::Full;
            }
            of_origin.close_oldest(closed);
            self.open -= 1;
        } else if self.open >= limits.connections && !self.close_oldest(closed) {
            return Found::Full;
        }
        self.open += 1;
        if let Some(of_origin) = self.origins.get_mut(key) {
            of_origin.open += 1;
            of_origin.sharing.is_dialling |= is_awaited;
        }
        Found::Dial { is_awaited }
    }

    /// Takes back what a call had for itself. What there is no room for is returned.
    pub(crate) fn give_back(
        &mut self,
        key: &str,
        returned: Return<O>,
        limits: &ClientLimits,
    ) -> Option<Idle<O>> {
        let mut closed = None;
        let mut is_gone = !returned.is_shared;
        if let Some(of_origin) = self.origins.get_mut(key) {
            if returned.is_awaited {
                of_origin.sharing.is_dialling = false;
            }
            match returned.back {
                Some(idle) if limits.idle == 0 => closed = Some(idle),
                Some(idle) => {
                    // The one that is likelier to be alive stays.
                    is_gone = of_origin.idle.len() >= limits.idle;
                    closed = is_gone.then(|| of_origin.idle.remove(0));
                    let sweep = idle.since + limits.idle_time;
                    of_origin.idle.push(idle);
                    self.sweep.get_or_insert(sweep);
                }
                None => {}
            }
        }
        if is_gone {
            self.leave(key);
        }
        closed
    }

    /// A call on a shared connection is over. The connection, if it is to be closed.
    pub(crate) fn rise(
        &mut self,
        key: &str,
        connection: &S,
        limits: &ClientLimits,
        now: Instant,
    ) -> Option<S> {
        let of_origin = self.origins.get_mut(key)?;
        let closed = of_origin.sharing.rise(connection, limits, now);
        self.sweep.get_or_insert(now + limits.idle_time);
        if closed.is_some() {
            self.leave(key);
        }
        closed
    }

    /// Takes out what has been at rest for too long.
    pub(crate) fn sweep(&mut self, limits: &ClientLimits, now: Instant, closed: &mut Closed<O, S>) {
        if self.sweep.is_none_or(|at| at > now) {
            return;
        }
        let limit = limits.idle_time;
        let is_old = |since: Instant| now.saturating_since(since) >= limit;
        self.close(|idle| is_old(idle.since), |_, since| is_old(since), closed);
        let oldest = self.origins.values().filter_map(Origin::oldest).min();
        self.sweep = oldest.map(|since| since + limit);
    }

    /// Takes out the connections at rest that are to be closed.
    pub(crate) fn close(
        &mut self,
        mut own: impl FnMut(&mut Idle<O>) -> bool,
        mut shared: impl FnMut(&S, Instant) -> bool,
        closed: &mut Closed<O, S>,
    ) {
        for origin in self.origins.values_mut() {
            let before = closed.own.len() + closed.shared.len();
            closed.own.extend(origin.idle.extract_if(.., &mut own));
            origin.sharing.close(&mut shared, &mut closed.shared);
            let gone = closed.own.len() + closed.shared.len() - before;
            origin.open -= gone;
            self.open -= gone;
        }
        self.forget_unused();
    }

    /// Takes out single-call connections at rest, to be looked at; names shared ones.
    pub(super) fn take_idle(&mut self) -> Resting<O, S> {
        let mut resting = Resting {
            own: Vec::new(),
            shared: Vec::new(),
        };
        for (key, origin) in &mut self.origins {
            let own = origin.idle.drain(..);
            resting.own.extend(own.map(|it| (key.clone(), it)));
            resting.shared.extend(origin.sharing.all_at_rest().cloned());
        }
        resting
    }

    /// Puts back a connection that was taken out; the oldest is closed if there is no room.
    pub(super) fn put_back(
        &mut self,
        key: &str,
        idle: Idle<O>,
        limits: &ClientLimits,
        closed: &mut Closed<O, S>,
    ) {
        let Some(origin) = self.origins.get_mut(key) else {
            return; // it counts, so its origin is there
        };
        let sweep = idle.since + limits.idle_time;
        self.sweep = Some(self.sweep.map_or(sweep, |it| it.min(sweep)));
        let at = origin.idle.partition_point(|it| it.since <= idle.since);
        origin.idle.insert(at, idle);
        if origin.idle.len() > limits.idle {
            closed.own.push(origin.idle.remove(0));
            self.leave(key);
        }
    }

    /// Takes out the connection that has been at rest for longest; whether there was one.
    fn close_oldest(&mut self, closed: &mut Closed<O, S>) -> bool {
        let origins = self.origins.values_mut();
        let oldest = origins
            .filter(|it| it.oldest().is_some())
            .min_by_key(|it| it.oldest());
        oldest.is_some_and(|origin| {
            origin.close_oldest(closed);
            self.open -= 1;
            true
        })
    }

    pub(super) fn leave(&mut self, origin: &str) {
        self.open -= 1;
        if let Some(of_origin) = self.origins.get_mut(origin) {
            of_origin.open -= 1;
            if of_origin.open == 0 {
                self.origins.remove(origin);
            }
        }
    }

    /// Whether an origin has not as many connections as it may have.
    pub(super) fn has_room(&self, origin: &str, limits: &ClientLimits) -> bool {
        let of_origin = self.origins.get(origin);
        of_origin.is_none_or(|it| it.open < limits.connections_per_origin)
    }

    /// A connection at rest has ended by itself.
    pub(crate) fn lose_idle(&mut self, origin: &str, is_it: impl Fn(&O) -> bool) {
        let idle = self.origins.get_mut(origin).map(|it| &mut it.idle);
        let lost = idle.and_then(|idle| {
            let at = idle.iter().position(|it| is_it(&it.connection))?;
            Some(idle.remove(at))
        });
        if lost.is_some() {
            self.leave(origin);
        }
    }

    pub(crate) fn lose_shared(&mut self, origin: &str, connection: &S) {
        let mut lost = Vec::new();
        if let Some(of_origin) = self.origins.get_mut(origin) {
            of_origin
                .sharing
                .close(|it, _| it.is(connection), &mut lost);
        }
        if !lost.is_empty() {
            self.leave(origin);
        }
    }

    fn forget_unused(&mut self) {
        self.origins.retain(|_, origin| origin.open > 0);
    }

    pub(crate) fn counts(&self) -> (usize, usize) {
        let origins = self.origins.values();
        let idle = origins.map(|it| it.idle.len() + it.sharing.at_rest()).sum();
        (self.open, idle)
    }
}

impl<O, S: Seats> Origin<O, S> {
    /// Since when the connection is at rest that has been so for longest.
    fn oldest(&self) -> Option<Instant> {
        let own = self.idle.first().map(|it| it.since);
        [own, self.sharing.oldest()].into_iter().flatten().min()
    }

    fn close_oldest(&mut self, closed: &mut Closed<O, S>) {
        let Some(since) = self.oldest() else {
            return;
        };
        self.open -= 1;
        match self.idle.first() {
            Some(first) if first.since == since => closed.own.push(self.idle.remove(0)),
            _ => closed.shared.extend(self.sharing.take_oldest()),
        }
    }
}

impl<O> Idle<O> {
    fn rests(&self, now: Instant) -> Duration {
        now.saturating_since(self.since)
    }
}
