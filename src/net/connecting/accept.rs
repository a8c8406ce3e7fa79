//! From listening sockets to connections.

use core::mem;

use crate::link::{Event, Link};
use crate::net::exchange::Listening;
use crate::net::turns::connection::{Connection, Phase};
use crate::net::{
    Accepted, Address, Error, Exchange, ListenOptions, Loop, Owner, Poller, Profile, Speaks,
};
use crate::wire::Role;

impl<P: Poller> Loop<P> {
    /// Listens on `address`; the connections are `owner`'s and are judged by
    /// `profile`. Returns the address, with the port that the system chose.
    ///
    /// # Errors
    /// [`Error::Listen`] if the system refuses.
    pub fn listen(
        &mut self,
        address: &Address,
        options: &ListenOptions,
        speaks: Speaks,
        owner: Owner,
        profile: Profile,
    ) -> Result<Address, Error> {
        let refused = |error| Error::Listen {
            address: alloc::format!("{address}"),
            error,
        };
        let listening = Listening {
            speaks,
            owner,
            profile,
            proxied: options.proxy_protocol,
        };
        let Self {
            listeners,
            poller,
            dispatch,
            ..
        } = self;
        dispatch.state.caps.exempt(&options.proxies);
        let number = listeners
            .listen(poller, address, options, listening)
            .map_err(refused)?;
        let local = listeners
            .local_address(poller, number)
            .transpose()
            .map_err(refused)?;
        Ok(local.unwrap_or_else(|| address.clone()))
    }

    /// The number that the next listener will have.
    pub(crate) const fn next_listener(&self) -> u32 {
        self.listeners.next_number()
    }

    /// Closes the listeners from this number on.
    pub(crate) fn unlisten_from(&mut self, first: u32) {
        for number in first..self.listeners.next_number() {
            self.listeners.close(&mut self.poller, number);
        }
    }

    /// Takes the connections that wait at the listeners.
    pub(in crate::net) fn accept(&mut self) {
        self.listeners.elapsed(self.dispatch.state.now);
        if self.listeners.is_ready() {
            let Self {
                listeners,
                poller,
                accepted,
                dispatch,
                ..
            } = self;
            let state = &dispatch.state;
            listeners.accept(poller, &state.caps, &state.limits, accepted);
            self.welcome_all();
        }
    }

    /// Takes the connections that wait, the last ones, and stops listening.
    pub(in crate::net) fn accept_remaining(&mut self) {
        let Self {
            listeners,
            poller,
            accepted,
            dispatch,
            ..
        } = self;
        let state = &dispatch.state;
        listeners.drain(poller, &state.caps, &state.limits, accepted);
        self.welcome_all();
    }

    fn welcome_all(&mut self) {
        let mut accepted = mem::take(&mut self.accepted);
        for one in accepted.drain(..) {
            self.welcome(one);
        }
        self.accepted = accepted;
        let admissions = self.listeners.admissions();
        let counters = &mut self.dispatch.state.counters;
        counters.accepted = admissions.accepted;
        counters.refused = admissions.refused + admissions.refused_address;
        counters.accept_pauses = admissions.pauses;
    }

    /// Makes a connection of a stream that was let in.
    fn welcome(&mut self, accepted: Accepted<P::Stream, Listening>) {
        let Accepted {
            mut stream,
            peer,
            owner:
                Listening {
                    speaks,
                    owner,
                    profile,
                    proxied,
                },
            ..
        } = accepted;
        let state = &mut self.dispatch.state;
        let link = match speaks {
            Speaks::Http => Link::server(state.now),
            Speaks::Http2 => Link::server(state.now),
            Speaks::Raw => Link::raw(Role::Server),
        };
        let mut connection = Connection::new(link, peer, owner, profile.0, Phase::Open);
        let limits = &self.dispatch.profiles[usize::from(profile.0)];
        if let Some(spent) = state.caps.spent(peer, limits, state.now) {
            connection.link.begin_with(spent);
        }
        // Never from who is no proxy: its header would be its own invention.
        let is_proxied = proxied && state.caps.is_exempt(peer);
        if is_proxied {
            connection.phase = Phase::Proxied;
            connection.stalls = state.now + state.limits.proxy_time;
            connection.end_reported = true; // the owner has not been told of it
        }
        let key = state.connections.insert(connection);
        state.counters.active += 1;
        let registered = self.poller.register(&mut stream, key.token());
        self.seat(key, stream);
        match registered {
            Ok(()) if is_proxied => self.settle(key),
            // What has come already raises no further event.
            Ok(()) => {
                let exchange = Exchange {
                    connection: key,
                    stream: 0,
                };
                self.attend(exchange, Event::Opened);
            }
            Err(_) => self.end(key, crate::link::EndReason::Reset),
        }
    }
}
