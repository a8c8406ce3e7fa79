//! Responses that are complete and have not left yet.
//!
//! A response is complete long before its last byte is with the kernel. An owner that
//! wants to know what became of it leaves a parcel after it, and gets that back. An owner
//! that leaves none pays nothing.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::any::Any;
use std::collections::HashMap;

use crate::link::Charge;
use crate::net::{Exchange, Key, Owner};

/// Older departures that one turn looks at: slow peers may have many.
const SCAN: usize = 64;

/// A parcel after the end of a response.
#[derive(Debug)]
pub(crate) struct Departure {
    pub(crate) owner: Owner,
    pub(crate) exchange: Exchange,
    pub(crate) parcel: Box<dyn Any>,
    /// The connection's count of sent bytes at the end of the response; `None` while unknown.
    pub(crate) ends: Option<u64>,
    /// Bytes that will not leave.
    pub(crate) unsent: u64,
    /// Bytes of memory that the parcel refers to.
    pub(crate) bytes: usize,
    /// For these, once it has waited for a turn.
    pub(crate) charge: Charge,
}

#[derive(Debug, Default)]
pub(crate) struct Departures {
    /// Those that no turn has looked at.
    fresh: VecDeque<Departure>,
    /// The others by connection, none of them empty.
    waiting: HashMap<Key, VecDeque<Departure>>,
    /// The connections that have some, and some that have none any more.
    order: VecDeque<Key>,
}

impl Departures {
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.fresh.is_empty() && self.order.is_empty()
    }

    pub(crate) fn add(&mut self, departure: Departure) {
        self.fresh.push_back(departure);
    }

    pub(crate) fn put_back(&mut self, departure: Departure) {
        let key = departure.exchange.connection;
        let waiting = self.waiting.entry(key).or_default();
        if waiting.is_empty() {
            self.order.push_back(key);
        }
        waiting.push_back(departure);
    }

    /// Takes out those of the connections that have waited for longest, about [`SCAN`].
    pub(crate) fn take_due(&mut self) -> VecDeque<Departure> {
        let mut due = VecDeque::new();
        for _ in 0..self.order.len().min(SCAN) {
            if due.len() >= SCAN {
                break;
            }
            let next = self.order.pop_front();
            if let Some(mut waiting) = next.and_then(|key| self.waiting.remove(&key)) {
                due.append(&mut waiting);
            }
        }
        due
    }

    /// Takes out the next that no turn has looked at.
    pub(crate) fn take_fresh(&mut self) -> Option<Departure> {
        self.fresh.pop_front()
    }

    pub(crate) fn of(&mut self, key: Key) -> impl Iterator<Item = &mut Departure> {
        let fresh = self.fresh.iter_mut();
        let fresh = fresh.filter(move |it| it.exchange.connection == key);
        fresh.chain(self.waiting.get_mut(&key).into_iter().flatten())
    }

    /// A connection is over: this turn gives back what waits in it.
    pub(crate) fn end(&mut self, key: Key) {
        if let Some(mut waiting) = self.waiting.remove(&key) {
            self.fresh.append(&mut waiting);
        }
    }
}
