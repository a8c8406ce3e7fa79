//! The owner of the connections of WebSockets on a loop.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::any::Any;

use super::link::{Heard, Link};
use super::{Attempt, Desk, Line, News, Seat, Wish};
use crate::client::WebSocketError;
use crate::client::connecting::{Watch, clock};
use crate::link::Event;
use crate::net::{Context, Exchange, Handler, Key, Priority, Profile, Remote, Slab};
use crate::websocket::Limits;
use crate::wire::Instant;

pub(super) struct Driver {
    desk: Rc<Desk>,
    profile: Profile,
    limits: Limits,
    remote: Remote,
    seats: Slab<Taken>,
    due: Instant,
    alarm: Instant,
}

struct Taken {
    seat: Rc<dyn Seat>,
    link: Option<Link>,
    due: Instant,
    /// It is called once what it has written has left.
    departs: bool,
    watch: Option<Watch>,
}

struct Cancelled(Key);

struct Left(Key);

impl Handler for Driver {
    fn event(&mut self, context: &mut Context<'_>, event: Event<'_>) {
        let exchange = context.exchange();
        if exchange.connection == Key::NONE {
            match event {
                Event::Mail(mail) => self.cancelled(mail, context),
                Event::Draining => self.drain(context),
                // It may have come a little early, by another clock.
                Event::Timer { .. } => self.alarm = Instant::NEVER,
                _ => {}
            }
        } else {
            match self.find(context.tag(), exchange) {
                Some(key) => self.hear(key, event, context),
                // It was given up while it was dialled.
                None if matches!(event, Event::Opened) => context.abort(),
                None => {}
            }
        }
        self.see_to_it(context);
    }

    fn departed(&mut self, context: &mut Context<'_>, parcel: Box<dyn Any>, _: u64) {
        if let Ok(left) = parcel.downcast::<Left>()
            && let Some(taken) = self.seats.get_mut(left.0)
        {
            taken.departs = false;
            self.step(left.0, context);
        }
        self.see_to_it(context);
    }
}

impl Driver {
    pub(super) fn new(desk: Rc<Desk>, profile: Profile, limits: Limits, remote: Remote) -> Self {
        Self {
            desk,
            profile,
            limits,
            remote,
            seats: Slab::new(),
            due: Instant::NEVER,
            alarm: Instant::NEVER,
        }
    }

    fn find(&self, tag: u32, exchange: Exchange) -> Option<Key> {
        let key = self.seats.key_at(tag.checked_sub(1)?)?;
        let link = self.seats.get(key)?.link.as_ref()?;
        (link.exchange.connection == exchange.connection).then_some(key)
    }

    fn hear(&mut self, key: Key, event: Event<'_>, context: &mut Context<'_>) {
        let Some(taken) = self.seats.get_mut(key) else {
            return;
        };
        let Some(link) = &mut taken.link else {
            return;
        };
        let has_ended = matches!(event, Event::Ended(_));
        match link.hear(context, event) {
            Heard::Nothing => {}
            Heard::NotOverHttp2 => {
                if let Some(link) = self.cut(key, context) {
                    self.dial(key, link.attempt, false, context);
                }
            }
            Heard::News(News::Over(how)) => {
                let open = link.open();
                // It is no seat's any more before anybody is told.
                let link = match has_ended {
                    true => taken.link.take(),
                    false => None,
                };
                let seat = taken.seat.clone();
                if link.is_none() {
                    self.cut(key, context);
                }
                seat.told(News::Over(how), &mut Line::over(context, open));
                self.step(key, context);
            }
            Heard::News(news) => {
                let (open, seat) = (link.open(), taken.seat.clone());
                seat.told(news, &mut Line::new(context, open));
                self.step(key, context);
            }
        }
    }

    /// Does for a seat what can be done now.
    fn step(&mut self, key: Key, context: &mut Context<'_>) {
        loop {
            let Some(taken) = self.seats.get_mut(key) else {
                return;
            };
            let seat = taken.seat.clone();
            let open = taken.link.as_ref().and_then(Link::open);
            let mut line = Line::new(context, open);
            let wish = seat.step(&mut line);
            let awaits = line.awaits_departure;
            let Some(taken) = self.seats.get_mut(key) else {
                return;
            };
            match wish {
                Wish::Until(at) => {
                    if let Some(exchange) = open.filter(|_| awaits && !taken.departs) {
                        taken.departs = true;
                        let parcel = Box::new(Left(key));
                        context.with(exchange, |context| context.on_departure(parcel));
                    }
                    taken.due = at.min(taken.link.as_ref().map_or(Instant::NEVER, Link::until));
                    self.due = self.due.min(taken.due);
                    return;
                }
                Wish::Connect(attempt) => {
                    let http2 = attempt.begins_with_http2();
                    self.dial(key, *attempt, http2, context);
                }
                Wish::Cut => {
                    self.cut(key, context);
                }
                Wish::Over => {
                    self.cut(key, context);
                    self.seats.remove(key);
                    return;
                }
            }
        }
    }

