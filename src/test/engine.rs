//! The app's loop, its clients, and the clock of both.

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::time::Duration;
use std::thread;
use std::time::Instant;

use super::error::TestError;
use super::exchange::Exchange;
use super::line::{Line, Owner};
use crate::app::{Hub, Metrics};
use crate::client::{Calls, Connection, WebSocketHandshake, WebSocketRequest, Wire};
use crate::http::Version;
use crate::link::{Event, Limits};
use crate::net::{Loop, Peer, Poller as _, Scripted};

/// The shortest step of the clock, where something is due all the time.
const STEP: Duration = Duration::from_millis(1);

pub(super) struct Engine {
    pub(super) world: Scripted,
    pub(super) events: RefCell<Loop<Scripted>>,
    lines: RefCell<Vec<Rc<RefCell<Line>>>>,
    channels: RefCell<Vec<Channel>>,
    /// How long other threads are waited for.
    pub(super) patience: Cell<Duration>,
    pub(super) hub: Hub,
    pub(super) metrics: Metrics,
}

struct Channel {
    calls: Rc<RefCell<Calls<()>>>,
    peer: Option<Peer>,
}

/// An exchange that has begun, and where.
#[derive(Clone)]
pub(super) struct Begun {
    pub(super) line: Rc<RefCell<Line>>,
    pub(super) stream: u32,
    pub(super) exchange: Rc<RefCell<Exchange>>,
}

impl Engine {
    pub(super) fn new(
        world: Scripted,
        events: Loop<Scripted>,
        (hub, metrics): (Hub, Metrics),
    ) -> Self {
        Self {
            world,
            events: RefCell::new(events),
            lines: RefCell::default(),
            channels: RefCell::default(),
            patience: Cell::new(Duration::from_secs(5)),
            hub,
            metrics,
        }
    }

    /// Goes on until neither the app nor a client has anything to do at this time.
    pub(super) fn run(&self) -> Result<(), TestError> {
        let begun = Instant::now();
        loop {
            self.events.borrow_mut().turn(None)?;
            let was_idle = self.world.is_idle();
            if !self.pump() && was_idle {
                return Ok(());
            }
            let patience = self.patience.get();
            if begun.elapsed() > patience {
                return Err(TestError::Restless(patience));
            }
        }
    }

    fn pump(&self) -> bool {
        self.dial();
        let lines: Vec<_> = self.lines.borrow().clone();
        let mut moved = false;
        for line in &lines {
            moved |= line.borrow_mut().pump(&self.world);
        }
        self.lines.borrow_mut().retain(|it| !it.borrow().is_over());
        moved
    }

    /// Connects for the calls that wait.
    fn dial(&self) {
        let now = self.world.now();
        for Channel { calls, peer } in &*self.channels.borrow() {
            let mut held = calls.borrow_mut();
            if held.deadline().is_some_and(|at| at <= now) {
                held.elapsed(now);
            }
            while let Some(link) = held.dial(now) {
                let mut connection = Connection::http2(held.link_limits(), now);
                held.event(link, 0, Event::Opened, connection.wire(), now);
                let owner = Owner::Calls(calls.clone(), link);
                let line = Line::new(&self.world, (Version::Http2, *peer), connection, owner);
                self.lines.borrow_mut().push(Rc::new(RefCell::new(line)));
            }
        }
    }

    /// Waits until `done` gives something, also for other threads.
    pub(super) fn wait<T>(&self, mut done: impl FnMut() -> Option<T>) -> Result<T, TestError> {
        let begun = Instant::now();
        loop {
            self.run()?;
            if let Some(found) = done() {
                return Ok(found);
            }
            let patience = self.patience.get();
            // The loop's waker unparks this thread.
            match patience.checked_sub(begun.elapsed()) {
                Some(left) if !left.is_zero() => thread::park_timeout(left),
                _ => return Err(TestError::Silent(patience)),
            }
        }
    }

