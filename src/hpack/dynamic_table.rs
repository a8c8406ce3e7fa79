//! The dynamic table (RFC 7541 §2.3.2, §4): a ring of bytes.
//!
//! ```text
//!   text     |value|         |name value|name value|name |    wraps anywhere
//!   entries  |  e3 |         |    e0    |    e1    |  e2  ...  a ring as well
//!              newest             oldest
//! ```
//!
//! An entry's name and value lie one after the other in the ring of text, and
//! a record in a second ring says where: any index is found in one step, and
//! an entry goes by moving the start. An entry counts 32 bytes beside its
//! text, so `capacity` bytes of text and `capacity / 32` records always do.

use super::FIELD_OVERHEAD;
use super::memory::{Entry, Memory};
use super::short::{copy, same};

/// The text of an entry: name and value, in one or two pieces.
#[derive(Debug, Clone, Copy)]
pub struct Stored<'t> {
    front: &'t [u8],
    back: &'t [u8],
    name: usize, // <= front.len() + back.len()
}

impl Stored<'_> {
    /// The length of name and value together.
    #[inline]
    pub const fn len(&self) -> usize {
        self.front.len() + self.back.len()
    }

    /// Whether name and value are both empty.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The length of the name.
    #[inline]
    pub const fn name_len(&self) -> usize {
        self.name
    }

    /// Copies the first `n` bytes of name and value to the front of `out`;
    /// `None`, and nothing copied, if there is less room or less text.
    #[inline]
    pub fn copy(&self, n: usize, out: &mut [u8]) -> Option<()> {
        if n > self.len() {
            return None;
        }
        let Some(whole) = self.front.get(..n) else {
            let out = out.get_mut(..n)?;
            let (a, b) = out.split_at_mut(self.front.len()); // below n
            a.copy_from_slice(self.front);
            b.copy_from_slice(&self.back[..n - a.len()]); // n <= len()
            return Some(());
        };
        copy(whole, out)
    }

    #[inline]
    fn is_named(&self, name: &[u8]) -> bool {
        self.name == name.len()
            && match self.front.get(..name.len()) {
                Some(front) => same(front, name),
                None => self.holds(0, name),
            }
    }

    #[inline]
    fn is(&self, name: &[u8], value: &[u8]) -> bool {
        if self.len() != name.len() + value.len() || self.name != name.len() {
            return false;
        }
        match self.front.split_at_checked(name.len()) {
            Some((front, rest)) if self.back.is_empty() => same(front, name) && same(rest, value),
            _ => self.holds(0, name) && self.holds(name.len(), value),
        }
    }

    /// Whether `part` stands at `from`.
    fn holds(&self, from: usize, part: &[u8]) -> bool {
        let text = self.front.iter().chain(self.back).skip(from);
        text.take(part.len()).eq(part)
    }
}

/// Where a table holds a field, as indices into the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TableMatch {
    Field(u32),
    Name(u32),
    Nothing,
}

/// The dynamic table of one direction of a connection.
#[derive(Debug)]
pub struct DynamicTable<M> {
    memory: M,
    capacity: u32,
    size: u32, // <= capacity; text and 32 an entry
    oldest: u32,
    count: u32,
    changes: u64,
}

impl<M: Memory> DynamicTable<M> {
    /// An empty table of at most `capacity` bytes, or of the memory's ceiling
    /// if that is less.
    pub fn new(memory: M, capacity: u32) -> Self {
        let capacity = capacity.min(memory.ceiling());
        Self {
            memory,
            capacity,
            size: 0,
            oldest: 0,
            count: 0,
            changes: 0,
        }
    }

    /// How many entries there are.
    #[inline]
    pub const fn len(&self) -> u32 {
        self.count
    }

    /// Whether it is empty.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The size of all entries (RFC 7541 §4.1).
    #[inline]
    pub const fn size(&self) -> u32 {
        self.size
    }

    /// The size that entries may reach together before the oldest go.
    #[inline]
    pub const fn capacity(&self) -> u32 {
        self.capacity
    }

    /// Counts what has changed the table: while it stays the same, a block
    /// means the same.
    #[inline]
    pub(crate) const fn changes(&self) -> u64 {
        self.changes
    }

