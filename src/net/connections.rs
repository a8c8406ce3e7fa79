//! The connections of a loop: whole while they are at work, short at rest.
//!
//! What has just been used is likely to be used again, so that a connection
//! stays whole as long as there are few: with fewer connections than
//! [`warm`](super::Limits::warm), or fewer at work, nothing is ever packed.
//! Beyond that, the end of a turn packs some that rest. A connection that is
//! wanted is made whole before anybody sees it.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;

use super::connection::Connection;
#[cfg(feature = "http2")]
use super::resting::Idle;
use super::resting::{LongAddresses, Resting};
use super::{Exchange, Key, Slab};

/// Empty records that are kept for the next that is made whole.
const SPARE: usize = 64;
/// How many are looked at in a turn at least, if there are too many.
const LOOKS: usize = 16;

/// Connections by their keys.
#[derive(Debug)]
pub(super) struct Connections {
    slab: Slab<Place>,
    /// Those that are whole and may have to be packed, in no order, and some
    /// that are gone.
    warm: Vec<Key>,
    /// Who of them is looked at next.
    hand: usize,
    /// How many were made whole since they were looked at last.
    woken: usize,
    #[expect(clippy::vec_box, reason = "a place holds a pointer, not the record")]
    spare: Vec<Box<Connection>>,
    long: LongAddresses,
}

#[derive(Debug)]
enum Place {
    Whole(Box<Connection>),
    Resting(Resting),
    /// Speaks HTTP/2 and has no stream.
    #[cfg(feature = "http2")]
    Idle(Box<Idle>),
}

impl Connections {
    pub(super) const fn new() -> Self {
        Self {
            slab: Slab::new(),
            warm: Vec::new(),
            hand: 0,
            woken: 0,
            spare: Vec::new(),
            long: Slab::new(),
        }
    }

    /// Whether there is none.
    pub(super) const fn is_empty(&self) -> bool {
        self.slab.is_empty()
    }

    /// Adds a connection.
    pub(super) fn insert(&mut self, connection: Connection) -> Key {
        let record = boxed(&mut self.spare, connection);
        let key = self.slab.insert(Place::Whole(record));
        self.note(key);
        key
    }

    /// A connection that has been seen in this turn. One that has not, and
    /// rests, is not found: see [`get_mut`](Self::get_mut).
    #[inline]
    pub(super) fn get(&self, key: Key) -> Option<&Connection> {
        match self.slab.get(key)? {
            Place::Whole(connection) => Some(connection),
            _ => None,
        }
    }

    /// A connection, made whole if it was not. It stays so for the turn.
    #[inline]
    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut Connection> {
        if !matches!(self.slab.get(key), Some(Place::Whole(_))) {
            self.wake(key);
        }
        match self.slab.get_mut(key)? {
            Place::Whole(connection) => Some(connection),
            _ => None, // it has just been made whole
        }
    }

    /// Whether an exchange goes on, of a connection that may rest.
    #[inline]
    pub(super) fn is_open(&self, exchange: Exchange) -> bool {
        let Exchange { connection, stream } = exchange;
        match self.slab.get(connection) {
            Some(Place::Whole(it)) => it.is_open(stream),
            Some(Place::Resting(it)) => it.is_open(stream),
            #[cfg(feature = "http2")]
            Some(Place::Idle(_)) => stream == 0, // the connection itself
            None => false,
        }
    }

    /// Removes a connection.
    pub(super) fn remove(&mut self, key: Key) -> Option<Box<Connection>> {
        let place = self.slab.remove(key)?;
        Some(self.whole(place))
    }

    /// The key in a slot.
    #[inline]
    pub(super) fn key_at(&self, slot: u32) -> Option<Key> {
        self.slab.key_at(slot)
    }

    /// The key that made `token`.
    #[inline]
    pub(super) fn key_of(&self, token: usize) -> Option<Key> {
        self.slab.key_of(token)
    }

    /// The keys of all connections, by slot.
    pub(super) fn keys(&self) -> Vec<Key> {
        self.slab.keys().collect()
    }

    /// The connection that the loop has down for the most memory. One at rest
    /// holds none.
    pub(super) fn largest(&self) -> Option<Key> {
        let holds = |(key, place): (Key, &Place)| match place {
            Place::Whole(connection) => Some((connection.accounted, key)),
            #[cfg(feature = "http2")]
            Place::Idle(idle) => Some((idle.accounted(), key)),
            Place::Resting(_) => None,
        };
        let largest = self.slab.iter().filter_map(holds).max();
        largest.map(|(_, key)| key)
    }

    /// Packs some that rest, if more than `most` are whole: about as many as
    /// have come since, so that it costs each of them the same. To be called
    /// while none is at work.
    #[inline]
    pub(super) fn pack(&mut self, most: usize) {
        if self.warm.len() > most {
            self.pack_beyond(most);
        }
        self.woken = 0;
    }

    #[cold]
    fn pack_beyond(&mut self, most: usize) {
        for _ in 0..2 * self.woken + LOOKS {
            if self.warm.len() <= most {
                return;
            }
            if self.hand >= self.warm.len() {
                self.hand = 0;
            }
            let Some(&key) = self.warm.get(self.hand) else {
                return;
            };
            match self.pack_one(key) {
                true => drop(self.warm.swap_remove(self.hand)), // it is there
                false => self.hand += 1,
            }
        }
    }

