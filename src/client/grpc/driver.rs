//! A channel on its loop: the calls meet their connections.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::mem;
use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use super::LinkId;
use super::shared::{GONE, Shared, State, Waiter};
use super::{Calls, Ending, Next};
use crate::client::connecting::Target;
use crate::http::Fields;
use crate::link::{EndReason, Event};
use crate::net::{Context, Exchange, Flow, Handler, Key, Profile, Speaks};
use crate::wire::Instant;

/// The owner of a channel's connections.
pub(super) struct Driver {
    pub(super) shared: Arc<Shared>,
    pub(super) target: Target,
    pub(super) profile: Profile,
    pub(super) links: Vec<Wire>,
    /// When the earliest timer goes off that was set.
    pub(super) armed: Instant,
}

/// One connection.
pub(super) struct Wire {
    link: LinkId,
    exchange: Exchange,
    /// Its backlog is full.
    write_blocked: bool,
    /// It was told to end.
    ends: bool,
    /// Since when the server owes the answer to a ping.
    asked: Option<Instant>,
    /// The loop says that this answer is overdue.
    overdue: bool,
}

impl Handler for Driver {
    fn event(&mut self, context: &mut Context<'_>, event: Event<'_>) {
        let now = context.now();
        let exchange = context.exchange();
        let link = LinkId(context.tag());
        let shared = self.shared.clone();
        let mut state = shared.lock();
        // What is asked from here on is seen to before the turn ends.
        state.awake = true;
        let calls = &mut state.calls;
        match event {
            Event::Opened => {
                context.read_while_waiting();
                if calls.keeps_alive() {
                    context.begin_asking();
                }
                calls.opened(link, now);
            }
            Event::Data(bytes) => {
                if let Some(wire) = self.wire(exchange) {
                    (wire.asked, wire.overdue) = (None, false);
                }
                calls.receive(link, bytes, now);
            }
            Event::Overdue => {
                if let Some(wire) = self.wire(exchange) {
                    wire.overdue = true;
                }
            }
            Event::Writable => {
                if let Some(wire) = self.wire(exchange) {
                    wire.write_blocked = false;
                }
            }
            // Nothing can be asked of a server that answers no more.
            Event::HalfClosed => calls.closed(link, now),
            Event::Ended(gone) => {
                self.links.retain(|it| it.exchange != exchange);
                match gone {
                    EndReason::Unreachable(why) => calls.unreachable(link, why, now),
                    _ => calls.closed(link, now),
                }
            }
            Event::Timer { .. } => self.armed = Instant::NEVER,
            Event::Draining => calls.shutdown(now),
            _ => {}
        }
        drop(state);
        self.see_to_it(context);
    }
}

impl Driver {
    fn wire(&mut self, exchange: Exchange) -> Option<&mut Wire> {
        self.links.iter_mut().find(|it| it.exchange == exchange)
    }

    /// Lets the deadlines that have come take effect, each server having had its
    /// time.
    fn elapse(&mut self, calls: &mut Calls<Waiter>, context: &mut Context<'_>, now: Instant) {
        for wire in &mut self.links {
            match wire.asked {
                Some(since) if mem::take(&mut wire.overdue) => {
                    wire.asked = None;
                    calls.await_from(wire.link, since);
                }
                // The loop says when: the ping may still be under way.
                Some(_) => calls.await_from(wire.link, now),
                // A server that takes nothing of it is given up by the loop.
                None => {
                    let backlog = context.with(wire.exchange, |context| context.backlog());
                    if backlog.is_some_and(|bytes| bytes > 0) {
                        calls.output_waits(wire.link, now);
                    }
                }
            }
        }
        calls.elapsed(now);
        for wire in &mut self.links {
            if wire.asked.is_none()
                && let Some(within) = calls.answer_due(wire.link)
                && let Some(ping) = calls.output(wire.link)
            {
                wire.asked = Some(now);
                let flow = context.with(wire.exchange, |context| {
                    let flow = context.write(ping);
                    context.await_answer(ping.len(), within);
                    flow
                });
                wire.write_blocked |= flow == Some(Flow::Wait);
                ping.clear();
            }
        }
    }