    pub(super) fn memory(&self) -> usize {
        let (text, entries) = self.memory.rings();
        text.len() + size_of_val(entries)
    }

    /// The largest capacity that the memory allows.
    #[inline]
    pub fn ceiling(&self) -> u32 {
        self.memory.ceiling()
    }

    /// Changes the capacity (at most the [`ceiling`](Self::ceiling)) and drops
    /// the oldest entries that no longer fit (RFC 7541 §4.3).
    pub fn set_capacity(&mut self, capacity: u32) {
        self.changes += 1;
        self.capacity = capacity.min(self.memory.ceiling());
        self.evict_to(self.capacity);
    }

    /// The entry at `index`, 0 being the newest.
    #[inline]
    pub fn get(&self, index: u32) -> Option<Stored<'_>> {
        if index >= self.count {
            return None;
        }
        Some(self.stored(self.entry(self.slot(self.count - 1 - index))))
    }

    /// Adds an entry as the newest one and drops the oldest ones for it; one
    /// that is larger than the whole table empties it (RFC 7541 §4.4).
    pub fn insert(&mut self, name: &[u8], value: &[u8]) {
        self.insert_hashed(name, value, 0, 0);
    }

    /// Adds an entry whose value stands right after its name.
    pub(super) fn insert_text(&mut self, text: &[u8], name: usize) {
        let value = text.len().saturating_sub(name);
        if let Some(at) = self.add([name, value], 0, 0) {
            write(self.memory.rings_mut().0, at, text);
        }
    }

    /// Drops all entries.
    pub fn clear(&mut self) {
        self.changes += 1;
        self.evict_to(0);
    }

    /// Adds an entry found by its hash, and by its name `distance` from the newest; whether it
    /// was added.
    pub(super) fn insert_hashed(
        &mut self,
        name: &[u8],
        value: &[u8],
        hash: u32,
        distance: u32,
    ) -> bool {
        let Some(at) = self.add([name.len(), value.len()], hash, distance) else {
            return false;
        };
        let (text, _) = self.memory.rings_mut();
        write(text, at, name);
        write(text, wrapped(at + name.len(), text.len()), value);
        true
    }

    /// Adds the record of an entry, and drops the oldest ones for it; returns
    /// where its text goes.
    fn add(&mut self, [name, value]: [usize; 2], hash: u32, distance: u32) -> Option<usize> {
        self.changes += 1;
        let len = name + value;
        let room = (self.capacity as usize).checked_sub(FIELD_OVERHEAD as usize);
        if room.is_none_or(|room| len > room) {
            self.clear();
            return None;
        }
        // Below the capacity, so it fits a u32.
        let charge = len as u32 + FIELD_OVERHEAD;
        let before = if distance > self.count { 0 } else { distance };
        self.evict_to(self.capacity - charge);
        self.make_room(len);
        let at = self.end();
        let slot = self.slot(self.count);
        let (_, entries) = self.memory.rings_mut();
        // All below 64 KiB: the ring is no larger, and the text shorter by 32.
        *entries.get_mut(slot)? = Entry {
            at: at as u16,
            name: name as u16,
            value: value as u16,
            before: before as u16, // a table has 2,048 entries at most
            hash,
        };
        self.count += 1;
        self.size += charge;
        Some(at)
    }

    /// The newest entry that is this field, or of this name if `by_name`, in the chain
    /// `distance` away.
    #[inline]
    pub(super) fn find(
        &self,
        name: &[u8],
        value: &[u8],
        hash: u32,
        mut distance: u32,
        by_name: bool,
    ) -> TableMatch {
        let mut named = TableMatch::Nothing;
        while let Some(nth) = self.count.checked_sub(distance) {
            let entry = self.entry(self.slot(nth));
            if entry.hash == hash && self.stored(entry).is(name, value) {
                return TableMatch::Field(distance - 1); // it is at least 1
            }
            if by_name && named == TableMatch::Nothing && self.stored(entry).is_named(name) {
                named = TableMatch::Name(distance - 1);
            }
            if entry.before == 0 {
                break;
            }
            distance += u32::from(entry.before);
        }
        named
    }

    #[inline]
    pub(super) fn is_at(&self, distance: u32, name: &[u8], value: &[u8]) -> bool {
        let nth = self.count.checked_sub(distance);
        nth.is_some_and(|nth| self.stored(self.entry(self.slot(nth))).is(name, value))
    }

    /// The slot of the `nth` entry from the oldest on.
    #[inline]
    fn slot(&self, nth: u32) -> usize {
        wrapped(
            self.oldest as usize + nth as usize,
            self.memory.rings().1.len(),
        )
    }

    #[inline]
    fn entry(&self, slot: usize) -> Entry {
        self.memory.rings().1.get(slot).copied().unwrap_or_default()
    }

    #[inline]
    fn stored(&self, entry: Entry) -> Stored<'_> {
        let (text, _) = self.memory.rings();
        let (at, len) = (entry.at as usize, entry.len());
        let (front, back) = match text.get(at..at + len) {
            Some(whole) => (whole, &[][..]),
            None => {
                let front = text.get(at..).unwrap_or_default();
                let rest = len.saturating_sub(front.len());
                (front, text.get(..rest).unwrap_or_default())
            }
        };
        Stored {
            front,
            back,
            name: entry.name as usize,
        }
    }

    /// Where the text of the next entry goes.
    #[inline]
    fn end(&self) -> usize {
        if self.count == 0 {
            return 0;
        }
        let newest = self.entry(self.slot(self.count - 1));
        let ring = self.memory.rings().0.len();
        wrapped(newest.at as usize + newest.len(), ring)
    }

    fn evict_to(&mut self, size: u32) {
        while self.size > size && self.count > 0 {
            let gone = self.entry(self.slot(0));
            self.size -= gone.len() as u32 + FIELD_OVERHEAD;
            self.oldest = self.slot(1) as u32;
            self.count -= 1;
        }
    }

    /// Moves to larger memory if `len` bytes and a record do not fit.
    fn make_room(&mut self, len: usize) {
        let (text, entries) = self.memory.rings();
        let live = (self.size - self.count * FIELD_OVERHEAD) as usize;
        let count = self.count as usize;
        if live + len <= text.len() && count < entries.len() {
            return;
        }
        let Some(larger) = self.memory.larger(live + len, count + 1, self.capacity) else {
            debug_assert!(false, "the capacity is above the memory's ceiling");
            return self.clear();
        };
        self.move_to(larger);
    }

    /// Gives back memory that the entries do not take. They stay what they
    /// are; the next one takes new memory.
    pub(super) fn trim(&mut self) {
        let live = (self.size - self.count * FIELD_OVERHEAD) as usize;
        if let Some(smaller) = self.memory.smaller(live, self.count as usize) {
            self.move_to(smaller);
        }
    }

    fn move_to(&mut self, mut memory: M) {
        let count = self.count as usize;
        let (text, entries) = memory.rings_mut();
        let mut at = 0;
        for (nth, to) in entries.iter_mut().enumerate().take(count) {
            let entry = self.entry(self.slot(nth as u32));
            let stored = self.stored(entry);
            let copied = text
                .get_mut(at..)
                .and_then(|to| stored.copy(stored.len(), to));
            debug_assert!(copied.is_some(), "the memory holds what there was");
            *to = Entry {
                at: at as u16,
                ..entry
            };
            at += stored.len();
        }
        self.memory = memory;
        self.oldest = 0;
    }
}

/// `at` in a ring of `len`, for an `at` below twice its length.
#[inline]
const fn wrapped(at: usize, len: usize) -> usize {
    match at.checked_sub(len) {
        Some(rest) => rest,
        None => at,
    }
}

/// Writes `part` into a ring from `at` on. It is no longer than the ring.
#[inline]
fn write(ring: &mut [u8], at: usize, part: &[u8]) {
    if let Some(to) = ring.get_mut(at..)
        && copy(part, to).is_some()
    {
        return;
    }
    let cut = part.len().min(ring.len().saturating_sub(at));
    let (front, back) = part.split_at(cut); // cut <= part.len()
    if let Some(to) = ring.get_mut(at..at + front.len()) {
        to.copy_from_slice(front);
    }
    if let Some(to) = ring.get_mut(..back.len()) {
        to.copy_from_slice(back);
    }
}

#[cfg(feature = "alloc")]
#[cfg(test)]
mod tests;