    /// Winds the clock, from one thing that is due to the next.
    pub(super) fn advance(&self, time: Duration) -> Result<(), TestError> {
        let mut left = time;
        loop {
            self.run()?;
            if left.is_zero() {
                return Ok(());
            }
            let step = self.due().map_or(left, |due| due.max(STEP).min(left));
            self.world.advance(step);
            left -= step; // no more than that
        }
    }

    /// The time until something is due.
    fn due(&self) -> Option<Duration> {
        let now = self.world.now();
        let lines = self.lines.borrow();
        let lines = lines.iter().map(|it| it.borrow().connection.deadline());
        let channels = self.channels.borrow();
        let calls = channels.iter().map(|it| it.calls.borrow().deadline());
        let clients = lines.chain(calls).flatten().min();
        let clients = clients.map(|at| at.saturating_since(now));
        clients.into_iter().chain(self.world.last_timeout()).min()
    }

    pub(super) fn add_calls(&self, calls: &Rc<RefCell<Calls<()>>>, peer: Option<Peer>) {
        let calls = calls.clone();
        self.channels.borrow_mut().push(Channel { calls, peer });
    }

    /// A connection that takes a request, ready to do so.
    fn line(&self, version: Version, peer: Option<Peer>) -> Result<Rc<RefCell<Line>>, TestError> {
        self.run()?; // the app may have closed it
        let is_free = |it: &Rc<RefCell<Line>>| {
            // Over HTTP/1.1 an exchange that someone holds has it alone.
            let is_held = version != Version::Http2 && Rc::strong_count(it) > 1;
            let mut it = it.borrow_mut();
            let is_ours = matches!(it.owner, Owner::Exchanges(_));
            let fits = is_ours && !is_held && it.version == version && it.peer == peer;
            fits && it.connection.can_go_on()
        };
        if let Some(line) = self.lines.borrow().iter().find(|it| is_free(it)) {
            return Ok(line.clone());
        }
        let now = self.world.now();
        let connection = match version {
            Version::Http2 => Connection::http2(Limits::DEFAULT, now),
            Version::Http10 | Version::Http11 => Connection::http1(Limits::DEFAULT, now),
        };
        let owner = Owner::Exchanges(BTreeMap::new());
        let line = Line::new(&self.world, (version, peer), connection, owner);
        let line = Rc::new(RefCell::new(line));
        self.lines.borrow_mut().push(line.clone());
        self.run()?; // the app's SETTINGS come
        Ok(line)
    }

    /// Begins an exchange: `ask` sends its request.
    pub(super) fn begin<E: Into<TestError>>(
        &self,
        version: Version,
        peer: Option<Peer>,
        ask: impl FnOnce(&mut Wire) -> Result<(u32, Option<WebSocketHandshake>), E>,
    ) -> Result<Begun, TestError> {
        let line = self.line(version, peer)?;
        let mut held = line.borrow_mut();
        let Line {
            connection, owner, ..
        } = &mut *held;
        connection.wire().set_now(self.world.now());
        let (stream, handshake) = ask(connection.wire()).map_err(Into::into)?;
        let exchange = Rc::new(RefCell::new(Exchange {
            handshake,
            ..Exchange::default()
        }));
        if let Owner::Exchanges(all) = owner {
            all.retain(|_, it| Rc::strong_count(it) > 1);
            all.insert(stream, exchange.clone());
        }
        drop(held);
        let begun = Begun {
            line,
            stream,
            exchange,
        };
        self.run()?;
        Ok(begun)
    }

    /// Begins the handshake of a WebSocket.
    pub(super) fn open(
        &self,
        version: Version,
        peer: Option<Peer>,
        request: &WebSocketRequest,
    ) -> Result<Begun, TestError> {
        self.begin(version, peer, |wire| {
            let handshake = WebSocketHandshake::begin(wire, request)?;
            Ok::<_, TestError>((handshake.stream(), Some(handshake)))
        })
    }
}
