//! From a link's events to its owner's handler.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::panic::AssertUnwindSafe;
use std::panic::{catch_unwind, resume_unwind};

use super::connection::{Connection, Phase};
use super::failing::{Call, fail, panicked};
use super::outlet::Outlet;
use super::state::State;
use super::{Context, Exchange, Handler, Key, Owner};
use crate::http::{OwnedScratch, Status};
use crate::link::{self, Event, Gone, Parked};
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

/// How far feeding has come, and what is gone back to should the owner panic.
struct Feeding {
    at: usize,    // bytes used, at most all
    at_end: bool, // the link has used all it can before the FIN
    call: Option<Call>,
}

impl Dispatch {
    /// Feeds `input` to a connection's link, event by event; `end` says that
    /// the peer's FIN stands behind it. Returns how much of it was used and
    /// why it stopped.
    pub(super) fn feed(
        &mut self,
        key: Key,
        input: &mut [u8],
        end: bool,
        outlet: &mut dyn Outlet,
    ) -> (usize, Stop) {
        let mut feeding = Feeding {
            at: 0,
            at_end: false,
            call: None,
        };
        loop {
            let run = || {
                let stop = self.run(key, input, end, &mut feeding, outlet);
                self.served(&mut feeding);
                stop
            };
            match catch_unwind(AssertUnwindSafe(run)) {
                Ok(stop) => return (feeding.at, stop),
                Err(panic) => match feeding.call.take() {
                    Some(call) => panicked(&mut self.handlers, &mut self.state, call),
                    None => resume_unwind(panic), // it is none of an owner's
                },
            }
            self.recycle(key);
        }
    }

    /// Feeds until there is a reason to stop. Events leave by one way for all,
    /// and are moved as little as can be: they are large.
    fn run(
        &mut self,
        key: Key,
        input: &mut [u8],
        end: bool,
        feeding: &mut Feeding,
        outlet: &mut dyn Outlet,
    ) -> Stop {
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
                return Stop::Over;
            };
            if !connection.may_be_fed() {
                return match connection.phase {
                    Phase::Open => Stop::Held,
                    _ => Stop::Over,
                };
            }
            let waiting = state.cork.len() + connection.backlog.len();
            if waiting > state.limits.backlog_high && !connection.duplex {
                return Stop::Flush;
            }
            let rest = input.get_mut(feeding.at..).unwrap_or_default();
            if rest.is_empty() && !end && feeding.call.is_some() && connection.link.is_hungry() {
                return Stop::Hungry;
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
            let received = match feeding.at_end {
                false => connection.link.receive(rest, lent, &mut state.cork),
                true => connection.link.receive_eof(rest, lent, &mut state.cork),
            };
            let stop = match received {
                Ok(Received {
                    used,
                    step: Step::Event(event),
                }) => {
                    feeding.at += used;
                    let exchange = Exchange {
                        connection: key,
                        stream: connection.link.stream(),
                    };
                    let call = feeding.call.insert(Call {
                        exchange,
                        owner: connection.owner,
                        mark: state.cork.mark(),
                        past: state.past,
                        depth: state.stash.len(),
                        unanswered: connection.link.snapshot(),
                        is_last: false,
                    });
                    if let Some(handler) = handlers.get_mut(usize::from(call.owner.0)) {
                        let mut context = Context {
                            state,
                            owner: call.owner,
                            exchange: call.exchange,
                            outlet: Some(&mut *outlet),
                        };
                        handler.event(&mut context, event);
                    }
                    None
                }
                Ok(Received { used, step }) => {
                    feeding.at += used;
                    match step {
                        // Bytes were used up without an event: there may be more.
                        Step::Need(_) | Step::Paused if used > 0 => None,
                        Step::Need(0) | Step::Event(_) => None,
                        Step::Need(_) | Step::Paused if end && !feeding.at_end => {
                            feeding.at_end = true;
                            None
                        }
                        Step::Need(_) => Some(Stop::Hungry),
                        Step::Paused => Some(Stop::Held),
                        Step::Full => Some(Stop::Flush),
                        Step::Done => Some(Stop::Over),
                    }
                }
                Err(violation) => {
                    self.recycle(key);
                    self.tell_gone(key, Gone::Violation(violation));
                    feeding.at = input.len();
                    return Stop::Over;
                }
            };
            if self.shown.is_some() {
                self.recycle(key);
            }
            if let Some(stop) = stop {
                return stop;
            }
        }
    }

    /// Tells the owner that has been called that this was all for now.
    fn served(&mut self, feeding: &mut Feeding) {
        let Self {
            handlers, state, ..
        } = self;
        if let Some(call) = &mut feeding.call
            && let Some(handler) = handlers.get_mut(usize::from(call.owner.0))
        {
            call.unanswered = None; // what was written stays
            let mut context = Context {
                state,
                owner: call.owner,
                exchange: call.exchange,
                outlet: None,
            };
            handler.served(&mut context);
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
                outlet: None,
            };
            let call = AssertUnwindSafe(|| handler.event(&mut context, event));
            if catch_unwind(call).is_err() {
                let call = Call {
                    exchange,
                    owner,
                    mark: state.cork.mark(),
                    past: state.past,
                    depth: state.stash.len(),
                    unanswered: None,
                    is_last: true,
                };
                panicked(handlers, state, call);
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

/// Calls the owner of an exchange.
fn call(
    handlers: &mut [Box<dyn Handler>],
    state: &mut State,
    exchange: Exchange,
    event: Event<'_>,
) {
    let Some(connection) = state.connections.get_mut(exchange.connection) else {
        return;
    };
    let owner = connection.owner;
    let call = Call {
        exchange,
        owner,
        mark: state.cork.mark(),
        past: state.past,
        depth: state.stash.len(),
        unanswered: connection.link.snapshot(),
        is_last: matches!(event, Event::Gone(_)),
    };
    let Some(handler) = handlers.get_mut(usize::from(owner.0)) else {
        return;
    };
    let mut context = Context {
        state,
        owner,
        exchange,
        outlet: None,
    };
    let called = catch_unwind(AssertUnwindSafe(|| handler.event(&mut context, event)));
    if called.is_err() {
        panicked(handlers, state, call);
    }
}
