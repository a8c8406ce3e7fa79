//! The owner of a client's connections.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::rc::Rc;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::panic::AssertUnwindSafe;
use std::collections::HashMap;
use std::panic::catch_unwind;

use super::links::{Links, SharedLink};
use super::news::{Desk, News};
use super::running::{Place, Running};
use crate::client::connecting::OnLoop;
use crate::client::http::call::{Call, Step};
use crate::client::http::error::ErrorKind;
use crate::client::http::metrics::Counters;
use crate::client::http::pool::State;
use crate::client::http::shared_state::Shared;
use crate::link::Event;
use crate::net::{Context, Exchange, Handler, Key, Owner, Priority, Profile, Remote, Slab};
use crate::wire::Instant;

/// The owner of a client's connections.
pub(super) struct Driver {
    pub(super) desk: Rc<Desk>,
    pub(super) client: Arc<Shared>,
    pub(super) counters: Arc<Counters>,
    pub(super) profile: Profile,
    remote: Remote,
    pub(super) calls: Slab<Option<Box<Running>>>,
    pub(super) links: Links,
    pub(super) pool: State<Key, Rc<SharedLink>>,
    /// Calls that wait for a connection, by origin; none of the queues is empty.
    pub(super) queues: HashMap<Arc<str>, VecDeque<Key>>,
    /// Origins where those may look again.
    pub(super) freed: Vec<Arc<str>>,
    pub(super) touched: VecDeque<Key>,
    /// Calls whose request is written and not out.
    pub(super) leaving: Vec<Key>,
    round: Vec<News>,
    pub(super) due: Instant,
    pub(super) counted: Instant,
    /// When the loop calls at the latest.
    pub(super) alarm: Instant,
    /// No connection is kept any more.
    pub(super) is_leaving: bool,
    /// Bytes that had come when they were counted last.
    pub(super) received: u64,
}

struct Cancelled(Key);

impl Handler for Driver {
    fn event(&mut self, context: &mut Context<'_>, event: Event<'_>) {
        // More of these may follow; `served` comes after the last.
        let is_input = matches!(
            event,
            Event::Informational(_) | Event::Response { .. } | Event::Body(_) | Event::End { .. }
        );
        let is_own = context.exchange().connection == Key::NONE;
        match event {
            Event::Mail(mail) => self.cancelled(mail),
            Event::Draining if is_own => self.leave(context),
            _ if is_own => {}
            event => self.told(context, event),
        }
        if !is_input {
            self.see_to_it(context);
        }
    }

    fn served(&mut self, context: &mut Context<'_>) {
        self.see_to_it(context);
    }

    /// The system has taken a request.
    fn departed(&mut self, context: &mut Context<'_>, _: Box<dyn Any>, _: u64) {
        for key in core::mem::take(&mut self.leaving) {
            self.on_call(key, |driver, running| {
                running.is_leaving = false;
                driver.sync(key, running, context);
            });
        }
        self.arm(context);
    }
}

impl Driver {
    pub(super) fn new(desk: Rc<Desk>, profile: Profile, remote: Remote) -> Self {
        Self {
            client: desk.client.clone(),
            counters: desk.client.join_loop(),
            desk,
            profile,
            remote,
            calls: Slab::new(),
            links: Links::new(),
            pool: State::default(),
            queues: HashMap::new(),
            freed: Vec::new(),
            touched: VecDeque::new(),
            leaving: Vec::new(),
            round: Vec::new(),
            due: Instant::NEVER,
            counted: Instant::NEVER,
            alarm: Instant::NEVER,
            is_leaving: false,
            received: 0,
        }
    }

    /// A call, unless it is over or being seen to.
    pub(super) fn call(&mut self, key: Key) -> Option<&mut Running> {
        self.calls.get_mut(key)?.as_deref_mut()
    }

    /// Sees to a call, unless it is over.
    pub(super) fn on_call(&mut self, key: Key, act: impl FnOnce(&mut Self, &mut Running)) {
        if let Some(mut running) = self.calls.get_mut(key).and_then(Option::take) {
            act(self, &mut running);
            self.put_back(key, running);
        }
    }

