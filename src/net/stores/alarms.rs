//! One alarm for each owner that wants one.

use alloc::vec::Vec;

use crate::net::Owner;
use crate::wire::Instant;

/// When owners want to be called, once each. Unlike a timer, an alarm needs no share of
/// anything, so that it is never refused, and belongs to no exchange.
#[derive(Debug, Default)]
pub(in crate::net) struct Alarms(Vec<(Owner, Instant)>);

impl Alarms {
    /// Whether nobody wants to be called.
    #[inline]
    pub(in crate::net) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many want to.
    pub(in crate::net) const fn len(&self) -> usize {
        self.0.len()
    }

    /// Has an owner called at a time, and no more at the one that it has set before.
    pub(in crate::net) fn set(&mut self, owner: Owner, at: Instant) {
        match self.0.iter_mut().find(|(it, _)| *it == owner) {
            Some((_, before)) => *before = at,
            None => self.0.push((owner, at)),
        }
    }

    /// When the first is due.
    pub(in crate::net) fn next(&self) -> Option<Instant> {
        self.0.iter().map(|&(_, at)| at).min()
    }

    /// Takes out one that is due.
    pub(in crate::net) fn take_due(&mut self, now: Instant) -> Option<Owner> {
        let at = self.0.iter().position(|&(_, at)| at <= now)?;
        Some(self.0.swap_remove(at).0) // a position just found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;

    #[test]
    fn each_owner_has_one_alarm() {
        let mut alarms = Alarms::default();
        let at = |seconds| Instant::START + Duration::from_secs(seconds);
        assert_eq!((alarms.next(), alarms.take_due(at(9))), (None, None));
        alarms.set(Owner(1), at(5));
        alarms.set(Owner(2), at(7));
        alarms.set(Owner(1), at(8));
        assert_eq!((alarms.len(), alarms.next()), (2, Some(at(7))));
        assert_eq!(alarms.take_due(at(6)), None);
        assert_eq!(alarms.take_due(at(7)), Some(Owner(2)));
        assert_eq!(alarms.take_due(at(7)), None);
        assert_eq!(alarms.take_due(at(9)), Some(Owner(1)));
        assert!(alarms.is_empty());
    }
}
