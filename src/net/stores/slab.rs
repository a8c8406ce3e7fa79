//! Connections by number: dense, reused, and never mistaken for each other.

use alloc::vec::Vec;

use super::table::Table;

/// The name of an entry, of a connection for one. Once the entry is gone its key is
/// stale, and no later entry ever has the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    slot: u32,
    generation: u32,
}

/// Bits of a token that hold the slot; the others hold the generation.
const SLOT_BITS: u32 = if usize::BITS >= 64 { 32 } else { 20 };

impl Key {
    /// The place in the slab: small numbers, used again after the entry is
    /// gone. For tables beside the slab.
    #[inline]
    pub const fn slot(self) -> u32 {
        self.slot
    }

    /// How many entries the slot has had before.
    #[inline]
    pub const fn generation(self) -> u32 {
        self.generation
    }

    /// The key as a poller's token. Tokens are below `usize::MAX`, and those
    /// with the bit [`FREE_TOKENS`](Self::FREE_TOKENS) set belong to no key.
    ///
    /// With 64 bits the token is the whole key. With 32 it has 12 bits of the
    /// generation, enough to tell the events of one batch apart.
    #[inline]
    pub const fn token(self) -> usize {
        (self.generation as usize) << (SLOT_BITS % usize::BITS) | self.slot as usize
    }

    /// The key as a number of an application's.
    pub(crate) const fn to_u64(self) -> u64 {
        (self.generation as u64) << 32 | self.slot as u64
    }

    /// The key that made this number.
    pub(crate) const fn from_u64(number: u64) -> Self {
        Self {
            slot: number as u32,
            generation: (number >> 32) as u32,
        }
    }

    /// A key that names nothing.
    pub const NONE: Self = Self {
        slot: u32::MAX,
        generation: u32::MAX,
    };

    /// The bit of a token that no key sets.
    pub const FREE_TOKENS: usize = 1 << (SLOT_BITS - 1);
}

/// Values under keys. Inserting, finding and removing take constant time, and
/// allocate only while the slab is larger than ever before.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    entries: Table<Entry<T>>,
    free: u32, // the first of the chain of vacant slots, or NONE
    len: u32,
}

#[derive(Debug)]
struct Entry<T> {
    generation: u32,
    state: State<T>,
}

#[derive(Debug)]
enum State<T> {
    Vacant { next: u32 },
    Held(T),
}

const NONE: u32 = u32::MAX;

impl<T> Slab<T> {
    /// The most entries a slab can have.
    pub(crate) const MAX: usize = 1 << (SLOT_BITS - 1);

    /// Bytes that an entry takes.
    #[cfg(test)]
    pub(in crate::net) const ENTRY: usize = size_of::<Entry<T>>();

    /// An empty slab without memory.
    pub(crate) const fn new() -> Self {
        Self {
            entries: Table::new(),
            free: NONE,
            len: 0,
        }
    }

    /// How many entries there are.
    #[inline]
    pub(crate) const fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether there is no entry.
    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Slots ever used: every [`Key::slot`] is smaller.
    #[cfg(test)]
    pub(crate) const fn slots(&self) -> usize {
        self.entries.len()
    }

    /// Adds an entry.
    ///
    /// # Panics
    ///
    /// If there are [`MAX`](Self::MAX) entries already. A cap on connections
    /// is far below.
    pub(crate) fn insert(&mut self, value: T) -> Key {
        let slot = self.free;
        if let Some(entry) = self.entries.get_mut(slot as usize)
            && let State::Vacant { next } = entry.state
        {
            let key = Key {
                slot,
                generation: entry.generation,
            };
            entry.state = State::Held(value);
            self.free = next;
            self.len += 1;
            return key;
        }
        assert!(self.entries.len() < Self::MAX, "the slab is full");
        let key = Key {
            slot: self.entries.len() as u32, // < MAX
            generation: 0,
        };
        self.entries.push(Entry {
            generation: 0,
            state: State::Held(value),
        });
        self.len += 1;
        key
    }