    pub(super) fn put_back(&mut self, key: Key, running: Box<Running>) {
        if let Some(place) = self.calls.get_mut(key) {
            *place = Some(running);
        }
    }

    pub(super) fn touch(&mut self, key: Key) {
        if let Some(running) = self.call(key)
            && !core::mem::replace(&mut running.is_touched, true)
        {
            self.touched.push_back(key);
        }
    }

    /// Something has happened on a connection.
    fn told(&mut self, context: &mut Context<'_>, event: Event<'_>) {
        let exchange = context.exchange();
        let Some(link) = self.links.find(context.tag(), exchange) else {
            return; // it was given up
        };
        match event {
            Event::Opened => return self.opened(link, context),
            Event::Woken => return self.looked(link, context),
            Event::Ended(why) if context.is_last() => return self.ended(link, why, context),
            Event::GoingAway { .. } => self.going_away(link),
            Event::Writable if exchange.stream == 0 => self.may_take_more(link, context),
            _ => {}
        }
        let Some(of) = self.links.get(link) else {
            return;
        };
        let stream = exchange.stream;
        if let Event::GoingAway {
            last_stream,
            code,
            debug,
        } = event
        {
            for key in of.calls() {
                let event = Event::GoingAway {
                    last_stream,
                    code,
                    debug,
                };
                self.tell(key, stream, event, context);
            }
        } else if let Some(key) = of.call_of(stream) {
            self.tell(key, stream, event, context);
        }
    }

    pub(super) fn tell(
        &mut self,
        key: Key,
        stream: u32,
        event: Event<'_>,
        context: &mut Context<'_>,
    ) {
        let Some(mut running) = self.calls.get_mut(key).and_then(Option::take) else {
            return;
        };
        match event {
            Event::Writable | Event::GoingAway { .. } => {}
            Event::Ended(_) => self.sync(key, &mut running, context),
            _ => running.has_received = true,
        }
        let is_alive = self.act(&mut running, context, |call, transport, now| {
            call.event(stream, event, transport, now);
        });
        match is_alive {
            true => {
                if !core::mem::replace(&mut running.is_touched, true) {
                    self.touched.push_back(key);
                }
                self.put_back(key, running);
            }
            false => self.lose(key, running, context),
        }
    }

    /// Acts on a call and its connection. A panic in the application's body loses this call
    /// alone. Returns whether it survives.
    #[must_use]
    pub(super) fn act(
        &self,
        running: &mut Running,
        context: &mut Context<'_>,
        act: impl FnOnce(&mut Call, &mut OnLoop<'_, '_>, Instant),
    ) -> bool {
        let Place::On(link) = running.place else {
            return true;
        };
        let Some(link) = self.links.get(link) else {
            return true;
        };
        let now = context.now();
        let mut transport = OnLoop::new(context, link.exchange);
        let acted = AssertUnwindSafe(|| act(&mut running.call, &mut transport, now));
        catch_unwind(acted).is_ok()
    }

    /// Tells a call how far its connection has come.
    pub(super) fn sync(&mut self, key: Key, running: &mut Running, context: &mut Context<'_>) {
        let Some(exchange) = self.exchange_of(running) else {
            return;
        };
        let Some(progress) = context.progress(exchange) else {
            return running.call.connection_over();
        };
        running.moved(progress, context.now());
        if running.awaits_departure() && !running.is_leaving {
            // The time of the server's answer counts from when it is out.
            running.is_leaving = true;
            self.leaving.push(key);
            context.with(exchange, |context| context.on_departure(Box::new(())));
        }
        self.due = self.due.min(running.deadline());
    }

    pub(super) fn exchange_of(&self, running: &Running) -> Option<Exchange> {
        let Place::On(link) = running.place else {
            return None;
        };
        let link = self.links.get(link)?;
        Some(Exchange {
            stream: running.call.stream(),
            ..link.exchange
        })
    }