    /// Does everything that can be done now.
    fn see_to_it(&mut self, context: &mut Context<'_>) {
        let shared = self.shared.clone();
        let mut listeners = Vec::new();
        loop {
            let mut state = shared.lock();
            let now = context.now();
            let is_overdue = self.links.iter().any(|wire| wire.overdue);
            if is_overdue || state.calls.deadline().is_some_and(|it| it <= now) {
                self.elapse(&mut state.calls, context, now);
            }
            if let Some(link) = state.calls.dial(now) {
                let exchange = context.dial(
                    self.target.destination.clone(),
                    Speaks::Raw,
                    self.profile,
                    link.0,
                );
                self.links.push(Wire {
                    link,
                    exchange,
                    write_blocked: false,
                    ends: false,
                    asked: None,
                    overdue: false,
                });
            }
            for wire in &mut self.links {
                write(wire, &mut state, context, now);
            }
            while let Some(call) = state.calls.changed() {
                match state.calls.owner_mut(call) {
                    Some(Waiter::Thread(news)) => news.notify_all(),
                    Some(Waiter::Listener(_)) => listeners.push(call),
                    None => {}
                }
            }
            if listeners.is_empty() {
                self.arm(&mut state, context);
                return;
            }
            drop(state);
            for call in listeners.drain(..) {
                tell_safely(&shared, call);
            }
        }
    }

    /// Sets a timer for the next deadline, unless an earlier one runs.
    fn arm(&mut self, state: &mut State, context: &mut Context<'_>) {
        state.awake = false;
        let Some(deadline) = state.calls.deadline() else {
            return;
        };
        if deadline >= self.armed {
            return;
        }
        // A timer that is set within an event of a connection ends with that.
        if context.exchange().connection != Key::NONE {
            state.awake = self.shared.post();
        } else if context.after(deadline.saturating_since(context.now()), 0) {
            self.armed = deadline;
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.gone = true;
        state.calls.abandon(GONE);
        let mut listeners = Vec::new();
        while let Some(call) = state.calls.changed() {
            match state.calls.owner_mut(call) {
                Some(Waiter::Thread(news)) => news.notify_all(),
                Some(Waiter::Listener(_)) => listeners.push(call),
                None => {}
            }
        }
        drop(state);
        for call in listeners {
            tell_safely(&self.shared, call);
        }
    }
}

/// Writes what a connection has to send, until its backlog is full.
fn write(wire: &mut Wire, state: &mut State, context: &mut Context<'_>, now: Instant) {
    loop {
        // What the protocol itself has to say does not wait.
        let more = !wire.write_blocked && state.calls.flush(wire.link, now);
        if let Some(output) = state.calls.output(wire.link)
            && !output.is_empty()
        {
            let flow = context.with(wire.exchange, |context| context.write(output));
            wire.write_blocked |= flow == Some(Flow::Wait);
            output.clear();
        }
        if !more {
            break;
        }
    }
    if state.calls.is_over(wire.link) && !mem::replace(&mut wire.ends, true) {
        // Refused if it has ended by itself.
        let _ = context.with(wire.exchange, |context| context.finish(Fields::EMPTY));
    }
}

/// Tells the listener of a call what is new. One that panics loses its call,
/// and nobody else notices.
fn tell_safely(shared: &Shared, call: Key) {
    if catch_unwind(AssertUnwindSafe(|| tell(shared, call))).is_err() {
        // What the owner was is gone already, but for its place.
        let _ = shared.lock().calls.remove(call);
    }
}

fn tell(shared: &Shared, call: Key) {
    let mut state = shared.lock();
    let taken = match state.calls.owner_mut(call) {
        Some(Waiter::Listener(listener)) => listener.take(),
        Some(Waiter::Thread(_)) | None => None,
    };
    let Some(mut listener) = taken else {
        return;
    };
    if let Some(head) = state.calls.take_head(call) {
        drop(state);
        listener.head(head.as_fields());
        state = shared.lock();
    }
    loop {
        let (message, compressed) = match state.calls.next(call) {
            Next::Message(message) => (Vec::from(message.bytes), message.compressed),
            Next::Wait => break,
            Next::Over => {
                let ending = state.calls.remove(call).map(|removed| removed.ending);
                drop(state);
                if let Some(ending) = ending {
                    listener.end(ending);
                }
                return;
            }
        };
        drop(state);
        let plain = shared.coding.plain(message, compressed);
        let taken: Result<(), Ending> =
            plain.and_then(|message| listener.message(&message, compressed));
        state = shared.lock();
        if let Err(ending) = taken {
            state.calls.fail(call, ending);
        }
    }
    if state.calls.take_relief(call) {
        drop(state);
        listener.writable();
        state = shared.lock();
    }
    if let Some(Waiter::Listener(place)) = state.calls.owner_mut(call) {
        *place = Some(listener);
    }
}
