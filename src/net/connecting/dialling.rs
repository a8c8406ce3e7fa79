//! From dials to connections.

use core::mem;
use std::io;

use super::dials::{DialRequest, Dialling};
use crate::link::{EndReason, Event, Unreachable};
use crate::net::transport::secured::LEAST_READ;
use crate::net::turns::connection::Phase;
use crate::net::turns::socket_state::SocketState;
use crate::net::{Destination, Dial, Exchange, Key, Loop, Peer, Poller};
use crate::wire::Role;

impl<P: Poller> Loop<P> {
    /// Moves all dials on: those that handlers have asked for, those whose
    /// names are resolved, and those whose attempts took too long.
    pub(in crate::net) fn dial(&mut self) {
        if self.dispatch.state.dials.is_empty() && self.dials.is_idle() {
            return;
        }
        for request in mem::take(&mut self.dispatch.state.dials) {
            self.begin(request);
        }
        while let Some(key) = self.dials.next_resolved() {
            self.attempt(key);
        }
        let now = self.dispatch.state.now;
        while let Some(key) = self.dials.next_late(now) {
            self.attempt(key);
        }
    }

    fn begin(&mut self, request: DialRequest) {
        let DialRequest {
            key,
            destination,
            speaks,
            transport,
        } = request;
        if transport.is_some() && self.buffers.size() < LEAST_READ {
            return self.give_up(key, Unreachable::Handshake); // no record could be opened
        }
        let limits = &self.dispatch.state.limits;
        let dial = Dial::new(&destination, self.dispatch.state.now, limits);
        self.dials.push(Dialling {
            key,
            dial,
            speaks,
            transport,
        });
        match destination {
            Destination::Address(_) => self.attempt(key),
            Destination::Name { host, port } => {
                let waker = self.poller.waker();
                if !self.dials.resolve(key, (&host, port), waker, limits) {
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
            dials,
            poller,
            dispatch,
            ..
        } = self;
        let Some(dialling) = dials.get_mut(key) else {
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
        let Some(Dialling {
            speaks, transport, ..
        }) = self.dials.remove(key)
        else {
            return;
        };
        let state = &mut self.dispatch.state;
        let Some(connection) = state.connections.get_mut(key) else {
            return;
        };
        state.counters.dialled += 1;
        if let Some(maker) = transport {
            self.sockets.secure(key, maker.make(), speaks);
            self.begin_handshake(key);
            self.settle(key);
            return;
        }
        connection.phase = Phase::Open;
        connection.link = speaks.link(Role::Client, state.now);
        let profile = usize::from(connection.profile);
        state.current = key;
        // Profiles are only ever added, so the index stays good.
        let limits = &self.dispatch.profiles[profile];
        connection.link.begin(limits, state.now, &mut state.cork);
        let exchange = Exchange::first_of(key);
        self.attend(exchange, Event::Opened);
    }

    fn failed(&mut self, key: Key, error: io::Error) {
        if let Some(dialling) = self.dials.get_mut(key) {
            dialling.dial.failed(error);
            self.attempt(key);
        }
    }

    fn give_up(&mut self, key: Key, why: Unreachable) {
        self.dials.remove(key);
        self.end(key, EndReason::Unreachable(why));
    }
}
