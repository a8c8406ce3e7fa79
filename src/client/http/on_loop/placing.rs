//! The placing of calls on connections.

use alloc::rc::Rc;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::driver::Driver;
use super::links::{LinkState, Links, SharedLink};
use super::running::{Place, Running};
use crate::client::http::pool::{Closed, Found, Want};
use crate::http2::ErrorCode;
use crate::net::{Context, Exchange, Key};

impl Driver {
    /// Gets a connection for a call, or has it wait for one; whether it has survived that.
    #[must_use]
    pub(super) fn place(
        &mut self,
        key: Key,
        running: &mut Running,
        fresh: bool,
        is_next: bool,
        context: &mut Context<'_>,
    ) -> bool {
        let now = context.now();
        let want = Want {
            fresh,
            young: !running.call.bears_stale(),
            shares: self.client.may_share(running.call.url()),
            since: running.since,
        };
        let origin = running.call.url().origin();
        let limits = &self.client.policy.limits;
        let mut closed = Closed::default();
        self.pool.sweep(limits, now, &mut closed);
        // Who waits is in front of who comes.
        let found = match !is_next && self.queues.contains_key(origin) {
            true => Found::Full,
            false => self.pool.find(origin, want, limits, now, &mut closed),
        };
        let is_alive = match found {
            Found::Full => {
                let queue = self.queues.entry(origin.into()).or_default();
                match is_next {
                    true => queue.push_front(key),
                    false => queue.push_back(key),
                }
                running.place = Place::Waiting { fresh };
                true
            }
            Found::Dial { is_awaited } => {
                running.since = now;
                self.dial(key, running, is_awaited, context);
                true
            }
            Found::Idle(idle) => {
                running.since = now;
                self.counters.reused();
                match want.young && idle.since < now {
                    true => self.look_first(key, running, idle.connection, context),
                    false => self.begin(key, running, idle.connection, true, context),
                }
            }
            Found::Seat(seats, _) => {
                running.since = now;
                self.counters.reused();
                self.apply(key, running, seats.link.get(), true, context)
            }
        };
        self.close(closed, context);
        is_alive
    }

    /// Has a connection looked at that was at rest before this turn; then the call begins.
    #[must_use]
    fn look_first(
        &mut self,
        key: Key,
        running: &mut Running,
        link: Key,
        context: &mut Context<'_>,
    ) -> bool {
        if let Some(it) = self.links.get_mut(link) {
            it.state = LinkState::Own { call: Some(key) };
            running.place = Place::Looking(link);
            self.due = self.due.min(running.deadline());
            context.look(it.exchange);
            context.with(it.exchange, |context| context.waker().wake());
        }
        true
    }

    /// A connection was looked at, and is open: its call begins.
    pub(super) fn looked(&mut self, link: Key, context: &mut Context<'_>) {
        let Some(it) = self.links.get(link) else {
            return;
        };
        let exchange = it.exchange;
        let LinkState::Own { call: Some(key) } = it.state else {
            return;
        };
        if self.call(key).map(|it| it.place) != Some(Place::Looking(link)) {
            return;
        }
        if context.is_to_look(exchange) {
            return context.waker().wake(); // others came first
        }
        self.begin_waiting(key, context, |driver, running, context| {
            driver.begin(key, running, link, true, context)
        });
    }

    /// Begins a call on a connection that it shares, once the server allows that; whether it
    /// has survived that.
    #[must_use]
    pub(super) fn apply(
        &mut self,
        key: Key,
        running: &mut Running,
        link: Key,
        reused: bool,
        context: &mut Context<'_>,
    ) -> bool {
        let now = context.now();
        let Some(it) = self.links.get_mut(link) else {
            return true;
        };
        let allowed = context.with(it.exchange, |context| context.allowance());
        if let LinkState::Shared { applying, .. } = &mut it.state
            && (allowed.is_none_or(|it| it == 0) || !applying.is_empty())
        {
            applying.push_back(key);
            running.place = Place::Applying(link, now);
            self.due = self.due.min(running.deadline());
            return true;
        }
        self.begin(key, running, link, reused, context)
    }

    /// Sends the request of a call on a connection; whether the call has survived that.
    #[must_use]
    pub(super) fn begin(
        &mut self,
        key: Key,
        running: &mut Running,
        link: Key,
        reused: bool,
        context: &mut Context<'_>,
    ) -> bool {
        let Some(it) = self.links.get_mut(link) else {
            return true;
        };
        running.place = Place::On(link);
        (running.ends_at, running.has_received) = (None, false);
        running.details = None;
        if let LinkState::Own { call } = &mut it.state {
            *call = Some(key);
        }
        let exchange = it.exchange;
        let Some(written) = context.forget_heard(exchange) else {
            running.call.connection_over(); // its end is on the way
            return true;
        };
        running.begins_at = written;
        running.is_shared = matches!(it.state, LinkState::Shared { .. });
        let client = &self.client;
        let is_alive = self.act(running, context, |call, transport, now| {
            let forwarder = client.forwarder(call.url());
            call.begin(transport, reused, forwarder, now);
        });
        let stream = running.call.stream();
        if let Some(it) = self.links.get_mut(link)
            && stream > 0
        {
            match &mut it.state {
                LinkState::Shared { streams, .. } => {
                    // Streams are numbered upwards.
                    streams.push((stream, key));
                    let own = Exchange { stream, ..exchange };
                    context.with(own, |context| context.set_tag(Links::tag(link)));
                }
                LinkState::Own { .. } => it.exchange.stream = stream,
                LinkState::Dialling { .. } => {}
            }
        }
        is_alive
    }

