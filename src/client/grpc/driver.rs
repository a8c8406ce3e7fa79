//! A channel on its loop: the calls meet their connections.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use super::shared::{GONE, Shared, State, Waiter};
use super::{Calls, Ending, NextMessage};
use crate::client::connecting::{Dialler, LinkId, proxy_fault};
use crate::link::{EndReason, Event, Unreachable};
use crate::net::{Context, Handler, Key, Profile, Speaks};
#[cfg(feature = "tls")]
use crate::tls::ConnectionError;

/// The owner of a channel's connections.
pub(super) struct Driver {
    pub(super) shared: Arc<Shared>,
    pub(super) dialler: Dialler,
    pub(super) speaks: Speaks,
    /// The limits of connections; a later one pings less.
    pub(super) profiles: Vec<Profile>,
}

impl Handler for Driver {
    fn event(&mut self, context: &mut Context<'_>, event: Event<'_>) {
        let (now, exchange) = (context.now(), context.exchange());
        // More of these may follow; `served` comes after the last.
        let is_input = matches!(
            event,
            Event::Response { .. } | Event::Body(_) | Event::End { .. }
        );
        let mut state = self.shared.lock();
        // What is asked from here on is seen to before the turn ends.
        state.awake = true;
        match (event, self.dialler.find(exchange)) {
            (Event::Draining, _) => state.calls.shutdown(now),
            (event, Some(link)) => {
                match event {
                    // What is written is bounded by windows, and by `ChannelLimits::unsent`.
                    Event::Opened => context.read_while_waiting(),
                    Event::Ended(why) => {
                        explain(&mut state.calls, link, why, context);
                        if context.is_last() {
                            self.dialler.forget(link);
                            if let Some(progress) = context.progress(exchange) {
                                state.calls.has_sent(link, progress.sent);
                            }
                        }
                    }
                    _ => {}
                }
                let stream = match event {
                    // Over HTTP/1.1 it has the number of the present exchange.
                    Event::Ended(_) if context.is_last() => 0,
                    _ => exchange.stream,
                };
                let transport = &mut Dialler::transport(context);
                let calls = &mut state.calls;
                calls.event(link, stream, event, transport, now);
            }
            (_, None) => {}
        }
        drop(state);
        if !is_input {
            self.see_to_it(context);
        }
    }

    fn served(&mut self, context: &mut Context<'_>) {
        self.see_to_it(context);
    }
}

impl Driver {
    /// Does everything that can be done now.
    fn see_to_it(&mut self, context: &mut Context<'_>) {
        let shared = self.shared.clone();
        let mut listeners = Vec::new();
        loop {
            let mut state = shared.lock();
            let now = context.now();
            if state.calls.deadline().is_some_and(|it| it <= now) {
                state.calls.elapsed(now);
            }
            let calls = &mut state.calls;
            self.dialler.each(context, |link, transport| {
                calls.flush(link, transport, now);
                if let Some(reading) = calls.reading_change(link) {
                    transport.set_reading(reading);
                }
            });
            // Calls that found a connection need no further one.
            while let Some(link) = state.calls.dial(now) {
                let slowed = state.calls.slowed as usize;
                let profile = self.profiles.get(slowed).or(self.profiles.last());
                if let Some(&profile) = profile {
                    self.dialler.dial(link, self.speaks, profile, context);
                }
            }
            while let Some(call) = state.calls.changed() {
                match state.calls.owner_mut(call) {
                    Some(Waiter::Thread(news)) => news.notify_all(),
                    Some(Waiter::Listener(_)) => listeners.push(call),
                    None => {}
                }
            }
            if listeners.is_empty() {
                Self::arm(&mut state, context);
                return;
            }
            drop(state);
            for call in listeners.drain(..) {
                tell_safely(&shared, call);
            }
        }
    }

    /// Makes the loop call at the next deadline.
    fn arm(state: &mut State, context: &mut Context<'_>) {
        state.awake = false;
        if let Some(deadline) = state.calls.deadline() {
            context.set_alarm(deadline);
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

/// Says what is known of the end of a connection beyond its kind.
fn explain<T>(calls: &mut Calls<T>, link: LinkId, why: EndReason, context: &Context<'_>) {
    let Some(details) = context.transport_details() else {
        return;
    };
    #[cfg(feature = "tls")]
    if let Some(error) = details.downcast_ref::<ConnectionError>() {
        return calls.explain(link, Arc::new(error.clone()));
    }
    let timed_out = why == EndReason::Unreachable(Unreachable::HandshakeTimedOut);
    if let Some(error) = proxy_fault(details, timed_out) {
        calls.explain(link, Arc::new(error));
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
        listener.head(head);
        state = shared.lock();
    }
    loop {
        let (message, compressed) = match state.calls.next(call) {
            NextMessage::Message(message) => (Vec::from(message.bytes), message.compressed),
            NextMessage::Wait => break,
            NextMessage::Over => {
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
