//! From a link's events to its owner's handler.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use super::codecs::Codecs;
use super::connection::Reported;
use super::failing::{fail, panicked};
use super::feeding::Call;
use super::state::State;
use crate::http::{OwnedScratch, Status};
use crate::link::{self, BufferedRequest, EndReason, Event, Snapshot};
use crate::net::{Context, Exchange, Handler, Key, Owner};

/// The handlers, what limits their connections are subject to, and what they reach.
pub(crate) struct Dispatch {
    pub(crate) handlers: Vec<Box<dyn Handler>>,
    pub(crate) profiles: Vec<link::Limits>,
    pub(crate) scratch: OwnedScratch,
    pub(crate) codecs: Codecs,
    pub(crate) shown: Option<Box<BufferedRequest>>,
    /// The state to go back to should the owner that is being called panic.
    pub(crate) unanswered: Option<Snapshot>,
    pub(crate) state: State,
}

impl Dispatch {
    pub(crate) fn tell(&mut self, exchange: Exchange, event: Event<'_>) {
        call(&mut self.handlers, &mut self.state, exchange, event);
    }

    pub(super) fn tell_owner(&mut self, owner: Owner, event: Event<'_>) {
        let exchange = Exchange::NONE;
        let Self {
            handlers, state, ..
        } = self;
        if let Some(handler) = handlers.get_mut(usize::from(owner.0)) {
            let mut context = Context::new(state, owner, exchange);
            let call = AssertUnwindSafe(|| handler.event(&mut context, event));
            if catch_unwind(call).is_err() {
                let call = Call {
                    exchange,
                    owner,
                    mark: state.cork.mark(),
                    past: state.past,
                    depth: state.stash.len(),
                    is_last: true,
                };
                panicked(handlers, state, call, None);
            }
        }
    }

    /// Tells the owner, once, that a connection is over: each shared exchange, then the
    /// connection.
    pub(crate) fn tell_gone(&mut self, key: Key, gone: EndReason) {
        loop {
            let Some(connection) = self.state.connections.get_mut(key) else {
                return;
            };
            if connection.reported != Reported::Beginning {
                return;
            }
            let gone = *connection.gone.get_or_insert(gone);
            let (stream, gone, is_new) = match connection.link.take_live() {
                Some((stream, own)) => (stream, own.unwrap_or(gone), own.is_some()),
                None => {
                    connection.reported = Reported::End;
                    let is_shared = connection.link.is_multiplexed();
                    let stream = if is_shared {
                        0
                    } else {
                        connection.link.stream()
                    };
                    (stream, gone, true)
                }
            };
            let exchange = Exchange {
                connection: key,
                stream,
            };
            if is_new {
                self.state.note_end(exchange, gone);
            }
            self.tell(exchange, Event::Ended(gone));
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
            ..
        } = self;
        let Some(connection) = state.connections.get_mut(key) else {
            return;
        };
        if !connection.may_be_fed() {
            connection.link.resume(state.now); // what is due is our own
        }
        let lent = link::CallContext {
            now: state.now,
            date: Some(&date),
            mask_key: state.entropy.take(),
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
                if let Event::Ended(reason) = event {
                    state.note_end(exchange, reason);
                }
                call(handlers, state, exchange, event);
                if overdue {
                    fail(state, exchange, Status::GATEWAY_TIMEOUT);
                }
            }
            Err(violation) => self.tell_gone(key, EndReason::ProtocolError(violation)),
        }
    }

    pub(super) fn recycle(&mut self, key: Key) {
        if self.shown.is_some() {
            recycle(&mut self.shown, &mut self.state, key);
        }
    }
}

#[cold]
pub(super) fn recycle(shown: &mut Option<Box<BufferedRequest>>, state: &mut State, key: Key) {
    let Some(buffered_request) = shown.take() else {
        return;
    };
    let buffered_request = match state.connections.get_mut(key) {
        Some(connection) => connection.link.reclaim(buffered_request),
        None => Some(buffered_request),
    };
    if let Some(buffered_request) = buffered_request {
        state.memory.note_pooled(state.now);
        state.request_pool.put_back(buffered_request);
    }
}

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
        is_last: matches!(event, Event::Ended(_)),
    };
    let unanswered = connection.link.snapshot();
    let Some(handler) = handlers.get_mut(usize::from(owner.0)) else {
        return;
    };
    let mut context = Context::new(state, owner, exchange);
    let called = catch_unwind(AssertUnwindSafe(|| handler.event(&mut context, event)));
    if called.is_err() {
        panicked(handlers, state, call, unanswered);
    }
}
