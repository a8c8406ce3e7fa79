//! The app as an owner of connections: from events to routes and sessions.

use alloc::{boxed::Box, rc::Rc, sync::Arc, vec::Vec};
use core::any::Any;
use core::mem;
use core::panic::AssertUnwindSafe;
use core::time::Duration;
use std::panic::catch_unwind;

use crate::app::exchange::loop_state::LoopState;
use crate::app::exchange::path::Path;
use crate::app::exchange::record::{Record, SMALL};
use crate::app::exchange::request::Locals;
use crate::app::exchange::request::RequestTls;
use crate::app::exchange::session::{After, Entry, Session, SessionContext, Sessions};
use crate::app::exchange::timer_token;
use crate::app::futures::spawner::Home;
use crate::app::futures::tasks::Tasks;
use crate::app::publishing::handle::HandleMessage;
use crate::app::publishing::loop_address::SendAway;
use crate::app::routes::dispatch::{Dispatch, Outcome};
use crate::app::routes::middleware::Changes;
use crate::app::routes::shared::Shared;
use crate::app::telemetry::metrics::{Block, Kind};
use crate::http::{Content, Fields, RequestHead, Status};
use crate::link::Event;
use crate::net::{Context, Exchange, Handler, Key, Peer};
use crate::websocket::{CloseCode, Kind as MessageKind};

pub(super) struct AppHandler {
    shared: Arc<Shared>,
    pub(super) loop_state: LoopState,
    pub(super) sessions: Sessions,
    /// The exchange that is being served, if `is_running`; left behind by a
    /// panic. Otherwise its record is kept for the next one.
    pub(super) running: Entry,
    pub(super) is_running: bool,
    /// The tag of the session that is being called in its place, or 0;
    /// likewise.
    pub(super) called: u32,
    path: Path,
    changes: Changes,
    locals: Locals,
}

impl Handler for AppHandler {
    fn event(&mut self, context: &mut Context<'_>, event: Event<'_>) {
        let of_loop = context.exchange().connection == Key::NONE;
        match event {
            Event::Opened => self.loop_state.metrics.connection_opened(),
            Event::Message { kind, payload } => self.message(context, kind, payload),
            Event::Request { ref head, content } => self.request(context, head, content),
            Event::TooLarge => self.answer_for(context, Status::CONTENT_TOO_LARGE),
            Event::Overdue => self.overdue(context),
            Event::Draining if of_loop => self.drain(context),
            Event::Mail(mail) if of_loop => match mail.downcast::<SendAway>() {
                Ok(away) => self.send_away(context, away.0),
                Err(mail) => self.loop_state.deliver(context, mail),
            },
            Event::Poll { token } if of_loop => {
                self.loop_state.poll_task(context, token);
                self.served(context);
            }
            Event::Timer { .. } if of_loop => self.loop_state.sweep(context),
            Event::Ended(why) => self.ended(context, why),
            Event::Timer { token } if token == timer_token::ROUTE => self.late(context),
            // Nothing came in, so that no batch ends after them.
            event @ (Event::Timer { .. } | Event::Mail(_) | Event::Woken | Event::Poll { .. }) => {
                self.pass(context, |session, at| session.event(at, event));
                self.served(context);
            }
            event => self.pass(context, |session, at| session.event(at, event)),
        }
    }

    /// Serves a request: for the first time, or again now that its body has
    /// been collected.
    fn request<'b>(
        &mut self,
        context: &mut Context<'_>,
        head: &RequestHead<'b>,
        mut content: Content<'b>,
    ) {
        let (tag, peer) = context.tag_and_peer();
        let tls = RequestTls::of(context);
        let collected = if tag == 0 { None } else { self.claim(context) };
        let is_fresh = collected.is_none();
        match collected {
            Some(entry) => {
                self.run(entry);
                let metrics = &self.loop_state.metrics;
                metrics.dropped_trailers(context.dropped_trailers());
            }
            None => self.begin(context, head, &peer),
        }
        let Self {
            shared,
            loop_state,
            running: Entry {
                record, session, ..
            },
            path,
            changes,
            locals,
            ..
        } = self;
        let mut at = SessionContext {
            context,
            loop_state,
            record,
        };
        let way = Dispatch {
            shared,
            path,
            changes,
            opened: session,
            peer: &peer,
            tls: &tls,
            locals,
            is_fresh,
        };
        let outcome = way.follow(&mut at, head, &mut content);

        if session.is_some() {
            loop_state
                .metrics
                .session_opened(session.as_ref().map_or(Kind::Exchange, |it| it.kind()));
            self.loop_state.called = true;
            let feed = matches!(outcome, Outcome::Answered { feed: true });
            return self.open(context, content, feed);
        }
        match outcome {
            Outcome::Collecting => self.settle(context, After::Keep),
            // As nearly always: nothing is stored for the exchange.
            Outcome::Answered { .. } if tag == 0 => self.is_running = false,
            Outcome::Answered { .. } => self.settle(context, After::End),
        }
    }

    fn message(&mut self, context: &mut Context<'_>, kind: MessageKind, payload: &mut [u8]) {
        self.pass(context, |session, at| session.messages(at, kind, payload));
    }

    fn served(&mut self, context: &mut Context<'_>) {
        let is_session = self.loop_state.called;
        if let Some(took) = self.loop_state.measure(context) {
            self.held(context, took, is_session);
        }
    }

    fn departed(&mut self, context: &mut Context<'_>, parcel: Box<dyn Any>, unsent: u64) {
        if let Ok(record) = parcel.downcast::<Record>() {
            let (now, seconds) = (context.measure(), context.unix_seconds());
            let end = record.reply_end(unsent, now, seconds);
            self.loop_state.watch.ended(&record, &end);
            self.loop_state.recycle(record);
        }
    }

    fn panicked(&mut self, context: &mut Context<'_>, is_last: bool) {
        self.clear_up(context);
        // The loop ends the connection, and tells nobody about it again; others
        // that share it go on.
        if !is_last && !context.is_shared() {
            self.loop_state.metrics.connection_closed();
        }
    }
}