    /// Whether a connection need not be looked at again: it is packed, or gone.
    fn pack_one(&mut self, key: Key) -> bool {
        let Self {
            slab, long, spare, ..
        } = self;
        let Some(place) = slab.get_mut(key) else {
            return true;
        };
        let Place::Whole(connection) = place else {
            return true;
        };
        let packed = Resting::of(connection, long).map(Place::Resting);
        #[cfg(feature = "http2")]
        let packed = packed.or_else(|| Idle::of(connection).map(Place::Idle));
        let Some(packed) = packed else {
            return false;
        };
        if let Place::Whole(record) = mem::replace(place, packed)
            && spare.len() < SPARE
        {
            spare.push(record);
        }
        true
    }

    /// Makes a connection whole.
    #[cold]
    fn wake(&mut self, key: Key) {
        if let Some(place) = self.slab.take(key) {
            let whole = self.whole(place);
            // Its place is waiting for it.
            let _ = self.slab.put_back(key, Place::Whole(whole));
            self.note(key);
        }
    }

    fn whole(&mut self, place: Place) -> Box<Connection> {
        let connection = match place {
            Place::Whole(connection) => return connection,
            Place::Resting(resting) => resting.wake(&mut self.long),
            #[cfg(feature = "http2")]
            Place::Idle(idle) => idle.wake(),
        };
        boxed(&mut self.spare, connection)
    }

    fn note(&mut self, key: Key) {
        self.warm.push(key);
        self.woken += 1;
    }
}

/// Puts a connection into a record.
fn boxed(spare: &mut Vec<Box<Connection>>, connection: Connection) -> Box<Connection> {
    match spare.pop() {
        Some(mut record) => {
            *record = connection;
            record
        }
        None => Box::new(connection),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::{self, Link};
    use crate::net::connection::Phase;
    use crate::net::{Owner, Peer};
    use crate::wire::Role;
    use core::net::{Ipv4Addr, Ipv6Addr};

    fn at_rest(n: u32) -> Connection {
        let link = Link::rested(link::Resting::Http1([n, 1]), n + 1);
        let peer = match n % 3 {
            0 => Peer::V4(Ipv4Addr::from_bits(n), 80),
            1 => Peer::V6(Ipv6Addr::from_bits(u128::from(n) << 64), 81, n),
            _ => Peer::Unix,
        };
        let mut connection = Connection::new(link, peer, Owner(3), 4, Phase::Open);
        connection.tag = n * 2;
        connection.rested = true;
        connection
    }

    /// How many are whole.
    fn whole(connections: &Connections) -> usize {
        let keys = connections.keys().into_iter();
        keys.filter(|&key| connections.get(key).is_some()).count()
    }

    fn at_work() -> Connection {
        let link = Link::raw(Role::Server);
        Connection::new(link, Peer::Unix, Owner(0), 0, Phase::Open)
    }

    #[test]
    fn what_is_packed_comes_back_as_it_was() {
        let mut connections = Connections::new();
        let keys: Vec<Key> = (0..30).map(|n| connections.insert(at_rest(n))).collect();
        connections.pack(0);
        assert_eq!(whole(&connections), 0);
        assert_eq!(connections.long.len(), 10);
        assert_eq!(connections.keys(), keys);
        for (&key, n) in keys.iter().zip(0..) {
            assert!(connections.get(key).is_none());
            let whole = match n % 2 {
                0 => connections.remove(key).map(|record| *record),
                _ => connections
                    .get_mut(key)
                    .map(|it| mem::replace(it, at_work())),
            };
            let (whole, before) = (whole.unwrap(), at_rest(n));
            let limits = link::Limits::DEFAULT;
            assert_eq!((whole.peer, whole.tag), (before.peer, before.tag));
            assert_eq!((whole.owner, whole.profile), (before.owner, before.profile));
            assert_eq!(whole.link.stream(), before.link.stream());
            assert_eq!(whole.deadline(&limits), before.deadline(&limits));
            assert!(whole.is_at_rest() && whole.rested);
        }
        assert_eq!((connections.keys().len(), connections.long.len()), (15, 0));
    }

    #[test]
    fn few_stay_whole_and_those_at_work_do_whatever_their_number() {
        let mut connections = Connections::new();
        for n in 0..50 {
            connections.insert(at_rest(n));
        }
        connections.pack(50);
        assert_eq!(whole(&connections), 50);
        let busy: Vec<Key> = (0..50).map(|_| connections.insert(at_work())).collect();
        for _ in 0..10 {
            connections.pack(20);
        }
        assert_eq!(whole(&connections), 50);
        assert!(busy.iter().all(|&key| connections.get(key).is_some()));
        for key in busy {
            connections.remove(key);
        }
        for n in 0..20 {
            connections.insert(at_rest(n));
        }
        connections.pack(20);
        connections.pack(20);
        assert!(whole(&connections) <= 20);
        assert!(connections.warm.len() <= 20);
    }

    #[test]
    fn a_place_is_48_bytes() {
        assert_eq!(size_of::<Resting>(), 40);
        assert_eq!(Slab::<Place>::ENTRY, 48);
    }
}
