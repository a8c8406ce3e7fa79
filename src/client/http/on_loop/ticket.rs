//! The state that a call's handle shares with the driver.

use alloc::rc::Rc;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::{Cell, OnceCell, RefCell};

use crate::client::http::feed::Feed;
use crate::net::{Key, LocalWaker};
use crate::wire::partly_shown;

#[derive(Default)]
pub(super) struct Asked {
    tickets: RefCell<Vec<Rc<Ticket>>>,
    /// The driver looks without being woken.
    is_attended: Cell<bool>,
    pub(super) waker: OnceCell<LocalWaker>,
}

pub(super) struct Ticket {
    asked: Rc<Asked>,
    pub(super) key: Cell<Key>,
    pub(super) feed: Option<Arc<Feed>>,
    pub(super) is_cancelled: Cell<bool>,
    pub(super) is_paused: Cell<bool>,
    pub(super) is_over: Cell<bool>,
    /// It is among those of which something was asked.
    is_noted: Cell<bool>,
    pub(super) held: Cell<usize>,
}

impl Ticket {
    pub(super) const fn new(asked: Rc<Asked>, feed: Option<Arc<Feed>>) -> Self {
        Self {
            asked,
            key: Cell::new(Key::NONE),
            feed,
            is_cancelled: Cell::new(false),
            is_paused: Cell::new(false),
            is_over: Cell::new(false),
            is_noted: Cell::new(false),
            held: Cell::new(0),
        }
    }

    /// Makes the driver look at the call.
    pub(super) fn note(self: &Rc<Self>) {
        if !self.is_over.get() && !self.is_noted.replace(true) {
            self.asked.tickets.borrow_mut().push(self.clone());
            self.asked.wake();
        }
    }
}

impl Asked {
    pub(super) fn wake(&self) {
        if !self.is_attended.get()
            && let Some(waker) = self.waker.get()
        {
            waker.wake();
        }
    }

    pub(super) fn take(&self) -> Vec<Rc<Ticket>> {
        let tickets = self.tickets.take();
        for ticket in &tickets {
            ticket.is_noted.set(false);
        }
        tickets
    }

    /// Whether the driver looks by itself until there is nothing left.
    pub(super) fn attend(&self, attends: bool) {
        self.is_attended.set(attends);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tickets.borrow().is_empty()
    }
}

partly_shown!(it: Ticket { key });
