//! The connections of a loop: whole while they are at work, short at rest.
//!
//! ```text
//!   slot      0     1     2     3          looking one up: a pointer, and
//!   whole     *     -     *     -          the generation behind it
//!   places  whole short whole  idle        40 bytes, of use at rest
//! ```
//!
//! What has just been used is likely to be used again, so that a connection
//! stays whole as long as there are few: with fewer connections than
//! [`warm`](crate::net::Limits::warm), or fewer at work, nothing is ever packed.
//! Beyond that, the end of a turn packs some that rest. A connection that is
//! wanted is made whole before anybody sees it.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;

use super::connection::Connection;
use super::resting::Idle;
use super::resting::{LongAddresses, Resting};
use crate::link::Account;
use crate::net::stores::slab::grow;
use crate::net::{Exchange, Key, Peer, Slab};

/// Empty records that are kept for the next that is made whole.
const SPARE: usize = 64;
/// How many are looked at in a turn at least, if there are too many.
const LOOKS: usize = 16;

/// Connections by their keys.
#[derive(Debug)]
pub(in crate::net) struct Connections {
    /// The whole ones, by slot.
    whole: Vec<Option<Box<Connection>>>,
    others: Others,
    /// Who of those that are whole is looked at next.
    hand: usize,
}

/// Who is not whole, and what it takes to change that.
#[derive(Debug)]
struct Others {
    places: Slab<Slot>,
    idle: Slab<Box<Idle>>,
    long: LongAddresses,
    /// Those that are whole and may have to be packed, in no order, and some
    /// that are gone.
    warm: Vec<Key>,
    /// How many are not whole.
    packed: usize,
    /// How many were made whole since they were looked at last.
    woken: usize,
    #[expect(clippy::vec_box, reason = "a place holds a pointer, not the record")]
    spare: Vec<Box<Connection>>,
}

#[derive(Debug)]
enum Slot {
    Whole,
    Resting(Resting),
    /// Speaks HTTP/2 and has no stream: its key among those.
    Idle(Key),
}

impl Connections {
    /// None, with room for so many before a table has to grow.
    pub(in crate::net) fn with_room(slots: usize) -> Self {
        Self {
            whole: Vec::with_capacity(slots),
            others: Others {
                places: Slab::new(),
                idle: Slab::new(),
                long: Slab::new(),
                warm: Vec::new(),
                packed: 0,
                woken: 0,
                spare: Vec::new(),
            },
            hand: 0,
        }
    }

    /// Whether there is none.
    pub(in crate::net) const fn is_empty(&self) -> bool {
        self.others.places.is_empty()
    }

    /// Adds a connection.
    pub(in crate::net) fn insert(&mut self, connection: Connection) -> Key {
        let key = self.others.places.insert(Slot::Whole);
        let record = self.others.record(key, connection);
        let slot = key.slot() as usize;
        while self.whole.len() <= slot {
            grow(&mut self.whole);
            self.whole.push(None);
        }
        self.whole[slot] = Some(record); // made long enough just now
        key
    }

    /// A connection that has been seen in this turn. One that has not, and
    /// rests, is not found: see [`get_mut`](Self::get_mut).
    #[inline]
    pub(in crate::net) fn get(&self, key: Key) -> Option<&Connection> {
        match self.whole.get(key.slot() as usize) {
            Some(Some(it)) if it.generation == key.generation() => Some(it),
            _ => None,
        }
    }

    /// A connection, made whole if it was not. It stays so for the turn.
    #[inline]
    pub(in crate::net) fn get_mut(&mut self, key: Key) -> Option<&mut Connection> {
        let place = self.whole.get_mut(key.slot() as usize)?;
        if !is_in(place, key) && !self.others.wake(key, place) {
            return None;
        }
        place.as_deref_mut()
    }

    /// Whether an exchange goes on, of a connection that may rest.
    #[inline]
    pub(in crate::net) fn is_open(&self, exchange: Exchange) -> bool {
        let Exchange { connection, stream } = exchange;
        match self.get(connection) {
            Some(it) => it.is_open(stream),
            None => self.others.is_open(connection, stream),
        }
    }

