//! The beginnings and ends of connections.

use alloc::collections::VecDeque;
use alloc::rc::Rc;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::Cell;

use super::driver::Driver;
use super::links::{Link, LinkState, Links, SharedLink};
use super::running::{Place, Running};
use crate::client::connecting::{DialOptions, LoopDial};
use crate::client::http::pool::{Idle, Return};
use crate::link::{EndReason, Event};
use crate::net::{Context, Exchange, Key, Progress};
use crate::wire::Instant;

impl Driver {
    pub(super) fn dial(
        &mut self,
        key: Key,
        running: &mut Running,
        is_awaited: bool,
        context: &mut Context<'_>,
    ) {
        let now = context.now();
        let origin = self.pool.key(running.call.url().origin());
        let route = match self.client.route(running.call.url()) {
            Ok(route) => route,
            Err(kind) => {
                running.call.refuse(kind);
                return self.give_back(&origin, None, is_awaited, false, context);
            }
        };
        let limits = running.call.limits();
        let options = DialOptions {
            resolve_time: limits.resolve_time,
            connect_time: limits.connect_time,
            handshake_time: limits.handshake_time,
            attempt_delay: limits.attempt_delay,
            until: running.call.until(),
            names: self.client.names.clone(),
        };
        // Its number is its tag, so that it is there before the dial.
        let link = self.links.insert(Link {
            exchange: Exchange {
                connection: Key::NONE,
                stream: 0,
            },
            origin: origin.clone(),
            born: now,
            state: LinkState::Own { call: None },
        });
        let tag = Links::tag(link);
        match LoopDial::begin(&route, &options, self.profile, tag, context) {
            Ok((exchange, dial)) => {
                if let Some(link) = self.links.get_mut(link) {
                    link.exchange = exchange;
                    link.state = LinkState::Dialling {
                        dial,
                        call: Some(key),
                        is_awaited,
                    };
                }
                running.place = Place::Dialling(link);
            }
            Err(error) => {
                running.call.unreachable(error, now);
                self.links.remove(link);
                self.give_back(&origin, None, is_awaited, false, context);
            }
        }
    }

    /// A call no longer wants the connection dialled for it. If others wait, it will rest.
    pub(super) fn give_up_dial(&mut self, link: Key, context: &mut Context<'_>) {
        let Some(it) = self.links.get_mut(link) else {
            return;
        };
        let LinkState::Dialling {
            call, is_awaited, ..
        } = &mut it.state
        else {
            return;
        };
        *call = None;
        if *is_awaited || self.queues.contains_key(&it.origin) {
            return;
        }
        if let Some(it) = self.links.remove(link) {
            context.give_up_dial(it.exchange);
            self.give_back(&it.origin, None, false, false, context);
        }
    }

    pub(super) fn opened(&mut self, link: Key, context: &mut Context<'_>) {
        // What is written is bounded by windows, and by who writes.
        context.read_while_waiting();
        let now = context.now();
        let is_shared = context.is_shared();
        let allowed = context.allowance();
        let Some(it) = self.links.get_mut(link) else {
            return;
        };
        let LinkState::Dialling {
            call, is_awaited, ..
        } = it.state
        else {
            return;
        };
        it.born = now;
        let (origin, exchange) = (it.origin.clone(), it.exchange);
        self.counters.opened();
        let call = call.filter(|key| self.calls.contains(*key));
        if is_shared {
            let seats = Rc::new(SharedLink {
                link: Cell::new(link),
                is_usable: Cell::new(true),
                capacity: Cell::new(allowed),
            });
            it.state = LinkState::Shared {
                seats: seats.clone(),
                streams: Vec::new(),
                applying: VecDeque::new(),
            };
            if let Some(of_origin) = self.pool.origins.get_mut(&origin) {
                of_origin.sharing.add(seats.clone(), now);
            }
            self.give_back(&origin, None, is_awaited, true, context);
            match call {
                Some(key) => self.begin_waiting(key, context, |driver, running, context| {
                    driver.apply(key, running, link, false, context)
                }),
                None => self.rise(&origin, &seats, context),
            }
            return;
        }
        it.state = LinkState::Own { call };
        if is_awaited && let Some(of_origin) = self.pool.origins.get_mut(&origin) {
            of_origin.sharing.refuse();
            self.free(&origin);
        }
        match call {
            Some(key) => self.begin_waiting(key, context, |driver, running, context| {
                driver.begin(key, running, link, false, context)
            }),
            None => {
                let progress = context.progress(exchange);
                let is_clear = progress.is_some_and(Progress::is_at_rest);
                self.rest(link, is_clear, context);
            }
        }
    }

    /// A connection without a call goes to rest if nothing is under way on it, or ends.
    pub(super) fn rest(&mut self, link: Key, is_clear: bool, context: &mut Context<'_>) {
        let now = context.now();
        let Some(it) = self.links.get_mut(link) else {
            return;
        };
        it.state = LinkState::Own { call: None };
        let limits = &self.client.policy.limits;
        let is_old = now.saturating_since(it.born) >= limits.connection_age;
        if !is_clear || is_old || self.is_leaving {
            let origin = it.origin.clone();
            self.hang_up(link, context);
            return self.give_back(&origin, None, false, false, context);
        }
        let returned = Return {
            back: Some(Idle {
                connection: link,
                born: it.born,
                since: now,
            }),
            is_awaited: false,
            is_shared: false,
        };
        let closed = self.pool.give_back(&it.origin, returned, limits);
        if !self.queues.is_empty() {
            let origin = it.origin.clone();
            self.free(&origin);
        }
        if let Some(idle) = closed {
            self.hang_up(idle.connection, context);
        }
    }

