//! Dials that were asked for, and those on their way.

use alloc::vec::Vec;

use super::dial::{DialPlan, DialTimes, NameService};
use crate::net::{Dial, Key, Limits, Resolver, Speaks, TransportMaker, Waker};
use crate::wire::Instant;

#[derive(Debug)]
pub(crate) struct DialRequest {
    pub(crate) key: Key,
    /// `None`: it is given up.
    pub(crate) plan: Option<DialPlan>,
}

#[derive(Debug)]
pub(super) struct Dialling<S> {
    pub(super) key: Key,
    pub(super) dial: Dial,
    /// Attempts under way, in the order of their beginning.
    pub(super) running: Vec<Attempt<S>>,
    /// Something has happened to one of them.
    pub(super) is_touched: bool,
    pub(super) speaks: Speaks,
    pub(super) transport: Option<TransportMaker>,
    pub(super) times: DialTimes,
}

#[derive(Debug)]
pub(super) struct Attempt<S> {
    pub(super) nth: usize,
    pub(super) stream: S,
    pub(super) until: Instant,
}

impl<S> Dialling<S> {
    fn deadline(&self) -> Instant {
        let attempts = self.running.iter().map(|it| it.until);
        let due = attempts.chain(self.dial.due()).min();
        due.map_or(self.dial.end(), |due| due.min(self.dial.end()))
    }
}

/// The connections of a loop that are on their way.
#[derive(Debug)]
pub(crate) struct Dials<S> {
    dials: Vec<Dialling<S>>,
    resolver: Option<Resolver>,
}

impl<S> Default for Dials<S> {
    fn default() -> Self {
        Self {
            dials: Vec::new(),
            resolver: None,
        }
    }
}

impl<S> Dials<S> {
    pub(crate) const fn is_empty(&self) -> bool {
        self.dials.is_empty()
    }

    pub(super) const fn is_idle(&self) -> bool {
        self.dials.is_empty() && self.resolver.is_none()
    }

    pub(super) fn push(&mut self, dialling: Dialling<S>) {
        self.dials.push(dialling);
    }

    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut Dialling<S>> {
        self.dials.iter_mut().find(|it| it.key == key)
    }

    pub(super) fn remove(&mut self, key: Key) -> Option<Dialling<S>> {
        let at = self.dials.iter().position(|it| it.key == key)?;
        Some(self.dials.swap_remove(at))
    }

    /// When the first dial has to be looked at.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.dials.iter().map(Dialling::deadline).min()
    }

    pub(super) fn next_touched(&mut self) -> Option<Key> {
        let touched = self.dials.iter_mut().find(|it| it.is_touched)?;
        touched.is_touched = false;
        Some(touched.key)
    }

    /// The next dial that has something to do by `now`.
    pub(super) fn next_due(&self, now: Instant) -> Option<Key> {
        let due = self.dials.iter().find(|it| it.deadline() <= now)?;
        Some(due.key)
    }

    pub(super) fn next_resolved(&mut self, now: Instant) -> Option<Key> {
        loop {
            let resolved = self.resolver.as_mut()?.next()?;
            if let Some(dialling) = self.get_mut(resolved.dial) {
                dialling.dial.resolved(resolved.found, &dialling.times, now);
                return Some(resolved.dial);
            }
        }
    }

    /// Begins to resolve a name; whether there was room for it.
    pub(super) fn resolve(
        &mut self,
        key: Key,
        (host, port): (&str, u16),
        names: Option<&dyn NameService>,
        waker: Waker,
        limits: &Limits,
    ) -> bool {
        let resolver = self
            .resolver
            .get_or_insert_with(|| Resolver::new(waker, limits));
        match names {
            Some(names) => resolver.resolve_by(names, key, host, port).is_ok(),
            None => resolver.resolve(key, host, port).is_ok(),
        }
    }
}
