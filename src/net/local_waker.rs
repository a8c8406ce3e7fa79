//! Calling an exchange, or an owner, from elsewhere on its loop.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

use super::{Exchange, Owner};
use crate::wire::partly_shown;

/// Calls an exchange with [`Event::Woken`](crate::link::Event::Woken), or an owner where
/// the [`Context`](super::Context) that it comes from is for no connection: in this turn
/// of the loop or in the next. It stays on its loop's thread, and costs no lock and no
/// system call; other threads use a [`Remote`](super::Remote).
///
/// Woken several times before it is called, an exchange is called once. One that is over
/// is not called.
#[derive(Clone)]
pub struct LocalWaker(Rc<Woken>);

struct Woken {
    queue: Rc<RefCell<Vec<LocalWaker>>>,
    owner: Owner,
    exchange: Exchange,
    is_queued: Cell<bool>,
}

impl LocalWaker {
    /// Calls it.
    pub fn wake(&self) {
        if !self.0.is_queued.replace(true) {
            self.0.queue.borrow_mut().push(self.clone());
        }
    }

    #[cfg(feature = "client")]
    pub(crate) fn owner(&self) -> Owner {
        self.0.owner
    }

    /// Takes it out of the queue: whom to call.
    pub(super) fn take(&self) -> (Owner, Exchange) {
        self.0.is_queued.set(false);
        (self.0.owner, self.0.exchange)
    }
}

partly_shown!(it: LocalWaker { exchange: it.0.exchange });

/// Those that are to be called, as others on the loop want it.
#[derive(Debug, Default)]
pub(super) struct Wakes(Rc<RefCell<Vec<LocalWaker>>>);

impl Wakes {
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    pub(super) fn waker(&self, owner: Owner, exchange: Exchange) -> LocalWaker {
        LocalWaker(Rc::new(Woken {
            queue: self.0.clone(),
            owner,
            exchange,
            is_queued: Cell::new(false),
        }))
    }

    /// Takes them out, in the order in which they were woken. `round` is empty memory.
    pub(super) fn take(&self, round: &mut Vec<LocalWaker>) {
        core::mem::swap(&mut *self.0.borrow_mut(), round);
    }

    /// Puts those back in front that could not be called in this turn.
    pub(super) fn put_back(&self, mut rest: Vec<LocalWaker>) {
        let mut queue = self.0.borrow_mut();
        rest.append(&mut queue);
        *queue = rest;
    }
}

impl Drop for Wakes {
    /// Those that wait refer to the queue that they wait in.
    fn drop(&mut self) {
        drop(self.0.take());
    }
}
