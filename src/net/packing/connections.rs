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

use super::resting::Idle;
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

#[derive(Debug)]
pub(crate) struct Connections {
    whole: Vec<Option<Box<Connection>>>,
    others: Others,
    lists: Lists,
}

/// The connections that are not whole, and the means to change that.
#[derive(Debug)]
struct Others {
    places: Slab<Slot>,
    idle: Slab<Box<Idle>>,
    long: LongAddresses,
    packed: usize,
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
    pub(crate) fn with_room(slots: usize) -> Self {
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

    pub(crate) const fn is_empty(&self) -> bool {
        self.others.places.is_empty()
    }

    pub(crate) fn insert(&mut self, connection: Connection) -> Key {
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

    /// A connection seen in this turn. One that was not, and rests, is not found: see
    /// [`get_mut`](Self::get_mut).
    #[inline]
    pub(crate) fn get(&self, key: Key) -> Option<&Connection> {
        match self.whole.get(key.slot() as usize) {
            Some(Some(it)) if it.generation == key.generation() => Some(it),
            _ => None,
        }
    }

    /// A connection, expanded if it was not. It stays so for the turn.
    #[inline]
    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut Connection> {
        let place = self.whole.get_mut(key.slot() as usize)?;
        if !is_in(place, key) && !self.others.wake(key, place, &mut self.lists) {
            return None;
        }
        place.as_deref_mut()
    }

    /// Whether an exchange is still active, of a connection that may rest.
    #[inline]
    pub(crate) fn is_open(&self, exchange: Exchange) -> bool {
        let Exchange { connection, stream } = exchange;
        match self.get(connection) {
            Some(it) => it.is_open(stream),
            None => self.others.is_open(connection, stream),
        }
    }

    pub(crate) fn remove(&mut self, key: Key) -> Option<Box<Connection>> {
        self.get_mut(key)?;
        self.others.places.remove(key)?;
        self.whole.get_mut(key.slot() as usize)?.take()
    }

    #[inline]
    pub(crate) fn key_at(&self, slot: u32) -> Option<Key> {
        self.others.places.key_at(slot)
    }

    /// The key that made `token`, whether or not its connection is there.
    #[inline]
    pub(crate) fn key_from(&self, token: usize) -> Option<Key> {
        self.others.places.key_from(token)
    }

    pub(crate) fn keys(&self) -> Vec<Key> {
        self.others.places.keys().collect()
    }

    pub(crate) fn accounts(&self) -> impl Iterator<Item = (Key, Peer, &Account)> {
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

    #[inline]
    pub(crate) const fn begin_turn(&mut self, now: Instant) {
        self.others.now = now;
    }

    /// Ends the turn of a connection whose [`Warmth`] says that it is to be listed.
    #[cold]
    pub(crate) fn list(&mut self, key: Key) {
        let places = &self.others.places;
        self.lists.list(key, |key| places.contains(key));
    }

    #[inline]
    pub(crate) fn next(&self, most: usize) -> Option<Instant> {
        match self.others.whole() > most {
            true => self.lists.next(),
            false => None,
        }
    }

    /// Packs resting connections while more than `most` are whole; kept ones, too, while memory
    /// is short. Called while none is at work.
    #[inline]
    pub(crate) fn pack(&mut self, most: usize, memory: &Memory) {
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

    /// Packs a connection if it rests; whether there is nothing more to pack. Otherwise its
    /// next turn lists it again.
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
mod tests;
