//! Responses that are complete and have not left yet.
//!
//! A response is complete long before its last byte is with the kernel. An
//! owner that wants to know what became of it leaves a parcel behind it, and gets
//! that back. An owner that leaves none pays nothing.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::any::Any;

use crate::link::Charge;
use crate::net::{Exchange, Key, Owner};

/// Departures that one turn looks at beside those that are new in it: of peers
/// that take little there may be many.
const SCAN: usize = 64;

/// A parcel behind the end of a response.
#[derive(Debug)]
pub(in crate::net) struct Departure {
    pub(in crate::net) owner: Owner,
    pub(in crate::net) exchange: Exchange,
    pub(in crate::net) parcel: Box<dyn Any>,
    /// How many bytes the connection will have sent when the last one of the response
    /// has left; `None` while that is not known.
    pub(in crate::net) ends: Option<u64>,
    /// Bytes that will not leave.
    pub(in crate::net) unsent: u64,
    /// Bytes of memory that the parcel refers to.
    pub(in crate::net) bytes: usize,
    /// For these, once it has waited for a turn.
    pub(in crate::net) charge: Charge,
}

/// The departures of one loop.
#[derive(Debug, Default)]
pub(in crate::net) struct Departures {
    /// Those that no turn has looked at.
    fresh: VecDeque<Departure>,
    waiting: VecDeque<Departure>,
}

impl Departures {
    /// Whether nobody waits for anything.
    #[inline]
    pub(in crate::net) fn is_empty(&self) -> bool {
        self.fresh.is_empty() && self.waiting.is_empty()
    }

    pub(in crate::net) fn add(&mut self, departure: Departure) {
        self.fresh.push_back(departure);
    }

    /// Puts back what still waits.
    pub(in crate::net) fn put_back(&mut self, departure: Departure) {
        self.waiting.push_back(departure);
    }

    /// How many of those that have waited a turn looks at.
    pub(in crate::net) fn due(&self) -> usize {
        self.waiting.len().min(SCAN)
    }

    /// Takes out the next one that a turn looks at: of those that have waited,
    /// or of the new ones.
    pub(in crate::net) fn take(&mut self, has_waited: bool) -> Option<Departure> {
        match has_waited {
            true => self.waiting.pop_front(),
            false => self.fresh.pop_front(),
        }
    }

    /// A transport has made `more` bytes of what a connection sends from `position` on:
    /// what ends behind that ends so much later.
    #[cold]
    pub(in crate::net) fn shift(&mut self, key: Key, position: u64, more: u64) {
        for ends in self.of(key).filter_map(|it| it.ends.as_mut()) {
            if *ends > position {
                *ends += more;
            }
        }
    }

    /// Those of a connection.
    pub(in crate::net) fn of(&mut self, key: Key) -> impl Iterator<Item = &mut Departure> {
        let all = self.fresh.iter_mut().chain(&mut self.waiting);
        all.filter(move |it| it.exchange.connection == key)
    }
}
