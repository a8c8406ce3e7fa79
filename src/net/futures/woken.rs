//! The slots of futures, and the list of those that have been woken.
//!
//! ```text
//!  slots:  [ target | polled | link ]  [ target | polled | - ]  [ target | polled | link ]
//!                             ▲                                                    ▲
//!  list:   first ─────────────┘ ──────────────────────────────────────────► last ──┘
//! ```
//!
//! The list is a chain through the slots themselves, so that a wake needs no memory and is
//! never dropped. A slot that is woken again before it is polled stays where it is. A key
//! of an earlier generation finds nothing.

use crate::net::{Exchange, Key, Owner, Slab};

/// Who polls a future: the owner of an exchange ([`Exchange::NONE`]: the owner itself), by
/// a number of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) owner: Owner,
    pub(crate) exchange: Exchange,
    pub(crate) token: u64,
}

/// The place of one future.
#[derive(Debug)]
struct Slot {
    target: Target,
    /// The turn in which it was polled last.
    polled: u64,
    /// Its place in the list, if it has been woken.
    link: Option<Link>,
}

#[derive(Debug, Clone, Copy)]
struct Link {
    before: Option<Key>,
    after: Option<Key>,
}

/// The slots of a loop, some of which have been woken.
#[derive(Debug)]
pub(super) struct Woken {
    slots: Slab<Slot>,
    ends: Option<(Key, Key)>, // the first and the last that were woken
    len: usize,               // of the list
}

impl Woken {
    pub(super) const fn new() -> Self {
        Self {
            slots: Slab::new(),
            ends: None,
            len: 0,
        }
    }

    /// How many have been woken.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// How many slots are in use.
    #[cfg(test)]
    pub(super) const fn slots(&self) -> usize {
        self.slots.len()
    }

    /// A slot for a future that is polled for the first time in this turn.
    pub(super) fn add(&mut self, target: Target, polled: u64) -> Key {
        let link = None;
        self.slots.insert(Slot {
            target,
            polled,
            link,
        })
    }

    /// Gives up a slot.
    pub(super) fn remove(&mut self, key: Key) {
        self.unlink(key);
        self.slots.remove(key);
    }

    /// Has another called for the future in this slot.
    pub(super) fn aim(&mut self, key: Key, target: Target) {
        if let Some(slot) = self.slots.get_mut(key) {
            slot.target = target;
        }
    }

    /// The future in this slot is polled now: it has seen whatever woke it.
    pub(super) fn begin_poll(&mut self, key: Key, turn: u64) {
        self.unlink(key);
        if let Some(slot) = self.slots.get_mut(key) {
            slot.polled = turn;
        }
    }

    /// Wakes a slot, unless it is gone or has been woken already; whether it is the first of
    /// the list.
    pub(super) fn wake(&mut self, key: Key) -> bool {
        let last = self.ends.map(|(_, last)| last);
        let Some(slot) = self.slots.get_mut(key).filter(|it| it.link.is_none()) else {
            return false;
        };
        slot.link = Some(Link {
            before: last,
            after: None,
        });
        if let Some(before) = last.and_then(|last| self.link_mut(last)) {
            before.after = Some(key);
        }
        let first = self.ends.map_or(key, |(first, _)| first);
        self.ends = Some((first, key));
        self.len += 1;
        self.len == 1
    }

    /// Takes the first out of the list of those that have not been polled in this turn: one
    /// that has woken itself waits for the next. Looks at no more than `left`.
    pub(super) fn next(&mut self, turn: u64, left: &mut usize) -> Option<Target> {
        while *left > 0 {
            *left -= 1;
            let (first, _) = self.ends?;
            self.unlink(first);
            let slot = self.slots.get(first)?;
            if slot.polled != turn {
                return Some(slot.target);
            }
            self.wake(first);
        }
        None
    }

    /// Forgets all slots: their keys name nothing from here on.
    pub(super) fn clear(&mut self) {
        *self = Self::new();
    }

    fn link_mut(&mut self, key: Key) -> Option<&mut Link> {
        self.slots.get_mut(key)?.link.as_mut()
    }

    fn unlink(&mut self, key: Key) {
        let slot = self.slots.get_mut(key);
        let Some(Link { before, after }) = slot.and_then(|slot| slot.link.take()) else {
            return;
        };
        if let Some(link) = before.and_then(|key| self.link_mut(key)) {
            link.after = after;
        }
        if let Some(link) = after.and_then(|key| self.link_mut(key)) {
            link.before = before;
        }
        self.len -= 1; // it was in the list
        self.ends = self.ends.and_then(|(first, last)| match (before, after) {
            (None, None) => None,
            (None, Some(after)) => Some((after, last)),
            (Some(before), None) => Some((first, before)),
            (Some(_), Some(_)) => Some((first, last)),
        });
    }
}

#[cfg(test)]
mod tests;