    /// Removes a connection.
    pub(in crate::net) fn remove(&mut self, key: Key) -> Option<Box<Connection>> {
        self.get_mut(key)?;
        self.others.places.remove(key)?;
        self.whole.get_mut(key.slot() as usize)?.take()
    }

    /// The key in a slot.
    #[inline]
    pub(in crate::net) fn key_at(&self, slot: u32) -> Option<Key> {
        self.others.places.key_at(slot)
    }

    /// The key that made `token`, whether or not its connection is there.
    #[inline]
    pub(in crate::net) fn key_from(&self, token: usize) -> Option<Key> {
        self.others.places.key_from(token)
    }

    /// The keys of all connections, by slot.
    pub(in crate::net) fn keys(&self) -> Vec<Key> {
        self.others.places.keys().collect()
    }

    /// The connections that hold memory, and their accounts.
    pub(in crate::net) fn accounts(&self) -> impl Iterator<Item = (Key, Peer, &Account)> {
        self.others.places.iter().filter_map(|(key, place)| {
            let (peer, account) = match place {
                Slot::Whole => {
                    let it = self.get(key)?;
                    (it.peer, it.link.account())
                }
                Slot::Idle(idle) => {
                    let it = self.others.idle.get(*idle)?;
                    (it.peer(), it.account())
                }
                Slot::Resting(_) => return None,
            };
            Some((key, peer, account?))
        })
    }

    /// Packs some that rest, if more than `most` are whole: about as many as
    /// have come since, so that it costs each of them the same. To be called
    /// while none is at work.
    #[inline]
    pub(in crate::net) fn pack(&mut self, most: usize) {
        if self.others.whole() > most {
            self.pack_beyond(most);
        }
        self.others.woken = 0;
    }

    #[cold]
    fn pack_beyond(&mut self, most: usize) {
        let Self {
            whole,
            others,
            hand,
        } = self;
        for _ in 0..2 * others.woken + LOOKS {
            if others.whole() <= most {
                return;
            }
            if *hand >= others.warm.len() {
                *hand = 0;
            }
            let Some(&key) = others.warm.get(*hand) else {
                return;
            };
            let place = whole.get_mut(key.slot() as usize);
            match place.is_none_or(|place| !is_in(place, key) || others.pack(key, place)) {
                true => drop(others.warm.swap_remove(*hand)), // it is within
                false => *hand += 1,
            }
        }
    }
}

#[inline]
fn is_in(place: &Option<Box<Connection>>, key: Key) -> bool {
    matches!(place, Some(it) if it.generation == key.generation())
}

impl Others {
    /// How many are whole.
    #[inline]
    const fn whole(&self) -> usize {
        self.places.len() - self.packed // each of them has a place
    }

    #[cold]
    fn is_open(&self, key: Key, stream: u32) -> bool {
        match self.places.get(key) {
            Some(Slot::Resting(resting)) => resting.is_open(stream),
            Some(Slot::Idle(_)) => stream == 0, // the connection itself
            Some(Slot::Whole) | None => false,
        }
    }

    /// Packs a connection; whether that can be done.
    fn pack(&mut self, key: Key, whole: &mut Option<Box<Connection>>) -> bool {
        let (Some(connection), Some(place)) = (whole.as_mut(), self.places.get_mut(key)) else {
            return false;
        };
        connection.forget_watch();
        if let Some(resting) = Resting::of(connection, &mut self.long) {
            *place = Slot::Resting(resting);
        } else {
            match Idle::of(connection) {
                Some(idle) => {
                    *place = Slot::Idle(self.idle.insert(idle));
                }
                None => return false,
            }
        }
        self.packed += 1;
        if let Some(record) = whole.take()
            && self.spare.len() < SPARE
        {
            self.spare.push(record);
        }
        true
    }

