//! From a link's events to its owner's handler.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use super::connection::{Connection, Phase};
use super::state::State;
use super::{Context, Exchange, Handler, Key, Owner};
use crate::http::{OwnedScratch, Status};
use crate::link::{self, Event, Gone, Parked, Snapshot};
use crate::wire::{Received, Role, Step};

/// The handlers, what their connections are judged by, and what they reach.
pub(super) struct Dispatch {
    pub(super) handlers: Vec<Box<dyn Handler>>,
    pub(super) profiles: Vec<link::Limits>,
    pub(super) scratch: OwnedScratch,
    pub(super) shown: Option<Box<Parked>>,
    pub(super) state: State,
}

/// Why feeding stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// The link needs bytes that have not arrived.
    Hungry,
    /// The rest has to wait for a reply, the owner, or the backlog.
    Held,
    /// The cork is full: flush, then go on.
    Flush,
    /// The link is done, or the connection is over.
    Over,
}

impl Dispatch {
    /// Feeds `input` to a connection's link, event by event; `end` says that
    /// the peer's FIN stands behind it. Returns how much of it was used and
    /// why it stopped.
    pub(super) fn feed(&mut self, key: Key, input: &mut [u8], end: bool) -> (usize, Stop) {
        let mut at = 0; // <= input.len()
        let mut at_end = false; // the link has used all it can before the FIN
        let date = self.state.date;
        loop {
            let Self {
                profiles,
                scratch,
                shown,
                state,
                handlers,
            } = self;
            let Some(connection) = state.connections.get_mut(key) else {
                return (at, Stop::Over);
            };
            if !connection.may_be_fed() {
                return (
                    at,
                    if connection.phase == Phase::Open {
                        Stop::Held
                    } else {
                        Stop::Over
                    },
                );
            }
            let waiting = state.cork.len() + connection.backlog.len();
            if waiting > state.limits.backlog_high && !connection.duplex {
                return (at, Stop::Flush);
            }
            let lent = link::Lent {
                now: state.now,
                date: Some(&date),
                chance: match connection.link.role() {
                    Role::Client => state.entropy.take(),
                    Role::Server => [0; 4],
                },
                // Profiles are only ever added, so the index stays good.
                limits: &profiles[usize::from(connection.profile)],
                scratch: scratch.lend(),
                shown,
            };
            let rest = &mut input[at..];
            let received = match at_end {
                false => connection.link.receive(rest, lent, &mut state.cork),
                true => connection.link.receive_eof(rest, lent, &mut state.cork),
            };
            let (used, step) = match received {
                Ok(Received {
                    used,
                    step: Step::Event(event),
                }) => {
                    let exchange = Exchange {
                        connection: key,
                        stream: connection.link.stream(),
                    };
                    call(handlers, state, exchange, event);
                    (used, Step::Event(()))
                }
                Ok(Received { used, step }) => (used, step.map(|_| ())),
                Err(violation) => {
                    self.recycle(key);
                    self.tell_gone(key, Gone::Violation(violation));
                    return (input.len(), Stop::Over);
                }
            };
            self.recycle(key);
            at += used;
            match step {
                Step::Event(()) => {}
                // Bytes were used up without an event: there may be more.
                Step::Need(_) | Step::Paused if used > 0 => {}
                Step::Need(0) => {}
                Step::Need(_) | Step::Paused if end && !at_end => at_end = true,
                Step::Need(_) => return (at, Stop::Hungry),
                Step::Paused => return (at, Stop::Held),
                Step::Full => return (at, Stop::Flush),
                Step::Done => return (at, Stop::Over),
            }
        }
    }

    /// Calls the owner of an exchange outside of feeding.
    pub(super) fn tell(&mut self, exchange: Exchange, event: Event<'_>) {
        call(&mut self.handlers, &mut self.state, exchange, event);
    }

    /// Calls an owner about no connection in particular.
    pub(super) fn tell_owner(&mut self, owner: Owner, event: Event<'_>) {
        let exchange = Exchange {
            connection: Key::NONE,
            stream: 0,
        };
        let Self {
            handlers, state, ..
        } = self;
        if let Some(handler) = handlers.get_mut(usize::from(owner.0)) {
            let mut context = Context {
                state,
                owner,
                exchange,
            };
            let call = AssertUnwindSafe(|| handler.event(&mut context, event));
            if catch_unwind(call).is_err() {
                state.counters.panics += 1;
            }
        }
    }

