//! A connection's input, event by event.

use alloc::boxed::Box;
use core::panic::AssertUnwindSafe;
use std::panic::{catch_unwind, resume_unwind};

use super::codecs::LONG;
use super::connection::Phase;
use super::dispatch::{Dispatch, recycle};
use super::failing::panicked;
use super::feeding::{Call, Feeding, Further, Stop};
use super::state::State;
use crate::http::date::Date;
use crate::http::{Content, OwnedScratch, RequestHead};
use crate::link::{
    self, BufferedRequest, CallContext, EndReason, Event, EventContext, Limits, LinkOwner, Loan,
    MessageRun, Snapshot,
};
use crate::net::outlet::Outlet;
use crate::net::{Context, Cork, Exchange, Handler, Key, Owner};
use crate::websocket::Kind;
use crate::wire::{Instant, shortcut};

impl Dispatch {
    /// Feeds `input` to a link event by event; `ends`: the FIN follows. Returns how much was
    /// used and why it stopped.
    pub(super) fn feed(
        &mut self,
        key: Key,
        input: &mut [u8],
        ends: bool,
        outlet: &mut dyn Outlet,
    ) -> (usize, Stop) {
        let mut feeding = Feeding::new(ends, &self.state);
        loop {
            let run = || {
                let stop = self.run(key, input, &mut feeding, outlet);
                self.served(&mut feeding);
                stop
            };
            match catch_unwind(AssertUnwindSafe(run)) {
                Ok(stop) => {
                    let deflater = self.state.deflater.as_ref();
                    self.codecs.book(&mut self.scratch, deflater);
                    return (feeding.at, stop);
                }
                Err(panic) => match feeding.call.take() {
                    Some(call) => {
                        let unanswered = self.unanswered.take();
                        panicked(&mut self.handlers, &mut self.state, call, unanswered);
                    }
                    None => resume_unwind(panic), // it is none of an owner's
                },
            }
            self.recycle(key);
        }
    }

    /// Feeds until there is a reason to stop.
    fn run(
        &mut self,
        key: Key,
        input: &mut [u8],
        feeding: &mut Feeding,
        outlet: &mut dyn Outlet,
    ) -> Stop {
        let (now, date) = (self.state.now, &{ self.state.date });
        let mut fed = Fed {
            key,
            owner: Owner(0), // until it is lent
            handlers: &mut self.handlers,
            state: &mut self.state,
            feeding,
            unanswered: &mut self.unanswered,
            outlet,
        };
        loop {
            let rest = input.get_mut(fed.feeding.at..).unwrap_or_default();
            let is_end = fed.feeding.at_end;
            let lender = Lender {
                now,
                date,
                profiles: &self.profiles,
                scratch: &mut self.scratch,
                shown: &mut self.shown,
            };
            let passed = link::pass_on(&mut fed, rest, is_end, lender);
            let stop = match passed {
                Some(Ok(received)) => fed.feeding.pause(&received),
                Some(Err(violation)) => {
                    self.recycle(key);
                    self.tell_gone(key, EndReason::ProtocolError(violation));
                    feeding.at = input.len();
                    return Stop::Over;
                }
                None => Some(fed.feeding.stop),
            };
            if self.shown.is_some() {
                recycle(&mut self.shown, fed.state, key);
            }
            if let Some(stop) = stop {
                return stop;
            }
        }
    }

    /// Tells the owner that has been called that this was all for now.
    fn served(&mut self, feeding: &mut Feeding) {
        let Self {
            handlers,
            state,
            unanswered,
            ..
        } = self;
        if let Some(call) = &feeding.call
            && let Some(handler) = handlers.get_mut(usize::from(call.owner.0))
        {
            *unanswered = None; // what was written stays
            let mut context = Context::new(state, call.owner, call.exchange);
            handler.served(&mut context);
        }
    }
}

/// The parts of a call's context that differ from one connection to another.
struct Terms {
    profile: u16,
    mask_key: [u8; 4],
}

/// The parts that are common to the contexts of all calls.
struct Lender<'b> {
    now: Instant,
    date: &'b Date,
    profiles: &'b [Limits],
    scratch: &'b mut OwnedScratch,
    shown: &'b mut Option<Box<BufferedRequest>>,
}

impl<'b> link::Lender<'b, Terms> for Lender<'b> {
    #[inline(always)]
    fn now(&self) -> Instant {
        self.now
    }

    #[inline(always)]
    fn limits(&self, terms: &Terms) -> &'b Limits {
        // Profiles are only ever added, so the index stays good.
        &self.profiles[usize::from(terms.profile)]
    }

    #[inline(always)]
    fn lend(self, terms: Terms) -> CallContext<'b> {
        CallContext {
            limits: self.limits(&terms),
            now: self.now,
            date: Some(self.date),
            mask_key: terms.mask_key,
            scratch: self.scratch.lend(),
            shown: self.shown,
        }
    }
}

