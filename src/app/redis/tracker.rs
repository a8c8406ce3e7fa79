//! The order of one channel with history: what may be delivered, and what is missing.
//!
//! ```text
//!   delivered ... 7 │ 8 is missing │ 9 10 held        reading from 7 fills it
//! ```

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::app::channels::position::Position;
use crate::app::channels::publication::Publication;

#[derive(Debug)]
pub(crate) enum Told {
    Deliver(Publication),
    /// They will not be given what they have not been given up to here.
    Lost(Position),
}

/// A part of a channel's history without holes: what came behind `from`, up to `head`.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) head: Position,
    /// The offset behind which nothing is missing.
    pub(crate) from: u64,
    pub(crate) entries: Vec<Publication>,
}

impl Run {
    /// Publications behind one of these positions; `None` if none is of this channel, or
    /// some of it is gone.
    pub(crate) fn since(&self, positions: &[Position]) -> Option<Vec<Publication>> {
        let since = positions.iter().find(|it| it.epoch == self.head.epoch)?;
        let is_known = (self.from..=self.head.offset).contains(&since.offset);
        let skipped = usize::try_from(since.offset.checked_sub(self.from)?).ok()?;
        is_known.then(|| self.entries.get(skipped..).unwrap_or_default().to_vec())
    }
}

/// The delivered and the waiting part of one channel.
#[derive(Debug, Default)]
pub(crate) struct Tracker {
    delivered: Option<Position>,
    held: BTreeMap<u64, Publication>,
    held_bytes: usize,
    /// Something is missing in front of what is held, or may be.
    is_behind: bool,
}

impl Tracker {
    pub(crate) const fn delivered(&self) -> Option<Position> {
        self.delivered
    }

    pub(crate) const fn is_behind(&self) -> bool {
        self.is_behind
    }

    /// Something may have come unannounced.
    pub(crate) const fn suspect(&mut self) {
        self.is_behind = true;
    }

    /// The history cannot be read for now.
    pub(crate) const fn rest(&mut self) {
        self.is_behind = false;
    }

    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }

    /// Something has come live. At most `most` bytes are held.
    pub(crate) fn arrived(
        &mut self,
        publication: Publication,
        most: usize,
        tell: &mut dyn FnMut(Told),
    ) {
        let Some(position) = publication.position() else {
            return tell(Told::Deliver(publication));
        };
        if let Some(delivered) = self.delivered
            && delivered.epoch == position.epoch
        {
            if position.offset <= delivered.offset {
                return;
            }
            if position.offset == delivered.offset + 1 {
                self.delivered = Some(position);
                tell(Told::Deliver(publication));
                return self.drain(tell);
            }
        }
        self.is_behind = true;
        self.held_bytes += publication.len();
        if let Some(before) = self.held.insert(position.offset, publication) {
            self.held_bytes -= before.len();
        }
        if self.held_bytes > most {
            self.held.clear(); // the history has it
            self.held_bytes = 0;
        }
    }

    pub(crate) fn read(&mut self, run: &Run, tell: &mut dyn FnMut(Told)) {
        self.is_behind = false;
        let head = run.head;
        match self.delivered {
            None => self.delivered = Some(head),
            Some(delivered) if delivered.epoch != head.epoch || delivered.offset < run.from => {
                tell(Told::Lost(head));
                self.delivered = Some(head);
            }
            // It was read before what has come meanwhile.
            Some(delivered) if delivered.offset >= head.offset => {}
            Some(delivered) => {
                let skipped = usize::try_from(delivered.offset - run.from).unwrap_or(usize::MAX);
                for publication in run.entries.get(skipped..).unwrap_or_default() {
                    // What has come live says for whom it is not.
                    let place = publication.position();
                    let live = place.and_then(|it| self.held.get(&it.offset));
                    let is_it = |it: &&Publication| it.position() == place;
                    let publication = live.filter(is_it).unwrap_or(publication);
                    tell(Told::Deliver(publication.clone()));
                }
                self.delivered = Some(head);
            }
        }
        self.drain(tell);
    }

    /// Delivers what is held and comes next.
    fn drain(&mut self, tell: &mut dyn FnMut(Told)) {
        while let Some(delivered) = self.delivered
            && let Some(entry) = self.held.first_entry()
        {
            let position = entry.get().position();
            let is_next = position
                .is_some_and(|it| it.epoch == delivered.epoch && it.offset == delivered.offset + 1);
            let is_old = position
                .is_none_or(|it| it.epoch != delivered.epoch || it.offset <= delivered.offset);
            if !is_next && !is_old {
                self.is_behind = true;
                return;
            }
            let publication = entry.remove();
            self.held_bytes -= publication.len();
            if is_next {
                self.delivered = position;
                tell(Told::Deliver(publication));
            }
        }
    }
}

#[cfg(test)]
mod tests;
