//! Parcels at the ends of responses, and when they are given back.

use alloc::boxed::Box;
use core::any::Any;
use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use super::connection::Connection;
use super::dispatch::Dispatch;
use super::state::State;
use crate::link::Charge;
use crate::net::stores::departures::Departure;
use crate::net::{Context, Cork, Exchange, Key};

impl Context<'_> {
    /// The owner has written the last of its response in this exchange, or
    /// given the exchange up: has
    /// [`Handler::departed`](crate::net::Handler::departed) called with `parcel`
    /// once the kernel has taken all of it, or it is certain that some will not
    /// leave.
    ///
    /// ```
    /// use std::any::Any;
    ///
    /// use barewire::http::{Fields, ResponseHead, Status};
    /// use barewire::link::{self, Body, Event};
    /// use barewire::net::{Context, Handler, Limits, ListenOptions, Loop, Scripted, Speaks};
    ///
    /// struct Hello;
    ///
    /// impl Handler for Hello {
    ///     fn event(&mut self, context: &mut Context<'_>, event: Event<'_>) {
    ///         if let Event::Request { .. } = event {
    ///             let head = ResponseHead::new(Status::OK, Fields::EMPTY);
    ///             context.respond(&head, Body::Whole(b"hello")).unwrap();
    ///             context.on_departure(Box::new("the greeting"));
    ///         }
    ///     }
    ///
    ///     fn departed(&mut self, context: &mut Context<'_>, parcel: Box<dyn Any>, unsent: u64) {
    ///         assert_eq!((parcel.downcast_ref(), unsent), (Some(&"the greeting"), 0));
    ///         context.remote().drain(None);
    ///     }
    /// }
    ///
    /// let world = Scripted::new();
    /// let mut events = Loop::with_poller(world.clone(), Limits::DEFAULT)?;
    /// let owner = events.add(Hello);
    /// let profile = events.profile(link::Limits::DEFAULT);
    /// let (address, options) = ("127.0.0.1:80".parse()?, ListenOptions::DEFAULT);
    /// events.listen(&address, &options, Speaks::Http, owner, profile)?;
    /// let client = world.connect_client(0);
    /// world.send(client, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    /// world.eof(client);
    /// events.run()?; // until `departed` has asked it to stop
    /// # Ok::<(), barewire::net::Error>(())
    /// ```
    pub fn on_departure(&mut self, parcel: Box<dyn Any>) {
        self.on_departure_sized(parcel, 0);
    }

    /// Leaves a parcel, as [`on_departure`](Self::on_departure) does, that refers to
    /// `bytes` bytes of memory. They are charged to the connection while the parcel
    /// waits.
    pub fn on_departure_sized(&mut self, parcel: Box<dyn Any>, bytes: usize) {
        let (owner, exchange) = (self.owner, self.exchange);
        let Exchange { connection, stream } = exchange;
        let state = &mut *self.state;
        let corked = state.cork_of(connection).map_or(0, Cork::len);
        let (mut ends, mut unsent) = (None, 0);
        if let Some(it) = state.connections.get(connection) {
            let written = it.end() + corked as u64;
            // What is still owed, the loop is about to answer.
            let is_put = it.link.queued(stream) == 0 && !it.link.owes_response(stream);
            ends = is_put.then_some(written);
            unsent = it.link.unsent(stream);
        }
        let bytes = bytes + size_of::<Departure>() + size_of_val(&*parcel);
        state.departures.add(Departure {
            owner,
            exchange,
            parcel,
            ends,
            unsent,
            bytes,
            charge: Charge::NONE,
        });
    }

    /// The exchange is over: what its stream has dropped will not leave.
    pub(crate) fn note_dropped(&mut self) {
        let exchange = self.exchange;
        let it = self.state.connections.get(exchange.connection);
        let dropped = it.map_or(0, |it| it.link.unsent(exchange.stream));
        let departures = self.state.departures.of(exchange.connection);
        for departure in departures.filter(|it| it.exchange == exchange) {
            departure.unsent += dropped;
        }
    }
}

impl State {
    /// A connection is over: what waits in it will not leave.
    #[cold]
    pub(super) fn strand(&mut self, connection: &Connection, key: Key) {
        let sent = connection.sent;
        for departure in self.departures.of(key) {
            let written = connection.end();
            let ends = departure.ends.unwrap_or(written).min(written);
            let queued = connection.link.queued(departure.exchange.stream);
            departure.unsent += ends.saturating_sub(sent) + queued as u64;
        }
        self.departures.end(key);
    }

    /// Drops output of a connection that is not sealed: it will not leave.
    #[cold]
    pub(crate) fn drop_unsealed(&mut self, key: Key) {
        if key == self.current {
            self.cork.clear();
        }
        let Some(connection) = self.connections.get_mut(key) else {
            return;
        };
        let before = connection.end();
        connection.backlog.clear_unsealed(&mut self.queues);
        let after = connection.end();
        for departure in self.departures.of(key) {
            let ends = departure.ends.unwrap_or(before);
            departure.unsent += ends.saturating_sub(after);
            departure.ends = Some(ends.min(after));
        }
    }
}

impl Dispatch {
    /// Gives the parcels back before which all has left.
    #[cold]
    pub(super) fn tell_departed(&mut self) {
        for departure in self.state.departures.take_due() {
            self.look_at(departure);
        }
        while let Some(departure) = self.state.departures.take_fresh() {
            self.look_at(departure);
        }
    }

    /// Gives a parcel back if all in front of it has left.
    fn look_at(&mut self, mut departure: Departure) {
        let State {
            departures,
            connections,
            ..
        } = &mut self.state;
        // One that is packed has nothing waiting; of one that has ended, what
        // did not leave has been noted.
        match connections.get(departure.exchange.connection) {
            Some(it) if !has_left(it, &mut departure) => {
                // What waits has been charged, and so there is an account.
                departure.charge.move_to(it.link.account());
                departure.charge.set(departure.bytes);
                departures.put_back(departure);
            }
            Some(_) | None => self.give_back(departure),
        }
    }

    fn give_back(&mut self, departure: Departure) {
        let Self {
            handlers, state, ..
        } = self;
        let owner = departure.owner;
        let Some(handler) = handlers.get_mut(usize::from(owner.0)) else {
            return;
        };
        // Its connection may be over, or another's by now.
        let mut context = Context::new(state, owner, Exchange::NONE);
        let Departure { parcel, unsent, .. } = departure;
        let call = || handler.departed(&mut context, parcel, unsent);
        if catch_unwind(AssertUnwindSafe(call)).is_err() {
            state.counters.panics += 1;
        }
    }
}

/// Whether nothing waits any more of what the owner has written.
fn has_left(connection: &Connection, departure: &mut Departure) -> bool {
    if departure.ends.is_none() && connection.link.queued(departure.exchange.stream) == 0 {
        departure.ends = Some(connection.end());
    }
    let is_sent = |ends| connection.backlog.is_empty() || ends <= connection.sent;
    departure.ends.is_some_and(is_sent)
}