    #[inline(always)]
    fn entry(&self, key: Key) -> Option<&Entry<T>> {
        match self.entries.get(key.slot as usize) {
            Some(entry) if entry.generation == key.generation => Some(entry),
            _ => None,
        }
    }

    #[inline(always)]
    fn entry_mut(&mut self, key: Key) -> Option<&mut Entry<T>> {
        match self.entries.get_mut(key.slot as usize) {
            Some(entry) if entry.generation == key.generation => Some(entry),
            _ => None,
        }
    }

    /// The entry, unless it is gone.
    #[inline(always)]
    pub(crate) fn get(&self, key: Key) -> Option<&T> {
        match self.entry(key) {
            Some(Entry {
                state: State::Held(value),
                ..
            }) => Some(value),
            _ => None,
        }
    }

    /// The entry for changing, unless it is gone.
    #[inline(always)]
    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        match self.entry_mut(key) {
            Some(Entry {
                state: State::Held(value),
                ..
            }) => Some(value),
            _ => None,
        }
    }

    /// The key that made `token`, whether or not its entry is there, where a
    /// token is a whole key; as [`key_of`](Self::key_of) where it is not.
    #[inline]
    pub(in crate::net) fn key_from(&self, token: usize) -> Option<Key> {
        if usize::BITS < 64 {
            return self.key_of(token);
        }
        Some(Key {
            slot: token as u32,
            generation: (token >> (SLOT_BITS % usize::BITS)) as u32,
        })
    }

    /// Whether the entry is there.
    #[inline]
    pub(crate) fn contains(&self, key: Key) -> bool {
        self.get(key).is_some()
    }

    #[inline]
    pub(crate) fn key_at(&self, slot: u32) -> Option<Key> {
        let entry = self.entries.get(slot as usize)?;
        match entry.state {
            State::Vacant { .. } => None,
            State::Held(_) => Some(Key {
                slot,
                generation: entry.generation,
            }),
        }
    }

    /// The key that made `token` ([`Key::token`]), if its entry is there.
    #[inline]
    pub(crate) fn key_of(&self, token: usize) -> Option<Key> {
        if token & Key::FREE_TOKENS != 0 {
            return None;
        }
        let slot = token & (Key::FREE_TOKENS - 1);
        self.key_at(slot as u32).filter(|key| key.token() == token)
    }

    #[inline]
    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        let free = self.free;
        let entry = self.entry_mut(key)?;
        if !matches!(entry.state, State::Held(_)) {
            return None;
        }
        // A slot that has used up its generations is not used again, so that
        // no stale key ever comes true: 16 bytes and the entry's room for
        // every four billion connections.
        let reuse = entry.generation != u32::MAX;
        let next = if reuse { free } else { NONE };
        let state = core::mem::replace(&mut entry.state, State::Vacant { next });
        if reuse {
            entry.generation += 1;
            self.free = key.slot;
        }
        self.len -= 1;
        match state {
            State::Held(value) => Some(value),
            State::Vacant { .. } => None, // excluded above
        }
    }

    /// The keys of all entries, by slot.
    pub(crate) fn keys(&self) -> impl Iterator<Item = Key> + '_ {
        (0..self.entries.len() as u32).filter_map(|slot| self.key_at(slot))
    }

    /// All entries, by slot.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        (0..).zip(self.entries.iter()).filter_map(|(slot, entry)| {
            let generation = entry.generation;
            match &entry.state {
                State::Held(value) => Some((Key { slot, generation }, value)),
                State::Vacant { .. } => None,
            }
        })
    }
}

/// Makes room in a table by slots for a further entry: for a quarter of what is
/// there, so that thousands of connections do not pay for as many again that
/// never come.
#[inline]
pub(crate) fn grow<T>(table: &mut Vec<T>) {
    if table.len() == table.capacity() {
        table.reserve_exact(table.len() / 4 + 4);
    }
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