impl AppHandler {
    /// The app on the loop of this number, which counts in `metrics`.
    pub(super) fn new(
        shared: Arc<Shared>,
        metrics: Arc<Block>,
        index: usize,
        (locals, home): (Locals, Rc<Home>),
    ) -> Self {
        let (directory, pool) = (shared.directory.clone(), shared.pool.clone());
        let tasks = Tasks::new(home);
        Self {
            loop_state: LoopState::new(shared.clone(), directory, metrics, pool, (index, tasks)),
            shared,
            sessions: Sessions::default(),
            running: Entry::none(),
            is_running: false,
            called: 0,
            path: Path::default(),
            changes: Changes::default(),
            locals,
        }
    }

    /// A new exchange is served from here on.
    #[inline]
    fn begin(&mut self, context: &Context<'_>, head: &RequestHead<'_>, peer: &Option<Peer>) {
        let Self {
            running,
            loop_state,
            ..
        } = self;
        let record = running
            .record
            .get_or_insert_with(|| loop_state.spare.pop().unwrap_or_default());
        record.begin(head.method, context.now());
        if self.loop_state.remembers {
            record.remember(head.target.path(), head.target.query(), *peer);
            record.version = Some(head.version);
        }
        running.exchange = context.exchange();
        self.is_running = true;
    }

    /// This exchange is served from here on.
    #[inline(never)]
    pub(super) fn run(&mut self, entry: Entry) {
        let Entry { record, .. } = mem::replace(&mut self.running, entry);
        self.recycle(record);
        self.is_running = true;
    }

    /// Ends the serving of an exchange, and takes out its session, if it has one.
    pub(super) fn stop(&mut self) -> Option<Entry> {
        mem::take(&mut self.is_running).then(|| mem::replace(&mut self.running, Entry::none()))
    }

    /// Calls a new session for the first time, and gives it the body if that
    /// has been received already and the session is to get it in pieces.
    #[inline(never)]
    fn open(&mut self, context: &mut Context<'_>, content: Content<'_>, feed: bool) {
        let mut after = self.drive(context, Event::Opened);
        if let (After::Keep, true, Content::Whole(data)) = (after, feed, content) {
            after = self.drive(context, Event::Body(data));
        }
        if after == After::Keep && feed {
            after = self.drive(
                context,
                Event::End {
                    trailers: Fields::EMPTY,
                    dropped: 0,
                },
            );
        }
        if after == After::Keep && context.is_draining() {
            after = self.drive(context, Event::Draining);
            // The loop closes only the WebSockets that were there before; refused
            // where this is none, or has closed itself.
            let _ = context.close(CloseCode::GOING_AWAY, "");
        }
        self.settle(context, after);
    }

    /// Passes something on to the session that it is for, which stays where it
    /// is.
    #[inline]
    fn pass(
        &mut self,
        context: &mut Context<'_>,
        call: impl FnOnce(&mut dyn Session, &mut SessionContext<'_, '_>) -> After,
    ) {
        let Self {
            loop_state,
            sessions,
            called,
            ..
        } = self;
        let (tag, exchange) = (context.tag(), context.exchange());
        let entry = match sessions.get_mut(tag, exchange.connection) {
            Some(entry) if entry.exchange == exchange => entry,
            Some(_) => return drop(self.claim(context)), // it was another's
            None => return,
        };
        let Entry {
            record,
            session: Some(session),
            ..
        } = entry
        else {
            return;
        };
        *called = tag;
        loop_state.called = true;
        let mut at = SessionContext {
            context,
            loop_state,
            record,
        };
        let after = call(&mut **session, &mut at);
        *called = 0;
        let answered = entry
            .record
            .take_if(|record| record.answered && !loop_state.watches(record));
        if answered.is_some() {
            self.recycle(answered);
        }
        if after == After::End {
            if let Some(entry) = self.sessions.take(tag, exchange.connection) {
                self.run(entry);
            }
            self.settle(context, After::End);
        }
    }

