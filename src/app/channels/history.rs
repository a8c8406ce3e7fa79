//! The history of a channel: the latest publications, in order.
//!
//! ```text
//!   offsets   1 ... 6 │ 7   8   9   10 │ 11 ...
//!             gone    │ entries        │ to come
//!                             head ┘
//! ```

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use super::position::{Epoch, Position};
use super::publication::Publication;
use crate::link::{Account, Charge};
use crate::wire::Instant;

/// How much a channel remembers: as long as all three hold, and not a publication more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct History {
    /// Publications.
    pub publications: usize,
    /// Bytes of their payloads, notes and heads of frames.
    pub bytes: usize,
    /// Their age.
    pub age: Duration,
}

impl History {
    /// A thousand publications of at most 1 MiB together, for five minutes.
    pub const DEFAULT: Self = Self {
        publications: 1_000,
        bytes: 1 << 20,
        age: Duration::from_secs(300),
    };

    crate::wire::setters! {
        with_publications publications: usize,
        with_bytes bytes: usize,
        with_age age: Duration,
    }
}

impl Default for History {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[derive(Debug)]
pub(crate) struct Log {
    head: Position,
    entries: VecDeque<Entry>,
    bytes: usize,
    /// When something was last placed, or somebody left.
    used: Instant,
    charge: Charge,
}

#[derive(Debug)]
struct Entry {
    publication: Publication,
    placed: Instant,
}

impl Log {
    /// A history without publications, whose memory is charged to `account`.
    pub(crate) fn new(epoch: Epoch, account: Option<&Account>, now: Instant) -> Self {
        Self {
            head: Position::new(epoch, 0),
            entries: VecDeque::new(),
            bytes: 0,
            used: now,
            charge: account.map_or(Charge::NONE, |account| account.charge(0)),
        }
    }

    /// The place behind the last publication.
    pub(crate) const fn head(&self) -> Position {
        self.head
    }

    /// Gives a publication the next place and keeps it, dropping older ones for room; if that
    /// does not help it cannot be recovered.
    pub(crate) fn place(
        &mut self,
        publication: Publication,
        now: Instant,
        keep: &History,
    ) -> Publication {
        self.head.offset += 1;
        self.used = now;
        let publication = publication.at(self.head);
        let bytes = publication.len();
        let memory = bytes + size_of::<Entry>();
        let is_kept = keep.publications > 0 && bytes <= keep.bytes && !keep.age.is_zero();
        if !is_kept {
            self.clear();
            return publication;
        }
        self.bytes += bytes;
        while self.entries.len() >= keep.publications
            || (self.bytes > keep.bytes && !self.entries.is_empty())
        {
            self.forget_first();
        }
        while self.charge.try_grow(memory).is_err() {
            if self.entries.is_empty() {
                self.bytes = 0;
                return publication;
            }
            self.forget_first();
        }
        self.entries.push_back(Entry {
            publication: publication.clone(),
            placed: now,
        });
        publication
    }

    fn forget_first(&mut self) {
        if let Some(Entry { publication, .. }) = self.entries.pop_front() {
            let bytes = publication.len();
            self.bytes -= bytes;
            self.charge.shrink(bytes + size_of::<Entry>());
        }
    }

    fn clear(&mut self) {
        while !self.entries.is_empty() {
            self.forget_first();
        }
    }

    pub(crate) fn expire(&mut self, now: Instant, keep: &History) {
        while let Some(first) = self.entries.front()
            && first.placed + keep.age <= now
        {
            self.forget_first();
        }
        if self.entries.capacity() > 64 && self.entries.len() < self.entries.capacity() / 4 {
            self.entries.shrink_to(2 * self.entries.len());
        }
    }

    /// Publications behind a position; `None` if some are gone, or the position is none
    /// of this channel's.
    pub(crate) fn since(
        &mut self,
        position: Position,
        now: Instant,
        keep: &History,
    ) -> Option<Vec<Publication>> {
        self.expire(now, keep);
        let Position { epoch, offset } = position;
        let missed = self.head.offset.checked_sub(offset)?;
        let missed = usize::try_from(missed).ok()?;
        if epoch != self.head.epoch || missed > self.entries.len() {
            return None;
        }
        let from = self.entries.len() - missed;
        let publications = self.entries.range(from..);
        Some(publications.map(|it| it.publication.clone()).collect())
    }

    /// Notes that somebody has left, who may come back.
    pub(crate) const fn touch(&mut self, now: Instant) {
        self.used = now;
    }

    /// Whether there is nothing left to come back for.
    pub(crate) fn is_over(&mut self, now: Instant, keep: &History) -> bool {
        self.expire(now, keep);
        self.entries.is_empty() && self.used + keep.age <= now
    }

    /// Publications that are kept, and their bytes.
    pub(crate) fn held(&self) -> (usize, usize) {
        (self.entries.len(), self.bytes)
    }
}

#[cfg(test)]
mod tests;
