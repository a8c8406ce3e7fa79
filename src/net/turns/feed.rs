//! A connection's input, event by event.

use alloc::boxed::Box;
use core::panic::AssertUnwindSafe;
use core::time::Duration;
use std::panic::{catch_unwind, resume_unwind};

use super::connection::{Connection, Phase};
use super::dispatch::{Dispatch, Stop};
use super::failing::{Call, panicked};
use super::state::State;
use crate::http2::LocatedEvent;
use crate::link::{self, EndReason, Event, Taker};
use crate::net::outlet::Outlet;
use crate::net::{Context, Exchange, Handler, Key, Mark};
use crate::wire::{Instant, Received, Role, Step};
use crate::{http1, websocket};

/// How far feeding has come, and what is gone back to should the owner panic.
struct Feeding {
    at: usize,    // bytes used, at most all
    at_end: bool, // the link has used all it can before the FIN
    call: Option<Call>,
    events: u32,            // handed over
    since: Option<Instant>, // when the clock was read first
    held: usize,            // by the loop when it was read last
}

/// How long a connection's events are handed over one behind the other, if each
/// of them takes long.
const LONG: Duration = Duration::from_millis(4);
/// The clock is read behind so many events ...
const EVENTS: u32 = 8;
/// ... and behind so much that was taken to answer them.
const MUCH: usize = 512 << 10;

