//! The connections of a loop: whole while they are at work, short at rest.
//!
//! ```text
//!   slot      0     1     2     3          looking one up: a pointer, and
//!   whole     *     -     *     -          the generation behind it
//!   places  whole short whole  idle        40 bytes, of use at rest
//! ```
//!
//! With at most [`warm`](crate::net::Limits::warm) connections that are whole,
//! none is packed. Beyond that the end of a turn packs those that rest. One that
//! is wanted is expanded before anybody sees it; if that is soon after it was
//! packed, it stays whole until it has not been used for a second.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;

use super::idle::Idle;
use super::resting::{LongAddresses, Resting};
use super::warmth::{Epoch, Lists, Look, Warmth};
use crate::link::Account;
use crate::net::stores::slab::grow;
use crate::net::turns::connection::Connection;
use crate::net::turns::memory::Memory;
use crate::net::{Exchange, Key, Peer, Slab};
use crate::wire::Instant;

/// Empty records that are kept for the next that is expanded.
const SPARE: usize = 64;

/// Connections by their keys.
#[derive(Debug)]
pub(in crate::net) struct Connections {
    /// The whole ones, by slot.
    whole: Vec<Option<Box<Connection>>>,
    others: Others,
    lists: Lists,
}

/// Who is not whole, and what it takes to change that.
#[derive(Debug)]
struct Others {
    places: Slab<Slot>,
    idle: Slab<Box<Idle>>,
    long: LongAddresses,
    /// How many are not whole.
    packed: usize,
    /// The time of this turn.
    now: Instant,
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
                packed: 0,
                now: Instant::START,
                spare: Vec::new(),
            },
            lists: Lists::new(),
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

    /// A connection, expanded if it was not. It stays so for the turn.
    #[inline]
    pub(in crate::net) fn get_mut(&mut self, key: Key) -> Option<&mut Connection> {
        let place = self.whole.get_mut(key.slot() as usize)?;
        if !is_in(place, key) && !self.others.wake(key, place, &mut self.lists) {
            return None;
        }
        place.as_deref_mut()
    }

    /// Whether an exchange is still active, of a connection that may rest.
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

    /// The time of the turn that begins.
    #[inline]
    pub(in crate::net) const fn begin_turn(&mut self, now: Instant) {
        self.others.now = now;
    }

    /// The turn of a connection has ended whose [`Warmth`] says that it is to be
    /// listed.
    #[cold]
    pub(in crate::net) fn list(&mut self, key: Key) {
        let places = &self.others.places;
        self.lists.list(key, |key| places.contains(key));
    }

    /// When [`pack`](Self::pack) has something to do next without an event.
    #[inline]
    pub(in crate::net) fn next(&self, most: usize) -> Option<Instant> {
        match self.others.whole() > most {
            true => self.lists.next(),
            false => None,
        }
    }

    /// Packs those that rest as long as more than `most` are whole; while memory
    /// is short those that are kept, too. To be called while none is at work.
    #[inline]
    pub(in crate::net) fn pack(&mut self, most: usize, memory: &Memory) {
        if self.others.whole() > most {
            self.pack_beyond(most, memory.all.held() > memory.short);
        }
    }

    fn pack_beyond(&mut self, most: usize, is_short: bool) {
        let Self {
            whole,
            others,
            lists,
        } = self;
        if is_short {
            lists.keep_none();
        }
        while others.whole() > most
            && let Some(key) = lists.listed.pop()
        {
            others.pack(key, whole);
        }
        lists.look(others.now, |key| {
            let it = whole.get_mut(key.slot() as usize).and_then(Option::as_mut);
            let Some(it) = it.filter(|it| it.generation == key.generation()) else {
                return Look::Leaves;
            };
            if it.warmth == Warmth::KeptInUse || others.whole() <= most {
                it.warmth = Warmth::Kept;
                return Look::Stays;
            }
            if others.pack(key, whole) {
                return Look::Leaves;
            }
            if let Some(Some(it)) = whole.get_mut(key.slot() as usize) {
                it.warmth = Warmth::Kept; // it does not rest yet
            }
            Look::Stays
        });
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

    /// Packs a connection, if it rests; whether there is nothing more to pack. One
    /// that does not rest is listed again when its next turn has ended.
    fn pack(&mut self, key: Key, whole: &mut [Option<Box<Connection>>]) -> bool {
        let Some(whole) = whole.get_mut(key.slot() as usize) else {
            return true;
        };
        let (Some(connection), Some(place)) = (whole.as_mut(), self.places.get_mut(key)) else {
            return true; // another has its slot now, or none
        };
        connection.warmth = Warmth::Unlisted;
        connection.forget_watch();
        let epoch = Epoch::of(self.now);
        if let Some(resting) = Resting::of(connection, &mut self.long, epoch) {
            *place = Slot::Resting(resting);
        } else {
            match Idle::of(connection, epoch) {
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
    fn wake(&mut self, key: Key, whole: &mut Option<Box<Connection>>, lists: &mut Lists) -> bool {
        let Some(place) = self.places.get_mut(key) else {
            return false;
        };
        let (packed, mut connection) = match mem::replace(place, Slot::Whole) {
            Slot::Whole => return whole.is_some(),
            Slot::Resting(resting) => (resting.epoch(), resting.wake(&mut self.long)),
            Slot::Idle(idle) => match self.idle.remove(idle) {
                Some(idle) => (idle.epoch(), idle.wake()),
                None => return false,
            },
        };
        if packed.is_recent(Epoch::of(self.now)) {
            connection.warmth = Warmth::KeptInUse;
            lists.keep(key);
        } else {
            connection.warmth = Warmth::Listed;
            lists.list(key, |key| self.places.contains(key));
        }
        self.packed -= 1;
        *whole = Some(self.record(key, connection));
        true
    }

    /// Puts a connection into a record.
    fn record(&mut self, key: Key, mut connection: Connection) -> Box<Connection> {
        connection.generation = key.generation();
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
    use core::time::Duration;

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
        end_turn(&mut connections, &keys, 0);
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

    /// Ends a turn of each of them, and then the turn of the loop.
    fn end_turn(connections: &mut Connections, keys: &[Key], most: usize) {
        for &key in keys {
            let connection = connections.get_mut(key);
            if connection.is_some_and(|it| it.warmth.turn_ended()) {
                connections.list(key);
            }
        }
        connections.pack_beyond(most, false);
    }

    #[test]
    fn few_stay_whole_and_those_at_work_do_whatever_their_number() {
        let mut connections = Connections::with_room(0);
        let mut keys: Vec<Key> = (0..50).map(|n| connections.insert(at_rest(n))).collect();
        end_turn(&mut connections, &keys, 50);
        assert_eq!(whole(&connections), 50);
        keys.extend((0..50).map(|_| connections.insert(at_work())));
        end_turn(&mut connections, &keys, 20);
        assert_eq!(whole(&connections), 50);
        let busy = keys.split_off(50);
        assert!(busy.iter().all(|&key| connections.get(key).is_some()));
        for key in busy {
            connections.remove(key);
        }
        keys.extend((0..20).map(|n| connections.insert(at_rest(n))));
        end_turn(&mut connections, &keys[50..], 10);
        assert_eq!(whole(&connections), 10);
        assert_eq!(connections.others.whole(), 10);
        // Those that come and go meanwhile do not count.
        for n in 0..100 {
            let key = connections.insert(at_rest(n));
            connections.remove(key);
            end_turn(&mut connections, &[], 10);
            assert_eq!(whole(&connections), 10);
        }
    }

    #[test]
    fn one_that_is_wanted_again_soon_stays_whole_until_it_has_rested_for_a_second() {
        let mut connections = Connections::with_room(0);
        let keys: Vec<Key> = (0..30).map(|n| connections.insert(at_rest(n))).collect();
        let mut now = Instant::START;
        connections.begin_turn(now);
        end_turn(&mut connections, &keys, 0);
        assert_eq!((whole(&connections), connections.next(0)), (0, None));
        // Ten of them are busy: they are expanded once, and then stay so.
        for turn in 0..100 {
            now += Duration::from_millis(50);
            connections.begin_turn(now);
            end_turn(&mut connections, &keys[..10], 0);
            assert_eq!(whole(&connections), 10, "turn {turn}");
        }
        assert!(connections.next(0).is_some() && connections.next(10).is_none());
        // They are not used any more, and nothing but time passes.
        let since = now;
        while let Some(next) = connections.next(0) {
            now = next;
            connections.begin_turn(now);
            connections.pack_beyond(0, false);
        }
        assert_eq!(whole(&connections), 0);
        let took = now.saturating_since(since);
        assert!((1..4).contains(&took.as_secs()), "{took:?}");
        // Nobody is kept while memory is short.
        for is_short in [false, true] {
            end_turn(&mut connections, &keys[..10], usize::MAX);
            connections.pack_beyond(0, is_short);
            assert_eq!(whole(&connections), if is_short { 0 } else { 10 });
        }
        // One that comes later is packed immediately.
        now += Duration::from_secs(10);
        connections.begin_turn(now);
        end_turn(&mut connections, &keys[..10], 0);
        assert_eq!(whole(&connections), 0);
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
        end_turn(&mut connections, &keys, 0);
        assert_eq!(whole(&connections), 1);
        let found = keys.map(|key| connections.get_mut(key).unwrap().link.websocket_limits());
        assert_eq!(found, websocket_limits);
    }

    #[test]
    fn those_that_are_gone_are_forgotten_though_nothing_is_packed() {
        let mut connections = Connections::with_room(0);
        let stay: Vec<Key> = (0..20).map(|n| connections.insert(at_rest(n))).collect();
        end_turn(&mut connections, &stay, usize::MAX);
        for n in 0..10_000 {
            let key = connections.insert(at_rest(n));
            end_turn(&mut connections, &[key], usize::MAX);
            connections.remove(key);
        }
        assert!(connections.lists.listed.capacity() <= 100);
        assert!(
            stay.iter()
                .all(|key| connections.lists.listed.contains(key))
        );
    }

    #[test]
    fn a_place_is_44_bytes() {
        assert_eq!(size_of::<Resting>(), 40);
        assert_eq!(Slab::<Slot>::ENTRY, 44);
    }
}
