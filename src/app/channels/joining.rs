//! A member that is given what it missed, while more is published.
//!
//! ```text
//!   history:  5 6 7 8 │           held while the member waits for its history
//!   live:         7 8 │ 9 10      those that the history has are dropped
//!   member:   5 6 7 8   9 10      each once, in order
//! ```

use alloc::vec::Vec;

use super::position::Position;
use super::publication::Publication;

/// Publications that a member gets before those from now on.
#[derive(Debug)]
pub(crate) struct Joining {
    /// Where the history ends that it gets; `None` as long as that has not come.
    head: Option<Position>,
    asked: bool,
    missed: Vec<Publication>,
    /// Publications of the meantime, and their places; nothing for those it does not get.
    live: Vec<(Option<Position>, Option<Publication>)>,
    bytes: usize,
}

impl Joining {
    /// A member whose history is still to come.
    pub(crate) const fn waiting(asked: bool) -> Self {
        Self {
            head: None,
            asked,
            missed: Vec::new(),
            live: Vec::new(),
            bytes: 0,
        }
    }

    /// A member that gets this, and what comes after it.
    pub(crate) fn with(head: Position, missed: Vec<Publication>) -> Self {
        let mut joining = Self::waiting(true);
        joining.history(head, missed);
        joining
    }

    pub(crate) fn history(&mut self, head: Position, missed: Vec<Publication>) {
        self.head = Some(head);
        self.bytes += missed.iter().map(Publication::len).sum::<usize>();
        self.missed = missed;
        self.live
            .retain(|it| it.0.is_none_or(|at| is_behind(head, at)));
    }

    pub(crate) const fn asked(&self) -> Option<bool> {
        match self.head {
            None => Some(self.asked),
            Some(_) => None,
        }
    }

    /// Something is published while the member waits. Returns how many bytes it holds.
    pub(crate) fn push(&mut self, publication: &Publication) -> usize {
        self.hold(publication.position(), Some(publication))
    }

    /// Notes a publication that the member does not get.
    pub(crate) fn skip(&mut self, at: Option<Position>) {
        self.hold(at, None);
    }

    fn hold(&mut self, at: Option<Position>, publication: Option<&Publication>) -> usize {
        if self
            .head
            .zip(at)
            .is_none_or(|(head, at)| is_behind(head, at))
        {
            self.bytes += size_of::<(Option<Position>, Option<Publication>)>();
            self.bytes += publication.map_or(0, Publication::len);
            self.live.push((at, publication.cloned()));
        }
        self.bytes
    }

    /// The publications that the member gets now, in order, and whether that is all; from here on
    /// it gets what is published.
    pub(crate) fn finish(self) -> (impl Iterator<Item = Publication>, bool) {
        let (mut last, mut is_whole) = (self.head, true);
        let mut live = self.live;
        live.retain(|&(at, _)| {
            if at.is_some() && is_whole {
                let next = last.map(|it| Position::new(it.epoch, it.offset + 1));
                is_whole = at == next;
                last = at;
            }
            is_whole
        });
        let live = live.into_iter().filter_map(|it| it.1);
        (self.missed.into_iter().chain(live), is_whole)
    }
}

/// Whether something is not in a history up to `head`: it comes after that, or the channel
/// has another life.
fn is_behind(head: Position, at: Position) -> bool {
    at.epoch != head.epoch || at.offset > head.offset
}

#[cfg(test)]
mod tests;