    /// Does everything that can be done now.
    pub(super) fn see_to_it(&mut self, context: &mut Context<'_>) {
        self.desk.asked.attend(true);
        loop {
            while !self.desk.is_empty() {
                let mut round = core::mem::take(&mut self.round);
                self.desk.take(&mut round);
                for news in round.drain(..) {
                    self.take(news, context);
                }
                self.round = round;
                for ticket in self.desk.asked.take() {
                    self.look(ticket.key.get(), context);
                }
            }
            if self.due <= context.now() {
                self.elapse(context);
            }
            if let Some(key) = self.touched.pop_front() {
                self.step(key, context);
            } else if let Some(origin) = self.freed.pop() {
                self.serve_queue(&origin, context);
            } else if self.desk.is_empty() {
                break;
            }
        }
        self.desk.asked.attend(false);
        self.arm(context);
    }

    fn take(&mut self, news: News, context: &mut Context<'_>) {
        match news {
            News::Open(running) => self.open(running, context.now()),
            News::CloseIdle => self.close_idle(context),
            News::Leave => self.leave(context),
        }
    }

    fn open(&mut self, mut running: Box<Running>, now: Instant) {
        self.counters.start();
        running.call.start(now);
        running.is_touched = true;
        let ticket = running.ticket().clone();
        let canceller = running.call.request().canceller.clone();
        let key = self.calls.insert(Some(running));
        self.touched.push_back(key);
        ticket.key.set(key);
        if let (Some(canceller), Some(owner)) = (canceller, self.owner()) {
            let remote = self.remote.clone();
            let watch = canceller.on_cancel(move || {
                // Where the mailbox is full, the call's own times end it.
                let mail = Box::new(Cancelled(key));
                let _ = remote.post_to_owner(owner, Priority::Reply, mail);
            });
            if let Some(running) = self.call(key) {
                running.watch = Some(watch);
            }
        }
        if ticket.is_cancelled.get() {
            self.abandon(key);
        }
    }

    fn owner(&self) -> Option<Owner> {
        Some(self.desk.asked.waker.get()?.owner())
    }

    fn cancelled(&mut self, mail: Box<dyn Any + Send>) {
        if let Ok(cancelled) = mail.downcast::<Cancelled>() {
            self.abandon(cancelled.0);
        }
    }

    fn abandon(&mut self, key: Key) {
        if let Some(running) = self.call(key) {
            running.call.abandon(ErrorKind::Cancelled);
            self.touch(key);
        }
    }

    /// Its handle asks something of a call.
    fn look(&mut self, key: Key, context: &mut Context<'_>) {
        let Some(mut running) = self.calls.get_mut(key).and_then(Option::take) else {
            return;
        };
        let mut is_alive = true;
        if running.ticket().is_cancelled.get() {
            running.call.abandon(ErrorKind::Cancelled);
        } else {
            if running.is_held && !running.ticket().is_paused.get() {
                running.call.resume(context.now());
            }
            if running.ticket().feed.is_some() {
                is_alive = self.act(&mut running, context, |call, transport, now| {
                    call.pump(transport, now);
                });
            }
        }
        match is_alive {
            true => {
                self.put_back(key, running);
                self.touch(key);
            }
            false => self.lose(key, running, context),
        }
    }

    /// Closes what is at rest, and keeps nothing from here on.
    fn leave(&mut self, context: &mut Context<'_>) {
        self.is_leaving = true;
        self.close_idle(context);
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.desk.is_gone.set(true);
        let keys: Vec<Key> = self.calls.keys().collect();
        for key in keys {
            if let Some(mut running) = self.calls.get_mut(key).and_then(Option::take) {
                running.call.abandon(ErrorKind::LoopEnded);
                self.fail(key, running);
            }
        }
        self.client.leave_loop(&self.counters);
        let mut round = Vec::new();
        self.desk.take(&mut round);
        for news in round {
            if let News::Open(mut running) = news {
                running.call.abandon(ErrorKind::LoopEnded);
                running.ticket().is_over.set(true);
                if let Step::Failed(error) = running.call.next(Instant::START)
                    && let Some(listener) = running.listener.take()
                {
                    listener.failed(error);
                }
            }
        }
    }
}
