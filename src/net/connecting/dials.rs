//! Dials that were asked for, and those on their way.

use alloc::vec::Vec;

use crate::net::{Destination, Dial, Key, Limits, Resolver, Speaks, TransportMaker, Waker};
use crate::wire::Instant;

/// A dial that a handler has asked for.
#[derive(Debug)]
pub(in crate::net) struct DialRequest {
    pub(super) key: Key,
    pub(super) destination: Destination,
    pub(super) speaks: Speaks,
    pub(super) transport: Option<TransportMaker>,
}

/// A connection on its way.
#[derive(Debug)]
pub(super) struct Dialling {
    pub(super) key: Key,
    pub(super) dial: Dial,
    pub(super) speaks: Speaks,
    pub(super) transport: Option<TransportMaker>,
}

/// The connections of a loop that are on their way.
#[derive(Debug, Default)]
pub(in crate::net) struct Dials {
    dials: Vec<Dialling>,
    /// Made with the first name.
    resolver: Option<Resolver>,
}

impl Dials {
    pub(in crate::net) const fn is_empty(&self) -> bool {
        self.dials.is_empty()
    }

    /// Whether neither a dial nor a name is under way.
    pub(super) const fn is_idle(&self) -> bool {
        self.dials.is_empty() && self.resolver.is_none()
    }

    pub(super) fn push(&mut self, dialling: Dialling) {
        self.dials.push(dialling);
    }

    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut Dialling> {
        self.dials.iter_mut().find(|it| it.key == key)
    }

    /// Forgets the dial of a connection that has ended.
    pub(in crate::net) fn forget(&mut self, key: Key) {
        self.remove(key);
    }

    pub(super) fn remove(&mut self, key: Key) -> Option<Dialling> {
        let at = self.dials.iter().position(|it| it.key == key)?;
        Some(self.dials.swap_remove(at))
    }

    /// When the first dial has to be looked at.
    pub(in crate::net) fn next(&self) -> Option<Instant> {
        self.dials.iter().map(|it| it.dial.deadline()).min()
    }

    /// The next dial whose attempt has taken too long by `now`.
    pub(super) fn next_late(&mut self, now: Instant) -> Option<Key> {
        let late = self.dials.iter_mut().find(|it| it.dial.deadline() <= now)?;
        late.dial.timed_out();
        Some(late.key)
    }

    /// The next dial whose name is resolved.
    pub(super) fn next_resolved(&mut self) -> Option<Key> {
        loop {
            let resolved = self.resolver.as_mut()?.next()?;
            if let Some(dialling) = self.get_mut(resolved.dial) {
                dialling.dial.resolved(resolved.found);
                return Some(resolved.dial);
            }
        }
    }

    /// Begins to resolve a name; whether there was room for it.
    pub(super) fn resolve(
        &mut self,
        key: Key,
        (host, port): (&str, u16),
        waker: Waker,
        limits: &Limits,
    ) -> bool {
        let resolver = self
            .resolver
            .get_or_insert_with(|| Resolver::new(waker, limits));
        resolver.resolve(key, host, port).is_ok()
    }
}
