//! The wishes that handles leave for the owner of their connections.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, OnceCell, RefCell};

use super::Seat;
use crate::link::Account;
use crate::net::LocalWaker;

/// Where handles leave what they want.
#[derive(Default)]
pub(crate) struct Desk {
    waker: OnceCell<LocalWaker>,
    account: OnceCell<Account>,
    asked: RefCell<Vec<Rc<dyn Seat>>>,
    is_gone: Cell<bool>,
}

impl Desk {
    /// Has a seat called: in this turn of the loop, or in the next.
    pub(crate) fn ask(&self, seat: Rc<dyn Seat>) {
        if self.is_gone.get() || seat.place().is_asked.replace(true) {
            return;
        }
        self.asked.borrow_mut().push(seat);
        if let Some(waker) = self.waker.get() {
            waker.wake();
        }
    }

    pub(crate) const fn is_gone(&self) -> bool {
        self.is_gone.get()
    }

    pub(super) fn begin(&self, waker: LocalWaker, account: Account) {
        // Each is set once.
        let _ = self.waker.set(waker);
        let _ = self.account.set(account);
    }

    pub(crate) fn account(&self) -> Option<&Account> {
        self.account.get()
    }

    pub(super) fn waker(&self) -> Option<&LocalWaker> {
        self.waker.get()
    }

    pub(super) fn take(&self) -> Vec<Rc<dyn Seat>> {
        let asked = self.asked.take();
        for seat in &asked {
            seat.place().is_asked.set(false);
        }
        asked
    }

    pub(super) fn close(&self) {
        self.is_gone.set(true);
    }
}