/// A connection that is fed, as the owner of its link.
struct Fed<'f> {
    key: Key,
    owner: Owner,
    handlers: &'f mut [Box<dyn Handler>],
    state: &'f mut State,
    feeding: &'f mut Feeding,
    unanswered: &'f mut Option<Snapshot>,
    outlet: &'f mut dyn Outlet,
}

impl LinkOwner for Fed<'_> {
    type Out = Cork;
    type Terms = Terms;

    #[inline(always)]
    fn lend(&mut self, input: &[u8]) -> Option<Loan<'_, Cork, Terms>> {
        let Self { state, feeding, .. } = self;
        let is_late = feeding.call.is_some() && feeding.is_late(input, state);
        let State {
            connections,
            cork,
            limits,
            memory,
            entropy,
            ..
        } = &mut **state;
        let Some(connection) = connections.get_mut(self.key) else {
            feeding.stop = Stop::Over;
            return None;
        };
        let stop = if !connection.may_be_fed() {
            match connection.phase {
                Phase::Open => Some(Stop::Held),
                _ => Some(Stop::Over),
            }
        } else if connection.is_behind(cork.len(), limits.backlog_high) {
            Some(Stop::Flush)
        } else if feeding.call.is_none() {
            None // it has been given nothing yet
        } else if shortcut!("catch_up")
            && input.is_empty()
            && !feeding.ends
            && connection.link.catch_up(cork)
        {
            Some(Stop::Hungry)
        } else if is_late {
            // Between two answers of a turn: others may wait for theirs.
            Some(Stop::Late)
        } else if memory.is_full() && !connection.link.is_multiplexed() {
            Some(Stop::Flush) // the next answer may have no room
        } else {
            None
        };
        if let Some(stop) = stop {
            feeding.stop = stop;
            return None;
        }
        self.owner = connection.owner;
        if connection.link.wants_account(input) {
            let account = memory.open(connection.peer);
            connection.link.charge_to(account);
        }
        Some(Loan {
            out: cork,
            unanswered: self.unanswered,
            terms: Terms {
                profile: connection.profile,
                mask_key: match connection.link.may_mask() {
                    true => entropy.take(),
                    false => [0; 4],
                },
            },
            link: &mut connection.link,
        })
    }

    #[inline(always)]
    fn refused(&mut self) {
        self.state.memory.seen.refused();
    }

    #[inline(always)]
    fn request<'b>(&mut self, at: EventContext, head: &RequestHead<'b>, content: Content<'b>) {
        self.call(at, |handler, context| {
            handler.request(context, head, content);
        });
    }

    #[inline(always)]
    fn message(&mut self, at: EventContext, kind: Kind, payload: &mut [u8], run: MessageRun<'_>) {
        let exchange = self.note_call(at);
        if let Some(handler) = self.handlers.get_mut(usize::from(self.owner.0)) {
            let mut further = Further {
                run,
                feeding: self.feeding,
            };
            let mut context = Context {
                state: self.state,
                owner: self.owner,
                exchange,
                outlet: Some(self.outlet),
                further: shortcut!("messages").then_some(&mut further),
            };
            handler.message(&mut context, kind, payload);
        }
    }

    #[inline(always)]
    fn event(&mut self, at: EventContext, event: Event<'_>) {
        if let Event::Ended(reason) = event {
            let exchange = Exchange {
                connection: self.key,
                stream: at.stream,
            };
            self.state.note_end(exchange, reason);
        }
        let is_long = matches!(
            &event,
            Event::Message { payload, .. } | Event::Chunk { payload, .. } if payload.len() >= LONG
        );
        self.call(at, |handler, context| handler.event(context, event));
        if is_long {
            self.feeding.read_clock_next();
        }
    }
}

impl Fed<'_> {
    #[inline(always)]
    fn call(&mut self, at: EventContext, act: impl FnOnce(&mut dyn Handler, &mut Context<'_>)) {
        let exchange = self.note_call(at);
        if let Some(handler) = self.handlers.get_mut(usize::from(self.owner.0)) {
            let mut context = Context {
                state: self.state,
                owner: self.owner,
                exchange,
                outlet: Some(self.outlet),
                further: None,
            };
            act(&mut **handler, &mut context);
        }
    }

    /// Notes what is gone back to should the owner panic in the call that follows.
    #[inline(always)]
    fn note_call(&mut self, at: EventContext) -> Exchange {
        let Self { state, feeding, .. } = self;
        feeding.took(at.used);
        let exchange = Exchange {
            connection: self.key,
            stream: at.stream,
        };
        feeding.call = Some(Call {
            exchange,
            owner: self.owner,
            mark: state.cork.mark(),
            past: state.past,
            depth: state.stash.len(),
            is_last: false,
        });
        exchange
    }
}
