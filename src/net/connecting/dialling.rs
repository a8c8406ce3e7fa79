//! From dials to connections.

use alloc::vec::Vec;
use core::mem;
use std::io::ErrorKind;

use super::attempts::Next;
use super::dials::{Attempt, DialRequest, Dialling};
use crate::link::{EndReason, Event, Unreachable};
use crate::net::transport::secured::LEAST_READ;
use crate::net::turns::connection::Phase;
use crate::net::turns::socket_state::SocketState;
use crate::net::{Destination, Dial, Exchange, Key, Loop, Peer, Poller};
use crate::wire::Role;

impl<P: Poller> Loop<P> {
    /// Moves all dials on: those that handlers have asked for, those whose
    /// names are resolved, those that attempts of were heard of, and those that have
    /// something to do by now.
    pub(in crate::net) fn dial(&mut self) {
        if self.dispatch.state.dials.is_empty() && self.dials.is_idle() {
            return;
        }
        for request in mem::take(&mut self.dispatch.state.dials) {
            self.begin(request);
        }
        while let Some(key) = self.dials.next_resolved(&self.dispatch.state.limits) {
            self.attempt(key);
        }
        while let Some(key) = self.dials.next_touched() {
            self.look_at(key);
        }
        while let Some(key) = self.dials.next_due(self.dispatch.state.now) {
            self.give_up_late(key);
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
            running: Vec::new(),
            is_touched: false,
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

    /// Begins the attempts of a dial whose time it is.
    fn attempt(&mut self, key: Key) {
        let Self {
            dials,
            poller,
            dispatch,
            ..
        } = self;
        let Some(Dialling { dial, running, .. }) = dials.get_mut(key) else {
            return;
        };
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
                    until: state.now + state.limits.connect_time,
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

    /// Something happened to an attempt of a dial. Where there were several, it is not
    /// known to which, and the others may still be heard of in this turn: it is looked
    /// at when all have been.
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
            speaks, transport, ..
        } = dialling;
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

    fn give_up(&mut self, key: Key, why: Unreachable) {
        self.forget_dial(key);
        self.end(key, EndReason::Unreachable(why));
    }

    /// Gives up the attempts of a connection that has ended.
    pub(in crate::net) fn forget_dial(&mut self, key: Key) {
        let dialling = self.dials.remove(key);
        for attempt in dialling.into_iter().flat_map(|it| it.running) {
            self.poller.reset(attempt.stream);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link;
    use crate::net::{Context, Exchange, Fate, Handler, Limits, Scripted, Speaks};
    use alloc::rc::Rc;
    use alloc::string::{String, ToString as _};
    use core::cell::RefCell;
    use core::time::Duration;

    struct Logging(Rc<RefCell<Vec<String>>>);

    impl Handler for Logging {
        fn event(&mut self, _: &mut Context<'_>, event: Event<'_>) {
            self.0.borrow_mut().push(alloc::format!("{event:?}"));
        }
    }

    /// A loop whose dial has just been told these addresses.
    struct Race {
        world: Scripted,
        events: Loop<Scripted>,
        log: Rc<RefCell<Vec<String>>>,
        dial: Exchange,
    }

    impl Race {
        fn new(addresses: &[&str]) -> Self {
            let world = Scripted::new();
            let mut events = Loop::with_poller(world.clone(), Limits::DEFAULT).unwrap();
            let log = Rc::new(RefCell::new(Vec::new()));
            let owner = events.add(Logging(log.clone()));
            let profile = events.profile(link::Limits::DEFAULT);
            let name: Destination = "name.invalid:80".parse().unwrap();
            let dial = events.enter(owner, |it| it.dial(name.clone(), Speaks::Raw, profile, 0));
            let limits = Limits::DEFAULT;
            let mut answered = Dial::new(&name, events.dispatch.state.now, &limits);
            let found = addresses.iter().map(|it| it.parse().unwrap());
            answered.resolved(Ok(found.collect()), &limits);
            events.dispatch.state.dials.clear();
            events.dials.push(Dialling {
                key: dial.connection,
                dial: answered,
                running: Vec::new(),
                is_touched: false,
                speaks: Speaks::Raw,
                transport: None,
            });
            events.attempt(dial.connection);
            Self {
                world,
                events,
                log,
                dial,
            }
        }

        /// Has time pass, in turns.
        fn pass(&mut self, millis: u64) {
            for _ in 0..millis {
                self.world.advance(Duration::from_millis(1));
                self.events.turn(Some(Duration::ZERO)).unwrap();
            }
        }

        fn tried(&self) -> Vec<String> {
            let dials = self.world.dials();
            dials.iter().map(|(_, to)| to.to_string()).collect()
        }

        fn stream(&self, nth: usize) -> crate::net::Client {
            self.world.dials()[nth].0
        }

        fn log(&self) -> String {
            self.log.borrow().join(", ")
        }
    }

    const TWO: [&str; 2] = ["[2001:db8::1]:80", "192.0.2.1:80"];

    #[test]
    fn a_black_hole_costs_the_delay_and_a_round_trip() {
        let mut race = Race::new(&TWO);
        race.pass(249);
        assert_eq!(race.tried(), [TWO[0]]);
        race.pass(2);
        assert_eq!(race.tried(), TWO);
        // Greeted and left, in one event with the end of the first attempt.
        race.world.complete(race.stream(1));
        race.world.send(race.stream(1), b"220 hello");
        race.world.eof(race.stream(1));
        race.world.reset(race.stream(0));
        race.pass(2);
        assert_eq!(
            race.log(),
            "Opened, Data([50, 50, 48, 32, 104, 101, 108, 108, 111]), HalfClosed"
        );
        assert_eq!(race.world.fate(race.stream(0)), Fate::Reset);
        assert_eq!(race.world.fate(race.stream(1)), Fate::Open);
    }

    #[test]
    fn the_slow_first_one_may_still_be_taken() {
        let mut race = Race::new(&TWO);
        race.pass(300);
        race.world.complete(race.stream(0));
        race.pass(2);
        assert_eq!(race.log(), "Opened");
        assert_eq!(race.world.fate(race.stream(1)), Fate::Reset);
        race.world.send(race.stream(0), b"!");
        race.pass(1);
        assert_eq!(race.log(), "Opened, Data([33])");
    }

    #[test]
    fn an_attempt_that_fails_hands_on_and_the_last_one_says_why() {
        let mut race = Race::new(&TWO);
        race.world
            .break_with(race.stream(0), ErrorKind::HostUnreachable);
        race.pass(1);
        assert_eq!(race.tried(), TWO);
        race.world
            .break_with(race.stream(1), ErrorKind::ConnectionRefused);
        race.pass(1);
        assert_eq!(race.log(), "Ended(Unreachable(Refused))");
        assert!(race.events.dials.is_empty());
    }

    #[test]
    fn attempts_have_their_time_and_go_with_their_connection() {
        let mut race = Race::new(&TWO);
        race.pass(5001);
        assert_eq!(race.world.fate(race.stream(0)), Fate::Reset);
        assert_eq!(race.log(), "");
        race.pass(251);
        assert_eq!(race.log(), "Ended(Unreachable(TimedOut))");
        let mut race = Race::new(&TWO);
        race.pass(300);
        race.events.end(race.dial.connection, EndReason::Aborted);
        let fates = [0, 1].map(|nth| race.world.fate(race.stream(nth)));
        assert_eq!(fates, [Fate::Reset; 2]);
        assert!(race.events.dials.is_empty());
    }
}
