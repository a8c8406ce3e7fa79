//! The states of a loop, lent for one body or one event.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;

use super::encode::Encoder;
use super::name::Coding;
use super::work::Purpose;

/// How many states are kept for the next user.
pub(crate) const KEPT: usize = 6;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Made {
    pub(crate) coding: Coding,
    pub(crate) level: u8,
    pub(crate) purpose: Purpose,
}

impl Made {
    pub(crate) fn make(self) -> Option<Encoder> {
        Encoder::new(self.coding, self.level, self.purpose)
    }
}

/// Unused states. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lent(Rc<RefCell<Vec<(Made, Encoder)>>>);

impl Lent {
    /// A state, which is to be begun. `None` if there was no memory for it.
    pub(crate) fn take(&self, made: Made) -> Option<Encoder> {
        let mut spare = self.0.borrow_mut();
        match spare.iter().rposition(|it| it.0 == made) {
            Some(at) => Some(spare.swap_remove(at).1),
            None => made.make(),
        }
    }

    /// Takes a state back; of those unused for longest, one goes.
    pub(crate) fn give_back(&self, made: Made, encoder: Encoder) {
        let mut spare = self.0.borrow_mut();
        if spare.len() == KEPT {
            spare.remove(0);
        }
        spare.push((made, encoder));
    }

    /// Lends a state for one call. `None` if there was no memory, or `work` has failed.
    pub(crate) fn with<R, F>(
        &self,
        made: Made,
        work: impl FnOnce(&mut Encoder) -> Result<R, F>,
    ) -> Option<R> {
        let mut encoder = self.take(made)?;
        let done = work(&mut encoder).ok()?;
        self.give_back(made, encoder);
        Some(done)
    }
}