    /// Tells every session that the loop is draining.
    fn drain(&mut self, context: &mut Context<'_>) {
        self.tell_all(context, |session, at, _| session.event(at, Event::Draining));
    }

    /// Has every session send its client away, at times that are spread evenly.
    fn send_away(&mut self, context: &mut Context<'_>, spread: Duration) {
        self.tell_all(context, |session, at, part| {
            let time = spread.mul_f64(part);
            session.mail(at, Box::new(HandleMessage::SendAway(time)))
        });
    }

    /// Tells every session something: with how large a part of them has been told.
    fn tell_all(
        &mut self,
        context: &mut Context<'_>,
        tell: impl Fn(&mut dyn Session, &mut SessionContext<'_, '_>, f64) -> After,
    ) {
        let exchanges: Vec<Exchange> = self.sessions.exchanges().collect();
        let count = exchanges.len();
        for (nth, exchange) in exchanges.into_iter().enumerate() {
            let part = (nth + 1) as f64 / count as f64;
            context.with(exchange, |context| {
                let call = AssertUnwindSafe(|| {
                    self.pass(context, |session, at| tell(session, at, part));
                });
                if catch_unwind(call).is_err() {
                    self.clear_up(context);
                    context.abort();
                }
            });
        }
    }

    /// Takes out the session of the exchange of `context`.
    #[inline(never)]
    pub(super) fn claim(&mut self, context: &mut Context<'_>) -> Option<Entry> {
        let exchange = context.exchange();
        let entry = self.sessions.take(context.tag(), exchange.connection)?;
        if entry.exchange == exchange {
            return Some(entry);
        }
        if context.is_shared() {
            self.sessions.put(entry); // it is another's
            return None;
        }
        // It was answered completely, and its session did not notice.
        self.discard(context, entry);
        None
    }

    /// Calls the session of the exchange that is being served.
    pub(super) fn drive(&mut self, context: &mut Context<'_>, event: Event<'_>) -> After {
        let Self {
            loop_state,
            running,
            is_running,
            ..
        } = self;
        match running {
            Entry {
                record,
                session: Some(session),
                ..
            } if *is_running => session.event(
                &mut SessionContext {
                    context,
                    loop_state,
                    record,
                },
                event,
            ),
            _ => After::Keep,
        }
    }

    /// Puts the exchange that was served back to wait for its next event, or
    /// discards it.
    #[inline(never)]
    pub(super) fn settle(&mut self, context: &mut Context<'_>, after: After) {
        let Some(mut entry) = self.stop() else {
            return;
        };
        match after {
            After::Keep => {
                let is_answered = entry.record.as_ref().is_some_and(|record| record.answered);
                let keeps = |record: &Record| self.loop_state.watches(record);
                if is_answered && !entry.record.as_deref().is_some_and(keeps) {
                    self.recycle(entry.record.take());
                }
                // A WebSocket rests, which it could not if it held anything.
                let kind = entry.session.as_ref().map(|it| it.kind());
                if let Some(record) = &mut entry.record
                    && record.memory() > SMALL
                    && !(is_answered && kind == Some(Kind::WebSocket))
                {
                    record.charge_to(context.account().as_ref());
                }
                let tag = self.sessions.put(entry);
                if tag != context.tag() {
                    context.set_tag(tag);
                }
            }
            After::End => {
                self.discard(context, entry);
                if context.tag() != 0 {
                    context.set_tag(0);
                }
            }
        }
    }

    /// Drops what went on for an exchange; its reply is complete, or given up.
    pub(super) fn discard(&mut self, context: &mut Context<'_>, entry: Entry) {
        let Entry {
            mut record,
            session,
            ..
        } = entry;
        if let Some(session) = session {
            self.loop_state.metrics.session_closed(session.kind());
            if let Some(record) = &mut record {
                record.wrote(session.content());
            }
        }
        self.depart(context, record);
    }

    /// A reply is on its way out: its record is kept for the middleware that
    /// wants to know how it ends.
    pub(super) fn depart(&mut self, context: &mut Context<'_>, record: Option<Box<Record>>) {
        match record {
            Some(mut record) if self.loop_state.watches(&record) && record.answered => {
                record.uncharge(); // the loop charges it if it waits
                let bytes = record.memory();
                context.on_departure_sized(record, bytes);
            }
            record => self.recycle(record),
        }
    }

    pub(super) fn recycle(&mut self, record: Option<Box<Record>>) {
        if let Some(record) = record {
            self.loop_state.recycle(record);
        }
    }
}
