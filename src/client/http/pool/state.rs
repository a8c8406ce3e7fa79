//! What a pool knows of its connections.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;
use std::collections::HashMap;

use super::sharing::Sharing;
use crate::client::connecting::Driven;
use crate::client::http::limits::ClientLimits;
use crate::client::http::shared::SharedConnection;
use crate::wire::Instant;

/// The connections by origin, and how many there are.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) origins: HashMap<Arc<str>, Origin>,
    /// All connections, those at rest included.
    pub(super) open: usize,
    /// Threads that wait for one.
    pub(super) waiting: usize,
    /// When the next one at rest is too old.
    pub(super) sweep: Option<Instant>,
}

/// The connections to one origin.
#[derive(Debug, Default)]
pub(super) struct Origin {
    pub(super) open: usize,
    /// Those at rest, the one used last at the end.
    pub(super) idle: Vec<Idle>,
    pub(super) sharing: Sharing,
}

/// A connection at rest.
#[derive(Debug)]
pub(super) struct Idle {
    pub(super) driven: Box<Driven>,
    pub(super) born: Instant,
    pub(super) since: Instant,
    /// Content may follow a response that has none.
    pub(super) is_doubtful: bool,
}

/// What is closed, without the lock.
#[derive(Default)]
pub(super) struct Closed {
    pub(super) own: Vec<Idle>,
    pub(super) shared: Vec<Arc<SharedConnection>>,
}

/// What is looked at, without the lock.
#[derive(Default)]
pub(super) struct Resting {
    /// With their origins.
    pub(super) own: Vec<(Arc<str>, Idle)>,
    pub(super) shared: Vec<Arc<SharedConnection>>,
}

impl State {
    /// Takes out the connections at rest that are to be closed.
    pub(super) fn close(
        &mut self,
        mut own: impl FnMut(&mut Idle) -> bool,
        mut shared: impl FnMut(&SharedConnection, Instant) -> bool,
        closed: &mut Closed,
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

    /// Takes out the connections of single calls that are at rest, to be looked at and put
    /// back; shared ones stay, and are named.
    pub(super) fn take_idle(&mut self) -> Resting {
        let mut resting = Resting::default();
        for (key, origin) in &mut self.origins {
            let own = origin.idle.drain(..);
            resting.own.extend(own.map(|it| (key.clone(), it)));
            resting.shared.extend(origin.sharing.all_at_rest().cloned());
        }
        resting
    }

    /// Puts a connection back that was taken out. Where there is no room for it any more,
    /// the oldest one is closed.
    pub(super) fn put_back(
        &mut self,
        key: &str,
        idle: Idle,
        limits: &ClientLimits,
        closed: &mut Closed,
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
    pub(super) fn close_oldest(&mut self, closed: &mut Closed) -> bool {
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

    /// One connection less.
    pub(super) fn leave(&mut self, origin: &str) {
        self.open -= 1;
        if let Some(of_origin) = self.origins.get_mut(origin) {
            of_origin.open -= 1;
            if of_origin.open == 0 {
                self.origins.remove(origin);
            }
        }
    }

    pub(super) fn forget_unused(&mut self) {
        self.origins.retain(|_, origin| origin.open > 0);
    }
}

impl Origin {
    /// Since when the connection is at rest that has been so for longest.
    pub(super) fn oldest(&self) -> Option<Instant> {
        let own = self.idle.first().map(|it| it.since);
        [own, self.sharing.oldest()].into_iter().flatten().min()
    }

    /// Takes out that connection.
    pub(super) fn close_oldest(&mut self, closed: &mut Closed) {
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

impl Idle {
    pub(super) fn rests(&self, now: Instant) -> Duration {
        now.saturating_since(self.since)
    }
}
