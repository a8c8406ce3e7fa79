//! From dials to connections.

use core::mem;
use std::io;

use super::dials::{DialRequest, Dialling};
use crate::link::{EndReason, Event, Unreachable};
use crate::net::transport::secured::LEAST_READ;
use crate::net::turns::connection::Phase;
use crate::net::turns::socket_state::SocketState;
use crate::net::{Destination, Dial, Exchange, Key, Loop, Peer, Poller, Resolver};
use crate::wire::{Instant, Role};

impl<P: Poller> Loop<P> {
    /// Moves all dials on: those that handlers have asked for, those whose
    /// names are resolved, and those whose attempts took too long.
    pub(in crate::net) fn dial(&mut self) {
        let dials = &self.dispatch.state.dials;
        if dials.is_empty() && self.dialling.is_empty() && self.resolver.is_none() {
            return;
        }
        for request in mem::take(&mut self.dispatch.state.dials) {
            self.begin(request);
        }
        while let Some(resolved) = self.resolver.as_mut().and_then(Iterator::next) {
            if let Some(dialling) = self.dialling.iter_mut().find(|it| it.key == resolved.dial) {
                dialling.dial.resolved(resolved.found);
                self.attempt(resolved.dial);
            }
        }
        let now = self.dispatch.state.now;
        while let Some(late) = self
            .dialling
            .iter_mut()
            .find(|it| it.dial.deadline() <= now)
        {
            late.dial.timed_out();
            let key = late.key;
            self.attempt(key);
        }
    }

    /// When the first dial has to be looked at.
    pub(in crate::net) fn next_dial(&self) -> Option<Instant> {
        self.dialling.iter().map(|it| it.dial.deadline()).min()
    }

    fn begin(&mut self, request: DialRequest) {
        let DialRequest {
            key,
            destination,
            speaks,
            transport,
        } = request;
        if transport.is_some() && self.read.len() < LEAST_READ {
            return self.give_up(key, Unreachable::Handshake); // no record could be opened
        }
        let limits = &self.dispatch.state.limits;
        let dial = Dial::new(&destination, self.dispatch.state.now, limits);
        self.dialling.push(Dialling {
            key,
            dial,
            speaks,
            transport,
        });
        match destination {
            Destination::Address(_) => self.attempt(key),
            Destination::Name { host, port } => {
                let waker = self.poller.waker();
                let resolver = self
                    .resolver
                    .get_or_insert_with(|| Resolver::new(waker, limits));
                if resolver.resolve(key, &host, port).is_err() {
                    self.give_up(key, Unreachable::TooManyNames);
                }
            }
        }
    }

    /// Begins to connect to the next address of a dial.
    fn attempt(&mut self, key: Key) {
        if let Some(stream) = self.sockets.unseat(key) {
            self.poller.reset(stream);
        }
        let Self {
            dialling,
            poller,
            dispatch,
            ..
        } = self;
        let Some(dialling) = dialling.iter_mut().find(|it| it.key == key) else {
            return;
        };
        match dialling.dial.connect(poller, &dispatch.state.limits) {
            Ok(mut stream) => {
                if let (Some(connection), Some(address)) = (
                    dispatch.state.connections.get_mut(key),
                    dialling.dial.address(),
                ) {
                    connection.peer = Peer::from(address);
                    // What was said of the last attempt is nothing to this one.
                    connection.socket = SocketState::NEW;
                }
                match poller.register(&mut stream, key.token()) {
                    Ok(()) => self.sockets.seat(key, stream),
                    Err(_) => self.give_up(key, Unreachable::Failed),
                }
            }
            Err(error) => {
                let why = dialling.dial.reason(&error);
                self.give_up(key, why);
            }
        }
    }

    /// Something happened to a stream that is being dialled.
    pub(in crate::net) fn go_on_dialling(&mut self, key: Key) {
        let Some(stream) = self.sockets.get(key) else {
            return;
        };
        match self.poller.connected(stream) {
            Ok(false) => {}
            Ok(true) => self.connected(key),
            Err(error) => self.failed(key, error),
        }
    }

    fn connected(&mut self, key: Key) {
        let Some(index) = self.dialling.iter().position(|it| it.key == key) else {
            return;
        };
        // A position just found.
        let Dialling {
            speaks, transport, ..
        } = self.dialling.swap_remove(index);
        let state = &mut self.dispatch.state;
        let Some(connection) = state.connections.get_mut(key) else {
            return;
        };
        state.counters.dialled += 1;
        if let Some(maker) = transport {
            self.sockets.secure(key, maker.make(), speaks);
            self.begin_handshake(key);
            self.serve(key);
            return;
        }
        connection.phase = Phase::Open;
        connection.link = speaks.link(Role::Client, state.now);
        let profile = usize::from(connection.profile);
        state.current = key;
        // Profiles are only ever added, so the index stays good.
        let limits = &self.dispatch.profiles[profile];
        connection.link.begin(limits, state.now, &mut state.cork);
        let exchange = Exchange {
            connection: key,
            stream: 0,
        };
        self.attend(exchange, Event::Opened);
    }

    fn failed(&mut self, key: Key, error: io::Error) {
        if let Some(dialling) = self.dialling.iter_mut().find(|it| it.key == key) {
            dialling.dial.failed(error);
            self.attempt(key);
        }
    }

    fn give_up(&mut self, key: Key, why: Unreachable) {
        self.dialling.retain(|it| it.key != key);
        self.end(key, EndReason::Unreachable(why));
    }

    /// Forgets the dial of a connection that has ended.
    pub(in crate::net) fn forget_dial(&mut self, key: Key) {
        self.dialling.retain(|it| it.key != key);
    }
}