    /// Tells the owner, once, that a connection is over: in each exchange that
    /// shares it, then for the connection.
    pub(super) fn tell_gone(&mut self, key: Key, gone: Gone) {
        loop {
            let Some(connection) = self.state.connections.get_mut(key) else {
                return;
            };
            if connection.told {
                return;
            }
            let gone = *connection.gone.get_or_insert(gone);
            let (stream, gone) = match connection.link.take_live() {
                Some((stream, own)) => (stream, own.unwrap_or(gone)),
                None => {
                    connection.told = true;
                    let is_shared = connection.link.is_multiplexed();
                    let stream = if is_shared {
                        0
                    } else {
                        connection.link.stream()
                    };
                    (stream, gone)
                }
            };
            let exchange = Exchange {
                connection: key,
                stream,
            };
            self.tell(exchange, Event::Gone(gone));
        }
    }

    /// Lets the deadline of a connection's link take effect.
    pub(super) fn elapse(&mut self, key: Key) {
        let date = self.state.date;
        let Self {
            profiles,
            scratch,
            shown,
            state,
            handlers,
        } = self;
        let Some(connection) = state.connections.get_mut(key) else {
            return;
        };
        let lent = link::Lent {
            now: state.now,
            date: Some(&date),
            chance: state.entropy.take(),
            limits: &profiles[usize::from(connection.profile)],
            scratch: scratch.lend(),
            shown,
        };
        match connection.link.elapsed(lent, &mut state.cork) {
            Ok(None) => {}
            Ok(Some(event)) => {
                let overdue = matches!(event, Event::Overdue);
                let exchange = Exchange {
                    connection: key,
                    stream: connection.link.stream(),
                };
                call(handlers, state, exchange, event);
                if overdue {
                    fail(state, exchange, Status::GATEWAY_TIMEOUT);
                }
            }
            Err(violation) => self.tell_gone(key, Gone::Violation(violation)),
        }
    }

    /// What a connection is judged by.
    pub(super) fn limits_of(&self, connection: &Connection) -> &link::Limits {
        // Profiles are only ever added, so the index stays good.
        &self.profiles[usize::from(connection.profile)]
    }

    /// Takes back what was shown and has been looked at.
    fn recycle(&mut self, key: Key) {
        if let Some(parked) = self.shown.take() {
            let state = &mut self.state;
            let parked = match state.connections.get_mut(key) {
                Some(connection) => connection.link.reclaim(parked),
                None => Some(parked),
            };
            if let Some(parked) = parked {
                state.shelf.put_back(parked);
            }
        }
    }
}

/// Calls the owner of an exchange. A panic ends it: with 500 if nothing of the
/// response has left, with 1011 on a WebSocket, else by a reset of its stream
/// or by cutting the connection.
fn call(
    handlers: &mut [Box<dyn Handler>],
    state: &mut State,
    exchange: Exchange,
    event: Event<'_>,
) {
    let key = exchange.connection;
    let Some(connection) = state.connections.get(key) else {
        return;
    };
    let owner = connection.owner;
    let (is_last, unanswered) = (connection.told, connection.link.snapshot());
    let Some(handler) = handlers.get_mut(usize::from(owner.0)) else {
        return;
    };
    let (mark, depth) = (state.cork.mark(), state.stash.len());
    let mut context = Context {
        state,
        owner,
        exchange,
    };
    let called = catch_unwind(AssertUnwindSafe(|| handler.event(&mut context, event)));
    if called.is_err() {
        debug_assert_eq!(state.stash.len(), depth, "a visit left its cork behind");
        state.counters.panics += 1;
        if is_last {
            return; // nobody is there to be answered, and the cork may be another's
        }
        if unanswered.is_some() {
            state.cork.truncate(mark);
        }
        if let Some(connection) = state.connections.get_mut(key)
            && !connection.link.is_multiplexed()
        {
            connection.told = true;
            connection.gone = Some(Gone::Panicked);
        }
        cut(state, exchange, Status::INTERNAL_SERVER_ERROR, unanswered);
    }
}

/// Answers for an owner that owes a response and will not give it.
fn fail(state: &mut State, exchange: Exchange, status: Status) {
    if let Some(connection) = state.connections.get(exchange.connection)
        && connection.link.owes_response(exchange.stream)
    {
        let unanswered = connection.link.snapshot();
        cut(state, exchange, status, unanswered);
    }
}

fn cut(state: &mut State, exchange: Exchange, status: Status, unanswered: Option<Snapshot>) {
    let chance = state.entropy.take();
    let State {
        connections,
        cork,
        date,
        now,
        ..
    } = state;
    if let Some(connection) = connections.get_mut(exchange.connection) {
        let stream = exchange.stream;
        let link = &mut connection.link;
        link.fail(stream, status, unanswered, Some(date), chance, *now, cork);
    }
}