    /// Begins to connect; if it cannot, the seat is told so.
    fn dial(&mut self, key: Key, attempt: Attempt, http2: bool, context: &mut Context<'_>) {
        self.watch(key, &attempt);
        let dialled = match attempt.options.limits == self.limits {
            true => Link::dial(attempt, http2, self.profile, key.slot() + 1, context),
            false => Err(WebSocketError::Options(Box::from(
                "the limits of WebSockets on a loop are those that their LoopWebSockets has",
            ))),
        };
        let Some(taken) = self.seats.get_mut(key) else {
            return;
        };
        match dialled {
            Ok(link) => taken.link = Some(link),
            Err(error) => {
                let seat = taken.seat.clone();
                seat.told(News::Over(Err(error)), &mut Line::new(context, None));
            }
        }
    }

    /// Lets the canceller of its options end it.
    fn watch(&mut self, key: Key, attempt: &Attempt) {
        let owner = self.desk.waker().map(|it| it.owner());
        let watch = attempt.options.canceller.as_ref().zip(owner);
        let watch = watch.map(|(canceller, owner)| {
            let remote = self.remote.clone();
            canceller.on_cancel(move || {
                // Where the mailbox is full, it is seen when something else happens.
                let _ = remote.post_to_owner(owner, Priority::Reply, Box::new(Cancelled(key)));
            })
        });
        if let Some(taken) = self.seats.get_mut(key) {
            taken.watch = watch;
        }
    }

    fn cancelled(&mut self, mail: Box<dyn Any + Send>, context: &mut Context<'_>) {
        if let Ok(cancelled) = mail.downcast::<Cancelled>()
            && let Some(taken) = self.seats.get(cancelled.0)
        {
            taken.seat.cancel();
            self.step(cancelled.0, context);
        }
    }

    /// Ends the connection of a seat without a word more.
    fn cut(&mut self, key: Key, context: &mut Context<'_>) -> Option<Link> {
        let link = self.seats.get_mut(key)?.link.take()?;
        // One that is dialled is ended when it is open.
        context.with(link.exchange, |context| match context.is_shared() {
            false => context.abort(),
            true => {
                context.shutdown();
                context.abort();
            }
        });
        Some(link)
    }

    fn drain(&mut self, context: &mut Context<'_>) {
        let keys: Vec<Key> = self.seats.keys().collect();
        for key in keys {
            if let Some(taken) = self.seats.get(key) {
                taken.seat.drain();
                self.step(key, context);
            }
        }
    }

    /// Does everything that can be done now.
    fn see_to_it(&mut self, context: &mut Context<'_>) {
        loop {
            let asked = self.desk.take();
            if asked.is_empty() {
                break;
            }
            for seat in asked {
                let mut key = seat.place().key.get();
                if key == Key::NONE {
                    key = self.seats.insert(Taken {
                        seat: seat.clone(),
                        link: None,
                        due: Instant::NEVER,
                        departs: false,
                        watch: None,
                    });
                    seat.place().key.set(key);
                }
                self.step(key, context);
            }
        }
        self.arm(context);
    }

    fn arm(&mut self, context: &mut Context<'_>) {
        let now = clock::now();
        if self.due <= now {
            let mut first = Instant::NEVER;
            let mut due: Vec<Key> = Vec::new();
            for (key, taken) in self.seats.iter() {
                match taken.due {
                    at if at <= now => due.push(key),
                    at => first = first.min(at),
                }
            }
            self.due = first;
            for key in due {
                self.elapse(key, now, context);
            }
        }
        if self.due < self.alarm || self.alarm <= now {
            self.alarm = self.due;
            if self.due < Instant::NEVER {
                context.set_alarm(context.now() + self.due.saturating_since(now));
            }
        }
    }

    fn elapse(&mut self, key: Key, now: Instant, context: &mut Context<'_>) {
        let Some(taken) = self.seats.get_mut(key) else {
            return;
        };
        if let Some(link) = taken.link.as_ref().filter(|it| it.until() <= now) {
            let (error, seat) = (link.timed_out(), taken.seat.clone());
            self.cut(key, context);
            seat.told(News::Over(Err(error)), &mut Line::new(context, None));
        }
        self.step(key, context);
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.desk.close();
        let keys: Vec<Key> = self.seats.keys().collect();
        for key in keys {
            if let Some(taken) = self.seats.remove(key) {
                taken.seat.gone();
            }
        }
        for seat in self.desk.take() {
            seat.gone();
        }
    }
}
