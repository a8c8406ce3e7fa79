//! A loop, whatever system it runs over.

use alloc::boxed::Box;

use super::{Context, Handler, Loop, Owner, Poller, Profile, Remote};
use crate::link;

/// A [`Loop`] over any system, for what is put on it: handlers, and clients such as
/// `client::Client` and `client::Channel`.
///
/// `&mut Loop` becomes one by itself. Only loops are.
pub trait AnyLoop: sealed::Sealed {
    /// Adds a handler, as [`Loop::add`] does.
    fn add_handler(&mut self, handler: Box<dyn Handler>) -> Owner;

    /// Adds limits, as [`Loop::profile`] does.
    fn add_profile(&mut self, limits: link::Limits) -> Profile;

    /// A handle that reaches the loop from any thread.
    fn remote(&self) -> Remote;

    /// Lets `act` use a context of this owner that belongs to no connection, once, as
    /// [`Loop::enter`] does.
    fn enter_owner(&mut self, owner: Owner, act: &mut dyn FnMut(&mut Context<'_>));
}

mod sealed {
    pub trait Sealed {}
}

impl<P: Poller> sealed::Sealed for Loop<P> {}

impl<P: Poller> AnyLoop for Loop<P> {
    fn add_handler(&mut self, handler: Box<dyn Handler>) -> Owner {
        self.add_boxed(handler)
    }

    fn add_profile(&mut self, limits: link::Limits) -> Profile {
        self.profile(limits)
    }

    fn remote(&self) -> Remote {
        Self::remote(self)
    }

    fn enter_owner(&mut self, owner: Owner, act: &mut dyn FnMut(&mut Context<'_>)) {
        self.enter(owner, act);
    }
}