impl Dispatch {
    /// Feeds `input` to a connection's link, event by event; `end` says that
    /// the peer's FIN stands behind it. Returns how much of it was used and
    /// why it stopped.
    pub(in crate::net) fn feed(
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
            events: 0,
            since: None,
            held: self.state.memory.all.held(),
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

    /// Feeds until there is a reason to stop. What there is most of, requests
    /// and messages, is handed over from where its machine has put it.
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
            let is_late = feeding.call.is_some()
                && (state.is_late() || feeding.takes_long(input.len(), state));
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
            if feeding.call.is_some() {
                if rest.is_empty() && !end && connection.link.catch_up(&mut state.cork) {
                    return Stop::Hungry;
                }
                // Between two answers of a turn: others may wait for theirs, and
                // the next one may have no room.
                if is_late {
                    return Stop::Late;
                }
                if state.memory.is_full() && !connection.link.is_multiplexed() {
                    return Stop::Flush;
                }
            }
            // Profiles are only ever added, so the index stays good.
            let limits = &profiles[usize::from(connection.profile)];
            let lent = link::CallContext {
                now: state.now,
                date: Some(&date),
                mask_key: match connection.link.role() {
                    Role::Client => state.entropy.take(),
                    Role::Server => [0; 4],
                },
                limits,
                scratch: scratch.lend(),
                shown,
            };
            let taker = match feeding.at_end {
                false => connection.link.taker(rest),
                true => Taker::Any,
            };
            let received = match taker {
                Taker::Http1(machine) => {
                    let due = lent.now + limits.reply;
                    let (lent, shown, _) = lent.pass(|limits| &limits.http1);
                    match machine.receive(rest, lent, &mut state.cork) {
                        Ok(Received {
                            used,
                            step: Step::Event(http1::Event::Request { ref head, content }),
                        }) => {
                            feeding.at += used;
                            connection.link.open(due);
                            let written = (state.cork.mark(), state.past, state.stash.len());
                            let call = feeding.note(key, connection, written);
                            hand_over(handlers, state, call, outlet, |handler, context| {
                                handler.request(context, head, content);
                            });
                            continue;
                        }
                        received => connection.link.took_http1(received, due, shown),
                    }
                }
                Taker::WebSocket(machine) => {
                    let (lent, ..) = lent.pass(|limits| &limits.websocket);
                    match machine.receive(rest, lent, &mut state.cork) {
                        Ok(Received {
                            used,
                            step: Step::Event(websocket::Event::Message { kind, payload }),
                        }) => {
                            feeding.at += used;
                            let written = (state.cork.mark(), state.past, state.stash.len());
                            let call = feeding.note(key, connection, written);
                            hand_over(handlers, state, call, outlet, |handler, context| {
                                handler.message(context, kind, payload);
                            });
                            continue;
                        }
                        received => connection.link.took_websocket(received),
                    }
                }
                Taker::Http2(machine) => {
                    let due = lent.now + limits.reply;
                    let (mut lent, shown, limits) = lent.pass(|limits| &limits.http2);
                    match machine.receive_found(rest, &mut lent, &mut state.cork) {
                        Ok((used, LocatedEvent::Request(asked))) => {
                            feeding.at += used;
                            if state.memory.is_full() {
                                state.memory.seen.refused();
                                let (now, out) = (state.now, &mut state.cork);
                                connection.link.refuse_stream(asked.stream, now, out);
                                continue;
                            }
                            let Some((head, content)) = asked.borrow(rest, lent.scratch) else {
                                continue; // never: it was judged
                            };
                            let link = &mut connection.link;
                            link.begin_http2(asked.stream, &head, &content, due);
                            let written = (state.cork.mark(), state.past, state.stash.len());
                            let call = feeding.note(key, connection, written);
                            hand_over(handlers, state, call, outlet, |handler, context| {
                                handler.request(context, &head, content);
                            });
                            continue;
                        }
                        found => {
                            let (link, out) = (&mut connection.link, &mut state.cork);
                            link.took_http2(found, rest, lent, (shown, limits), out)
                        }
                    }
                }
                Taker::Any if feeding.at_end => {
                    connection.link.receive_eof(rest, lent, &mut state.cork)
                }
                Taker::Any => {
                    // Who begins with HTTP/2's preface comes here.
                    if connection.link.account().is_none() && connection.link.is_preface(rest) {
                        let account = state.memory.open(connection.peer);
                        connection.link.charge_to(account);
                    }
                    connection.link.receive(rest, lent, &mut state.cork)
                }
            };
            let stop = match received {
                Ok(Received {
                    used,
                    step: Step::Event(event),
                }) => {
                    feeding.at += used;
                    let written = (state.cork.mark(), state.past, state.stash.len());
                    let call = feeding.note(key, connection, written);
                    if let Event::Ended(reason) = event {
                        state.note_end(call.exchange, reason);
                    }
                    hand_over(handlers, state, call, outlet, |handler, context| {
                        handler.event(context, event);
                    });
                    None
                }
                Ok(Received { used, step }) => feeding.pause(used, &step, end),
                Err(violation) => {
                    self.recycle(key);
                    self.tell_gone(key, EndReason::ProtocolError(violation));
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
}

impl Feeding {
    /// Notes that an event is about to be handed over, and what is gone back to
    /// should its owner panic.
    #[inline(always)]
    fn note(&mut self, key: Key, connection: &Connection, written: (Mark, u64, usize)) -> &Call {
        self.events += 1;
        let (mark, past, depth) = written;
        self.call.insert(Call {
            exchange: Exchange {
                connection: key,
                stream: connection.link.stream(),
            },
            owner: connection.owner,
            mark,
            past,
            depth,
            unanswered: connection.link.snapshot(),
            is_last: false,
        })
    }

    /// Whether what has been handed over took so long that the rest waits for
    /// the next turn, in which others come first.
    #[inline]
    fn takes_long(&mut self, length: usize, state: &State) -> bool {
        if self.at == length {
            return false; // that was all, as mostly
        }
        let held = state.memory.all.held();
        (self.events.is_multiple_of(EVENTS) || held > self.held + MUCH)
            && self.read_clock(held, state)
    }

    #[cold]
    fn read_clock(&mut self, held: usize, state: &State) -> bool {
        self.held = held;
        let now = state.clock();
        let since = *self.since.get_or_insert(now);
        now.saturating_since(since) > LONG
    }

    /// What an answer without an event stops, if it stops anything.
    fn pause(&mut self, used: usize, step: &Step<Event<'_>>, end: bool) -> Option<Stop> {
        self.at += used;
        match step {
            // Bytes were used up without an event: there may be more.
            Step::Need(_) | Step::Paused if used > 0 => None,
            Step::Need(0) | Step::Event(_) => None,
            Step::Need(_) | Step::Paused if end && !self.at_end => {
                self.at_end = true;
                None
            }
            Step::Need(_) => Some(Stop::Hungry),
            Step::Paused => Some(Stop::Held),
            Step::Full => Some(Stop::Flush),
            Step::Done => Some(Stop::Over),
        }
    }
}

/// Calls the owner of an event.
#[inline(always)]
fn hand_over(
    handlers: &mut [Box<dyn Handler>],
    state: &mut State,
    call: &Call,
    outlet: &mut dyn Outlet,
    act: impl FnOnce(&mut dyn Handler, &mut Context<'_>),
) {
    if let Some(handler) = handlers.get_mut(usize::from(call.owner.0)) {
        let mut context = Context {
            state,
            owner: call.owner,
            exchange: call.exchange,
            outlet: Some(outlet),
        };
        act(&mut **handler, &mut context);
    }
}
