//! From dials to connections.

use alloc::vec::Vec;
use core::mem;
use std::io::ErrorKind;

use super::attempts::Next;
use super::dial::{DialPlan, DialTimes};
use super::dials::{Attempt, DialRequest, Dialling};
use crate::link::{EndReason, Event, Unreachable};
use crate::net::transport::secured::LEAST_READ;
use crate::net::turns::connection::Phase;
use crate::net::turns::socket_state::SocketState;
use crate::net::{Destination, Dial, Exchange, Key, Loop, Peer, Poller};
use crate::wire::Role;

impl<P: Poller> Loop<P> {
    /// Moves all dials on: new, resolved, heard of, and due ones.
    pub(in crate::net) fn dial(&mut self) {
        if self.dispatch.state.dials.is_empty() && self.dials.is_idle() {
            return;
        }
        for DialRequest { key, plan } in mem::take(&mut self.dispatch.state.dials) {
            match plan {
                Some(plan) => self.begin(key, plan),
                None => self.abandon(key),
            }
        }
        while let Some(key) = self.dials.next_resolved(self.dispatch.state.now) {
            self.attempt(key);
        }
        while let Some(key) = self.dials.next_touched() {
            self.look_at(key);
        }
        while let Some(key) = self.dials.next_due(self.dispatch.state.now) {
            self.give_up_late(key);
        }
    }

    /// Its owner gives up a connection that is not open yet.
    fn abandon(&mut self, key: Key) {
        let connection = self.dispatch.state.connections.get(key);
        let phase = connection.map(|it| it.phase);
        if let Some(Phase::Dialling | Phase::Handshaking { .. }) = phase {
            self.forget_dial(key);
            self.end(key, EndReason::Aborted);
        }
    }

    fn begin(&mut self, key: Key, plan: DialPlan) {
        let DialPlan {
            destination,
            over: transport,
            speaks,
            times,
            names,
            ..
        } = plan;
        if transport.is_some() && self.buffers.size() < LEAST_READ {
            return self.give_up(key, Unreachable::Handshake); // no record could be opened
        }
        let limits = &self.dispatch.state.limits;
        let times = times.unwrap_or_else(|| DialTimes::of(limits));
        let dial = Dial::new(&destination, self.dispatch.state.now, &times);
        self.dials.push(Dialling {
            times,
            key,
            dial,
            running: Vec::new(),
            is_touched: false,
            speaks,
            transport,
        });
        match destination {
            Destination::Address(_) => self.attempt(key),
            Destination::Name { host, port } => {
                let waker = self.poller.waker();
                let name = (&*host, port);
                let names = names.as_deref();
                if !self.dials.resolve(key, name, names, waker, limits) {
                    self.give_up(key, Unreachable::TooManyNames);
                }
            }
        }
    }

    fn attempt(&mut self, key: Key) {
        let Self {
            dials,
            poller,
            dispatch,
            ..
        } = self;
        let Some(dialling) = dials.get_mut(key) else {
            return;
        };
        let Dialling {
            dial,
            running,
            times,
            ..
        } = dialling;
        let state = &mut dispatch.state;
        loop {
            let nth = match dial.next(state.now) {
                Next::Begin(nth) => nth,
                Next::Wait(_) => return,
                Next::Over => {
                    let why = dial.reason();
                    return self.give_up(key, why);
                }
            };
            let Some(address) = dial.address(nth) else {
                return;
            };
            if let Some(connection) = state.connections.get_mut(key) {
                connection.peer = Peer::from(address);
                // What was said of an attempt before is nothing to this one.
                connection.socket = SocketState::NEW;
            }
            let begun = poller.connect(address).and_then(|mut stream| {
                poller.register(&mut stream, key.token())?;
                Ok(stream)
            });
            match begun {
                Ok(stream) => running.push(Attempt {
                    nth,
                    stream,
                    until: state.now + times.attempt,
                }),
                Err(error) => dial.failed(error),
            }
        }
    }

    /// Gives up what has had its time: attempts, or the whole dial.
    fn give_up_late(&mut self, key: Key) {
        let now = self.dispatch.state.now;
        let Some(Dialling { dial, running, .. }) = self.dials.get_mut(key) else {
            return;
        };
        if dial.end() <= now {
            dial.timed_out();
            let why = dial.reason();
            return self.give_up(key, why);
        }
        for late in running.extract_if(.., |it| it.until <= now) {
            dial.failed(ErrorKind::TimedOut.into());
            self.poller.reset(late.stream);
        }
        self.attempt(key);
    }

    /// Something happened to an attempt. With several it is not known which: they are looked at
    /// once all events have come.
    pub(in crate::net) fn go_on_dialling(&mut self, key: Key) {
        let Some(dialling) = self.dials.get_mut(key) else {
            return;
        };
        match dialling.dial.has_raced() {
            true => dialling.is_touched = true,
            false => self.look_at(key),
        }
    }

    /// Takes the first attempt that is connected, and puts those aside that have failed.
    fn look_at(&mut self, key: Key) {
        let Some(Dialling { dial, running, .. }) = self.dials.get_mut(key) else {
            return;
        };
        let (mut at, mut has_failed) = (0, false);
        while let Some(attempt) = running.get(at) {
            match self.poller.connected(&attempt.stream) {
                Ok(false) => at += 1,
                Ok(true) => {
                    let attempt = running.remove(at); // a position just found
                    return self.connected(key, attempt);
                }
                Err(error) => {
                    let attempt = running.remove(at); // a position just found
                    self.poller.reset(attempt.stream);
                    dial.failed(error);
                    has_failed = true;
                }
            }
        }
        if has_failed {
            self.attempt(key);
        }
    }

    fn connected(&mut self, key: Key, attempt: Attempt<P::Stream>) {
        let Some(dialling) = self.dials.remove(key) else {
            return;
        };
        let Attempt {
            nth, mut stream, ..
        } = attempt;
        for other in dialling.running {
            self.poller.reset(other.stream);
        }
        if dialling.dial.has_raced() {
            // What was said may have been said of the others: the system says it again.
            if self.poller.reregister(&mut stream, key.token()).is_err() {
                self.poller.reset(stream);
                return self.give_up(key, Unreachable::Failed);
            }
            if let (Some(connection), Some(address)) = (
                self.dispatch.state.connections.get_mut(key),
                dialling.dial.address(nth),
            ) {
                connection.peer = Peer::from(address);
                connection.socket = SocketState::NEW;
            }
        }
        self.sockets.seat(key, stream);
        let Dialling {
            speaks,
            transport,
            times,
            ..
        } = dialling;
        let state = &mut self.dispatch.state;
        let Some(connection) = state.connections.get_mut(key) else {
            return;
        };
        state.counters.dialled += 1;
        if let Some(maker) = transport {
            self.sockets.secure(key, maker.make(), speaks);
            self.begin_handshake(key, times.handshake);
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

    fn give_up(&mut self, key: Key, why: Unreachable) {
        self.forget_dial(key);
        self.end(key, EndReason::Unreachable(why));
    }

    pub(in crate::net) fn forget_dial(&mut self, key: Key) {
        let dialling = self.dials.remove(key);
        for attempt in dialling.into_iter().flat_map(|it| it.running) {
            self.poller.reset(attempt.stream);
        }
    }
}

#[cfg(test)]
mod tests;