    /// Makes a connection whole; whether it is there at all.
    #[cold]
    fn wake(&mut self, key: Key, whole: &mut Option<Box<Connection>>) -> bool {
        let Some(place) = self.places.get_mut(key) else {
            return false;
        };
        let connection = match mem::replace(place, Slot::Whole) {
            Slot::Whole => None,
            Slot::Resting(resting) => Some(resting.wake(&mut self.long)),
            Slot::Idle(idle) => self.idle.remove(idle).map(|idle| idle.wake()),
        };
        // Only a whole one is in its place already.
        if let Some(connection) = connection {
            self.packed -= 1;
            *whole = Some(self.record(key, connection));
        }
        whole.is_some()
    }

    /// Lists a connection that is whole from here on. Those that are gone make
    /// room before the list grows, however many may stay whole.
    fn note_warm(&mut self, key: Key) {
        if self.warm.len() == self.warm.capacity() {
            let places = &self.places;
            self.warm.retain(|&key| places.contains(key));
            self.warm.reserve(self.warm.len() + 1); // so that looking costs each the same
        }
        self.warm.push(key);
    }

    /// Puts a connection into a record, and notes that it is whole.
    fn record(&mut self, key: Key, mut connection: Connection) -> Box<Connection> {
        connection.generation = key.generation();
        self.note_warm(key);
        self.woken += 1;
        match self.spare.pop() {
            Some(mut record) => {
                *record = connection;
                record
            }
            None => Box::new(connection),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::{self, Link};
    use crate::net::turns::connection::Phase;
    use crate::net::{Owner, Peer};
    use crate::websocket;
    use crate::wire::{Instant, Role};
    use core::net::{Ipv4Addr, Ipv6Addr};

    fn at_rest(n: u32) -> Connection {
        let link = Link::rested(link::Resting::Http1([n, 1]), n + 1, 0);
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
        let mut connections = Connections::with_room(0);
        let keys: Vec<Key> = (0..30).map(|n| connections.insert(at_rest(n))).collect();
        connections.pack(0);
        assert_eq!(whole(&connections), 0);
        assert_eq!(connections.others.long.len(), 10);
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
        assert_eq!(
            (connections.keys().len(), connections.others.long.len()),
            (15, 0)
        );
    }

    #[test]
    fn few_stay_whole_and_those_at_work_do_whatever_their_number() {
        let mut connections = Connections::with_room(0);
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
        assert_eq!(whole(&connections), 20);
        assert_eq!(connections.others.whole(), 20);
        // Those that come and go meanwhile do not count.
        for n in 0..100 {
            let key = connections.insert(at_rest(n));
            connections.remove(key);
            connections.pack(20);
            assert_eq!(whole(&connections), 20);
        }
    }

    #[test]
    fn a_websocket_keeps_the_limits_of_its_route() {
        let mut connections = Connections::with_room(0);
        let at_rest = |websocket_limits| {
            let machine = websocket::Connection::new(Role::Server, Instant::START);
            let resting = link::Resting::WebSocket(machine.resting().unwrap());
            let link = Link::rested(resting, 7, websocket_limits);
            Connection::new(link, Peer::Unix, Owner(0), 0, Phase::Open)
        };
        let websocket_limits = [0, 1, 255, 256]; // the last ones are too many to be packed
        let keys =
            websocket_limits.map(|websocket_limits| connections.insert(at_rest(websocket_limits)));
        connections.pack(0);
        assert_eq!(whole(&connections), 1);
        let found = keys.map(|key| connections.get_mut(key).unwrap().link.websocket_limits());
        assert_eq!(found, websocket_limits);
    }

    #[test]
    fn those_that_are_gone_are_forgotten_though_nothing_is_packed() {
        let mut connections = Connections::with_room(0);
        let stay: Vec<Key> = (0..20).map(|n| connections.insert(at_rest(n))).collect();
        for n in 0..10_000 {
            let key = connections.insert(at_rest(n));
            connections.pack(usize::MAX);
            connections.remove(key);
        }
        assert!(connections.others.warm.capacity() <= 100);
        assert!(stay.iter().all(|key| connections.others.warm.contains(key)));
    }

    #[test]
    fn a_place_is_44_bytes() {
        assert_eq!(size_of::<Resting>(), 40);
        assert_eq!(Slab::<Slot>::ENTRY, 44);
    }
}
