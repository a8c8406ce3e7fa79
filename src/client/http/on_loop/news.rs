//! Requests of the application that the driver has not handled yet.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

use super::running::Running;
use super::ticket::Asked;
use crate::client::http::shared_state::Shared;
use crate::wire::partly_shown;

/// State that the handles of a client share with its driver.
pub(super) struct Desk {
    pub(super) client: Arc<Shared>,
    news: RefCell<Vec<News>>,
    pub(super) asked: Rc<Asked>,
    /// There is no driver any more.
    pub(super) is_gone: Cell<bool>,
    pub(super) counts: Cell<(usize, usize)>,
}

pub(super) enum News {
    Open(Box<Running>),
    CloseIdle,
    /// The last clone of the client was dropped.
    Leave,
}

impl Desk {
    pub(super) fn new(client: Arc<Shared>) -> Self {
        Self {
            client,
            news: RefCell::new(Vec::new()),
            asked: Rc::default(),
            is_gone: Cell::new(false),
            counts: Cell::new((0, 0)),
        }
    }

    pub(super) fn note(&self, news: News) {
        self.news.borrow_mut().push(news);
        self.asked.wake();
    }

    /// Takes out what there is, in the order in which it came. `round` is empty memory.
    pub(super) fn take(&self, round: &mut Vec<News>) {
        core::mem::swap(&mut *self.news.borrow_mut(), round);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.news.borrow().is_empty() && self.asked.is_empty()
    }
}

partly_shown!(Desk);
