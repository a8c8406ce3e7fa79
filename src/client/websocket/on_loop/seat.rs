//! Owners of connections.

use alloc::boxed::Box;
use alloc::rc::Rc;
use core::cell::Cell;

use super::{Attempt, Line, News};
use crate::net::Key;
use crate::wire::Instant;

/// An owner of a connection, or one that wants a connection.
pub(crate) trait Seat {
    fn place(&self) -> &Place;

    /// Something has come on its connection, which is at this stage.
    fn told(self: Rc<Self>, news: News<'_>, line: &mut Line<'_, '_>);

    /// Does what is to be done now. What it wants next.
    fn step(self: Rc<Self>, line: &mut Line<'_, '_>) -> Wish;

    fn cancel(&self);

    fn drain(&self);

    fn gone(self: Rc<Self>);
}

pub(crate) enum Wish {
    /// To be called then, or when something comes.
    Until(Instant),
    Connect(Box<Attempt>),
    Cut,
    Over,
}

/// Which seat it is, and whether somebody has asked for it.
pub(crate) struct Place {
    pub(super) key: Cell<Key>,
    pub(super) is_asked: Cell<bool>,
}

impl Place {
    pub(crate) const fn new() -> Self {
        Self {
            key: Cell::new(Key::NONE),
            is_asked: Cell::new(false),
        }
    }
}
