//! From listening sockets to connections, and through the header of the PROXY protocol
//! that some begin with.

use core::mem;

use super::listening::Listening;
use super::proxy_header::{Source, read_proxy_header};
use crate::link::{EndReason, Event};
use crate::net::report::report;
use crate::net::transport::secured::LEAST_READ;
use crate::net::turns::connection::{Connection, Phase, Reported};
use crate::net::{
    Accepted, Address, Error, Exchange, Key, ListenOptions, Listener, Loop, Owner, Poller, Profile,
    Speaks, TransportMaker,
};
use crate::wire::{Instant, Role};

impl<P: Poller> Loop<P> {
    /// Listens on `address`; the connections are `owner`'s and are subject to
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
        self.listen_with(address, options, None, speaks, owner, profile)
    }

    /// Listens on `address` as [`listen`](Self::listen) does; each connection has a
    /// transport of its own, and speaks what that has agreed on, or `speaks`.
    ///
    /// # Errors
    /// [`Error::Listen`] if the system refuses, [`Error::Config`] if
    /// [`read_size`](crate::net::Limits::read_size) has no room for a record:
    /// 18 KiB and what a connection may keep beside it.
    pub fn listen_over(
        &mut self,
        address: &Address,
        options: &ListenOptions,
        transport: &TransportMaker,
        speaks: Speaks,
        owner: Owner,
        profile: Profile,
    ) -> Result<Address, Error> {
        if self.buffers.size() < LEAST_READ {
            return Err(Error::Config("read_size must have room for a record"));
        }
        let transport = Some(transport.clone());
        self.listen_with(address, options, transport, speaks, owner, profile)
    }

    fn listen_with(
        &mut self,
        address: &Address,
        options: &ListenOptions,
        transport: Option<TransportMaker>,
        speaks: Speaks,
        owner: Owner,
        profile: Profile,
    ) -> Result<Address, Error> {
        let listening = Listening {
            speaks,
            owner,
            profile,
            proxied: options.proxy_protocol,
            transport,
        };
        let open = |poller: &mut P, token| poller.listen(address, options, token);
        self.add_listener(address, options, listening, open)
    }

    /// Accepts from a socket that listens already, as [`listen`](Self::listen) does or, with a
    /// transport, [`listen_over`](Self::listen_over).
    pub(crate) fn adopt(
        &mut self,
        listener: Listener,
        options: &ListenOptions,
        transport: Option<&TransportMaker>,
        speaks: Speaks,
        owner: Owner,
        profile: Profile,
    ) -> Result<Address, Error> {
        if transport.is_some() && self.buffers.size() < LEAST_READ {
            return Err(Error::Config("read_size must have room for a record"));
        }
        let listening = Listening {
            speaks,
            owner,
            profile,
            proxied: options.proxy_protocol,
            transport: transport.cloned(),
        };
        let address = listener.local_address()?;
        let open = |poller: &mut P, token| poller.adopt(listener, options, token);
        self.add_listener(&address, options, listening, open)
    }

    fn add_listener(
        &mut self,
        address: &Address,
        options: &ListenOptions,
        listening: Listening,
        open: impl FnOnce(&mut P, usize) -> std::io::Result<P::Listener>,
    ) -> Result<Address, Error> {
        let refused = |error| Error::Listen {
            address: alloc::format!("{address}"),
            error,
        };
        let Self {
            listeners,
            poller,
            dispatch,
            ..
        } = self;
        dispatch.state.caps.exempt(options);
        let number = listeners
            .add(|token| open(poller, token), listening)
            .map_err(refused)?;
        let local = listeners
            .local_address(poller, number)
            .transpose()
            .map_err(refused)?;
        Ok(local.unwrap_or_else(|| address.clone()))
    }

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
            let room = self.handshake_room();
            let Self {
                listeners,
                poller,
                accepted,
                dispatch,
                ..
            } = self;
            let state = &dispatch.state;
            let room = |listening: &Listening, accepted: usize| match listening.transport {
                Some(_) => u32::try_from(room.saturating_sub(accepted)).unwrap_or(u32::MAX),
                None => u32::MAX,
            };
            listeners.accept(poller, &state.caps, &state.limits, room, accepted);
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
                    transport,
                },
            ..
        } = accepted;
        let state = &mut self.dispatch.state;
        let link = speaks.link(Role::Server, state.now);
        let mut connection = Connection::new(link, peer, owner, profile.0, Phase::Open);
        let limits = &self.dispatch.profiles[usize::from(profile.0)];
        if let Some(spent) = state.caps.spent(peer, limits, state.now) {
            connection.link.begin_with(spent);
        }
        // Never from who is no proxy: its header would be its own invention.
        let is_proxied = proxied && state.caps.is_proxy(peer);
        if is_proxied {
            connection.phase = Phase::Proxied;
            connection.stalls = state.now + state.limits.proxy_time;
            connection.reported = Reported::Nothing;
        }
        let key = state.connections.insert(connection);
        state.counters.active += 1;
        let registered = self.poller.register(&mut stream, key.token());
        self.sockets.seat(key, stream);
        if let Some(maker) = transport {
            self.secure(key, &maker, speaks, is_proxied);
        }
        match registered {
            // The owner is told when it is known whose it is, and what it speaks.
            Ok(()) if is_proxied => self.settle(key),
            Ok(()) if self.sockets.is_secured(key) => self.settle(key),
            // What has come already raises no further event.
            Ok(()) => {
                let exchange = Exchange::first_of(key);
                self.attend(exchange, Event::Opened);
            }
            Err(_) => self.end(key, crate::link::EndReason::Reset),
        }
    }

    /// Makes a connection that was accepted begin with a handshake, after what its proxy
    /// says.
    fn secure(&mut self, key: Key, maker: &TransportMaker, speaks: Speaks, is_proxied: bool) {
        if !is_proxied {
            self.make_handshake_room();
        }
        self.sockets.secure(key, maker.make(), speaks);
        if let Some(connection) = self.dispatch.state.connections.get_mut(key) {
            connection.reported = Reported::Nothing;
        }
        if !is_proxied {
            self.begin_handshake(key, self.dispatch.state.limits.handshake_time);
        }
    }

    /// Reads a PROXY header in front of a connection; whether the rest can be served now.
    pub(in crate::net) fn read_introduction(&mut self, key: Key) -> bool {
        let Some(connection) = self.dispatch.state.connections.get_mut(key) else {
            return false;
        };
        if !connection.socket.readable {
            return false;
        }
        let mut had = 0;
        if let Some(input_buffer) = connection.input_buffer.take() {
            let all = &self.dispatch.state.memory.all;
            had = self.buffers.put_in_front(input_buffer, all);
        }
        let Some(stream) = self.sockets.get_mut(key) else {
            return false;
        };
        let Ok(read) = self.poller.read(stream, &mut self.buffers.read()[had..]) else {
            self.end(key, EndReason::Reset);
            return false;
        };
        let state = &mut self.dispatch.state;
        state.counters.bytes_in += read.bytes as u64;
        let Some(connection) = state.connections.get_mut(key) else {
            return false;
        };
        connection.socket.note_read(read.end, read.drained);
        let total = had + read.bytes; // within the buffer
        let header =
            match read_proxy_header(&self.buffers.read()[..total], state.limits.proxy_header) {
                Ok(header) if header.is_some() || !connection.socket.has_ended() => header,
                Ok(_) | Err(_) => {
                    state.counters.proxy_faults += 1;
                    self.end(key, EndReason::Aborted);
                    return false;
                }
            };
        let used = header.map_or(0, |(length, _)| length);
        if used < total {
            let mut input_buffer = self.buffers.keep(used..total);
            // Nobody knows yet whose it is.
            input_buffer.charge_to(Some(&state.memory.all));
            connection.input_buffer = Some(input_buffer);
        }
        match header {
            Some((_, source)) => self.introduce(key, source),
            None => connection.socket.readable,
        }
    }

    /// From here on the connection is that of the proxy's client, and counts for
    /// its address.
    fn introduce(&mut self, key: Key, source: Source) -> bool {
        let state = &mut self.dispatch.state;
        let Some(connection) = state.connections.get_mut(key) else {
            return false;
        };
        if let Source::Client(peer) = source {
            if state.caps.admit_address(peer, &state.limits).is_err() {
                self.listeners.note_refused_address();
                report!(Warn, "{peer}: refused at `Limits::per_address`");
                self.end(key, EndReason::Aborted);
                return false;
            }
            connection.peer = peer;
            let limits = &self.dispatch.profiles[usize::from(connection.profile)];
            if let Some(spent) = state.caps.spent(peer, limits, state.now) {
                connection.link.begin_with(spent);
            }
        }
        if let Some(secured) = self.sockets.secured(key) {
            if let Some(mut input_buffer) = connection.input_buffer.take() {
                secured.unread(input_buffer.bytes());
                self.spare_kept(input_buffer);
            }
            self.make_handshake_room();
            let has_room = self.handshake_room() > 0;
            self.begin_handshake(key, self.dispatch.state.limits.handshake_time);
            if !has_room {
                self.refuse_handshake(key);
            }
            return false; // it has its turn with the others
        }
        connection.phase = Phase::Open;
        connection.stalls = Instant::NEVER;
        connection.reported = Reported::Beginning;
        let exchange = Exchange::first_of(key);
        self.dispatch.tell(exchange, Event::Opened);
        true
    }
}