    /// The server takes no further requests on a connection.
    pub(super) fn going_away(&self, link: Key) {
        if let Some(Link {
            state: LinkState::Shared { seats, .. },
            ..
        }) = self.links.get(link)
        {
            seats.is_usable.set(false);
        }
    }

    /// A connection that calls share may take more of them than before.
    pub(super) fn may_take_more(&mut self, link: Key, context: &mut Context<'_>) {
        let Some(it) = self.links.get_mut(link) else {
            return;
        };
        let LinkState::Shared {
            seats,
            streams,
            applying,
        } = &mut it.state
        else {
            return;
        };
        let allowed = context
            .with(it.exchange, |context| context.allowance())
            .unwrap_or(0);
        seats.capacity.set(allowed + streams.len());
        let next: Vec<Key> = applying.drain(..allowed.min(applying.len())).collect();
        let origin = it.origin.clone();
        for key in next {
            self.begin_waiting(key, context, |driver, running, context| {
                driver.begin(key, running, link, true, context)
            });
        }
        self.free(&origin);
    }

    pub(super) fn ended(&mut self, link: Key, why: EndReason, context: &mut Context<'_>) {
        let Some(it) = self.links.get_mut(link) else {
            return;
        };
        let origin = it.origin.clone();
        let now = context.now();
        if let LinkState::Dialling {
            dial,
            call,
            is_awaited,
        } = &it.state
        {
            let (call, is_awaited) = (*call, *is_awaited);
            let error = dial.explain(why, context.transport_details());
            self.links.remove(link);
            if let Some(key) = call
                && let Some(running) = self.call(key)
            {
                running.place = Place::Nowhere;
                running.call.unreachable(error, now);
                self.touch(key);
            }
            return self.give_back(&origin, None, is_awaited, false, context);
        }
        let details = context.transport_details().cloned();
        let calls = it.calls();
        for key in &calls {
            if let Some(running) = self.call(*key) {
                running.details.clone_from(&details);
            }
            match self.call(*key).map(|it| it.place) {
                Some(Place::On(_)) => self.tell(*key, 0, Event::Ended(why), context),
                Some(Place::Applying(..) | Place::Looking(_)) => self.was_not_used(*key, now),
                _ => {}
            }
            if let Some(running) = self.call(*key) {
                running.place = Place::Nowhere;
            }
        }
        let Some(it) = self.links.remove(link) else {
            return;
        };
        match it.state {
            LinkState::Own { call: None } => self.pool.lose_idle(&origin, |own| *own == link),
            LinkState::Own { .. } | LinkState::Dialling { .. } => {
                return self.give_back(&origin, None, false, false, context);
            }
            LinkState::Shared { seats, .. } => {
                seats.is_usable.set(false);
                seats.link.set(Key::NONE);
                for _ in &calls {
                    self.rise(&origin, &seats, context);
                }
                if calls.is_empty() {
                    self.pool.lose_shared(&origin, &seats);
                }
            }
        }
        self.free(&origin);
    }

    /// The connection that a call waited for is of no use.
    fn was_not_used(&mut self, key: Key, now: Instant) {
        if let Some(running) = self.call(key) {
            running.place = Place::Nowhere;
            running.call.unused(now);
            self.touch(key);
        }
    }

    /// Ends a connection, which is forgotten.
    pub(super) fn hang_up(&mut self, link: Key, context: &mut Context<'_>) {
        if let Some(link) = self.links.remove(link) {
            context.with(link.exchange, |context| context.shutdown());
        }
    }

    /// Ends a connection on which something is under way, which is forgotten.
    pub(super) fn cut(&mut self, link: Key, context: &mut Context<'_>) {
        if let Some(link) = self.links.remove(link) {
            context.with(link.exchange, |context| {
                context.abort();
            });
        }
    }

    /// Gives back what a call had for itself, or the right to dial.
    pub(super) fn give_back(
        &mut self,
        origin: &Arc<str>,
        back: Option<Idle<Key>>,
        is_awaited: bool,
        is_shared: bool,
        context: &mut Context<'_>,
    ) {
        let returned = Return {
            back,
            is_awaited,
            is_shared,
        };
        let limits = self.client.pool_limits();
        if let Some(idle) = self.pool.give_back(origin, returned, limits) {
            self.hang_up(idle.connection, context);
        }
        self.free(origin);
    }

    /// A call on a shared connection is over.
    pub(super) fn rise(
        &mut self,
        origin: &Arc<str>,
        seats: &Rc<SharedLink>,
        context: &mut Context<'_>,
    ) {
        let now = context.now();
        let limits = self.client.pool_limits();
        if let Some(seats) = self.pool.rise(origin, seats, limits, now) {
            self.hang_up(seats.link.get(), context);
        }
        self.free(origin);
    }
}