    pub(super) fn begin_waiting(
        &mut self,
        key: Key,
        context: &mut Context<'_>,
        begin: impl FnOnce(&mut Self, &mut Running, &mut Context<'_>) -> bool,
    ) {
        let Some(mut running) = self.calls.get_mut(key).and_then(Option::take) else {
            return;
        };
        match begin(self, &mut running, context) {
            true => {
                self.put_back(key, running);
                self.touch(key);
            }
            false => self.lose(key, running, context),
        }
    }

    /// Takes a call off its connection, which can be used again if it is at rest, or is
    /// shared.
    pub(super) fn release(
        &mut self,
        key: Key,
        running: &mut Running,
        is_failed: bool,
        context: &mut Context<'_>,
    ) {
        let place = core::mem::replace(&mut running.place, Place::Nowhere);
        if running.charge.bytes() > 0 {
            running.charge.move_to(None);
        }
        let link = match place {
            Place::On(link) | Place::Looking(link) | Place::Applying(link, _) => link,
            Place::Dialling(link) => return self.give_up_dial(link, context),
            Place::Waiting { .. } => {
                let origin = running.call.url().origin();
                if let Some(queue) = self.queues.get_mut(origin) {
                    queue.retain(|it| *it != key);
                    if queue.is_empty() {
                        self.queues.remove(origin);
                    }
                }
                return;
            }
            Place::Nowhere | Place::Pausing(_) => return,
        };
        let is_held = core::mem::take(&mut running.is_held);
        let is_received = running.call.is_received();
        let Some(it) = self.links.get_mut(link) else {
            return;
        };
        let exchange = it.exchange;
        let progress = context.progress(exchange);
        if let Place::On(_) = place {
            let sent = progress.map(|it| it.sent.saturating_sub(running.begins_at));
            let sent = sent.unwrap_or(running.call.carried().0);
            self.counters.carried(sent, 0);
        }
        match &mut it.state {
            LinkState::Own { .. } => {
                if is_held {
                    context.with(exchange, |context| context.set_reading(true));
                }
                match progress.filter(|it| !is_failed && it.is_at_rest()) {
                    Some(_) => self.rest(link, true, context),
                    None => {
                        let origin = it.origin.clone();
                        match is_received && !is_failed {
                            true => self.hang_up(link, context),
                            false => self.cut(link, context),
                        }
                        self.give_back(&origin, None, false, false, context);
                    }
                }
            }
            LinkState::Shared {
                seats,
                streams,
                applying,
            } => {
                let stream = running.call.stream();
                streams.retain(|it| it.1 != key);
                applying.retain(|it| *it != key);
                let (seats, origin) = (seats.clone(), it.origin.clone());
                if stream > 0 && matches!(place, Place::On(_)) {
                    let own = Exchange { stream, ..exchange };
                    context.with(own, |context| {
                        context.set_tag(0);
                        if !is_received || is_failed {
                            context.reset(ErrorCode::CANCEL.code());
                        }
                    });
                }
                self.rise(&origin, &seats, context);
                self.may_take_more(link, context);
            }
            LinkState::Dialling { .. } => {}
        }
    }

    /// Those that wait for a connection to an origin may look again.
    pub(super) fn free(&mut self, origin: &Arc<str>) {
        if !self.queues.is_empty() && !self.freed.contains(origin) {
            self.freed.push(origin.clone());
        }
    }

    /// Lets waiting calls look: first for this origin, then for others, as far as there is
    /// room.
    pub(super) fn serve_queue(&mut self, origin: &Arc<str>, context: &mut Context<'_>) {
        self.serve_origin(origin, context);
        if self.queues.is_empty() || self.pool.open >= self.client.pool_limits().connections {
            return;
        }
        let others: Vec<_> = self.queues.keys().cloned().collect();
        for other in others {
            if other != *origin {
                self.serve_origin(&other, context);
            }
        }
    }

    fn serve_origin(&mut self, origin: &Arc<str>, context: &mut Context<'_>) {
        while let Some(queue) = self.queues.get_mut(origin) {
            let next = queue.pop_front();
            if queue.is_empty() {
                self.queues.remove(origin);
            }
            let Some(key) = next else {
                return;
            };
            let Some(Place::Waiting { fresh }) = self.call(key).map(|it| it.place) else {
                continue; // it does not wait any more
            };
            self.begin_waiting(key, context, |driver, running, context| {
                driver.place(key, running, fresh, true, context)
            });
            if let Some(Place::Waiting { .. }) = self.call(key).map(|it| it.place) {
                return;
            }
        }
    }

    pub(super) fn close(&mut self, closed: Closed<Key, Rc<SharedLink>>, context: &mut Context<'_>) {
        for idle in closed.own {
            self.hang_up(idle.connection, context);
        }
        for seats in closed.shared {
            self.hang_up(seats.link.get(), context);
        }
    }

    pub(super) fn close_idle(&mut self, context: &mut Context<'_>) {
        let mut closed = Closed::default();
        self.pool.close(|_| true, |_, _| true, &mut closed);
        self.close(closed, context);
        let waiting: Vec<_> = self.queues.keys().cloned().collect();
        waiting.iter().for_each(|origin| self.free(origin));
    }
}
