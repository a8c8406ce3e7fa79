//! One connection of a test's client.

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use core::cell::RefCell;
use core::mem;

use super::exchange::Exchange;
use crate::client::{Calls, Connection, LinkId, Wire};
use crate::http::Version;
use crate::link::{EndReason, Event};
use crate::net::{Fate, Peer, Poller as _, Scripted, ScriptedClient};
use crate::wire::Instant;

/// Bytes that a client keeps and has not been asked for; then it reads no further.
pub(super) const WINDOW: usize = 1 << 20;

pub(super) struct Line {
    client: ScriptedClient,
    pub(super) peer: Option<Peer>,
    pub(super) version: Version,
    pub(super) connection: Connection,
    pub(super) owner: Owner,
    /// Bytes that it takes yet.
    room: usize,
    /// Bytes that it keeps at most.
    pub(super) window: usize,
    heard_end: bool,
    said_end: bool,
}

pub(super) enum Owner {
    Exchanges(BTreeMap<u32, Rc<RefCell<Exchange>>>),
    Calls(Rc<RefCell<Calls<()>>>, LinkId),
}

impl Owner {
    fn event(&mut self, wire: &mut Wire, stream: u32, event: Event<'_>, now: Instant) {
        match self {
            Self::Calls(calls, link) => {
                calls.borrow_mut().event(*link, stream, event, wire, now);
            }
            Self::Exchanges(all) => {
                if let (0, Event::Ended(why)) = (stream, &event) {
                    for exchange in mem::take(all).into_values() {
                        let mut exchange = exchange.borrow_mut();
                        exchange.ended = exchange.ended.or(Some(*why));
                    }
                } else if let Some(exchange) = all.get(&stream) {
                    exchange.borrow_mut().event(wire, stream, event);
                }
            }
        }
    }
}

impl Line {
    pub(super) fn new(
        world: &Scripted,
        (version, peer): (Version, Option<Peer>),
        connection: Connection,
        owner: Owner,
    ) -> Self {
        let client = match peer {
            Some(peer) => world.connect_client_from(0, peer),
            None => world.connect_client(0),
        };
        world.stop_reading(client);
        Self {
            client,
            peer,
            version,
            connection,
            owner,
            room: 0,
            window: WINDOW,
            heard_end: false,
            said_end: false,
        }
    }

    /// Moves what there is to move, both ways; whether there was anything.
    pub(super) fn pump(&mut self, world: &Scripted) -> bool {
        let now = world.now();
        let mut bytes = world.take_output(self.client);
        let mut moved = !bytes.is_empty();
        self.room = self.room.saturating_sub(bytes.len());
        let Self {
            connection, owner, ..
        } = self;
        let mut event = |wire: &mut Wire, stream: u32, event: Event<'_>| {
            owner.event(wire, stream, event, now);
        };
        if moved {
            connection.receive(&mut bytes, now, &mut event);
        }
        if !self.heard_end {
            match world.fate(self.client) {
                Fate::Finished | Fate::Closed => {
                    self.heard_end = true;
                    connection.receive_eof(now, &mut event);
                }
                Fate::Reset => {
                    self.heard_end = true;
                    connection.closed(EndReason::Reset, &mut event);
                }
                Fate::Waiting | Fate::Open => {}
            }
        }
        if connection.deadline().is_some_and(|at| at <= now) {
            connection.elapsed(now, &mut event);
            moved = true;
        }
        if let Owner::Calls(calls, link) = &self.owner {
            let mut calls = calls.borrow_mut();
            calls.flush(*link, self.connection.wire(), now);
        }
        while self.connection.flush(now, |wire, stream, event| {
            self.owner.event(wire, stream, event, now);
        }) {
            world.send(self.client, &mem::take(self.connection.output()));
            moved = true;
        }
        if self.connection.is_over() && !mem::replace(&mut self.said_end, true) {
            world.eof(self.client);
            moved = true;
        }
        moved | self.refill(world)
    }

    /// Lets the app write as much as is not kept.
    fn refill(&mut self, world: &Scripted) -> bool {
        let held = match &self.owner {
            Owner::Exchanges(all) => all.values().map(|it| it.borrow().held()).sum(),
            Owner::Calls(..) => 0, // they have windows of their own
        };
        let more = self.window.saturating_sub(held + self.room);
        world.allow_write(self.client, more);
        self.room += more;
        more > 0
    }

    /// The connection breaks.
    pub(super) fn reset(&mut self, world: &Scripted) {
        world.reset(self.client);
        self.connection.closed(EndReason::Aborted, |_, _, _| {});
        self.owner.event(
            self.connection.wire(),
            0,
            Event::Ended(EndReason::Aborted),
            world.now(),
        );
        (self.heard_end, self.said_end) = (true, true);
    }

    pub(super) const fn is_over(&self) -> bool {
        self.said_end
    }
}
