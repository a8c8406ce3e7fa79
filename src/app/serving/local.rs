//! Values of an app, one for each of its loops.

use alloc::boxed::Box;

use super::builder::App;
use crate::net::{AnyLoop, Error};

impl App {
    /// Calls `make` once on each loop of the app, before it listens, and keeps what it
    /// returns there: [`Request::local`](crate::app::Request::local) gives it to routes.
    /// It never leaves the loop's thread, so that it need not be [`Send`]. There is one
    /// value of each type.
    ///
    /// A client of an upstream server belongs here, which calls on the same loop as the route
    /// that it is called from. An error keeps the app from starting.
    ///
    /// ```
    /// use barewire::app::App;
    /// use core::cell::Cell;
    ///
    /// /// Requests that this loop has seen.
    /// struct Seen(Cell<u64>);
    ///
    /// App::new()
    ///     .threads(2)
    ///     .on_each_loop(|_events| Ok(Seen(Cell::new(0))))
    ///     .get("/", |request, reply| {
    ///         let seen = request.local::<Seen>().map_or(0, |seen| {
    ///             seen.0.set(seen.0.get() + 1);
    ///             seen.0.get()
    ///         });
    ///         reply.text(format!("request {seen} of this loop"))
    ///     });
    /// ```
    #[must_use]
    pub fn on_each_loop<T: 'static>(
        mut self,
        make: impl Fn(&mut dyn AnyLoop) -> Result<T, Error> + Send + Sync + 'static,
    ) -> Self {
        self.locals.push(Box::new(move |events, locals| {
            locals.insert(make(events)?);
            Ok(())
        }));
        self
    }
}
