//! An event source on a loop.
//!
//! ```text
//!   Owner: the loop's alarm ──► Seat ──open──► LoopClient
//!                               │  ▲
//!               EventListener ◄─┘  └── Stream: head, chunks, end of one response
//! ```

mod inner;

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::string::String;
use core::cell::{Cell, OnceCell, RefCell};
use core::mem;
use core::time::Duration;

use self::inner::{Found, Inner};
use super::error::Left;
use super::receiving::Inlet;
use super::source::{BODY_SHOWN, begin};
use super::{
    EventSourceEnd, EventSourceError, EventSourceOptions, MessageEvent, NextStep, ReadyState,
    Resume, Waiting,
};
use crate::client::connecting::{Canceller, clock};
use crate::client::http::{
    Error, Form, LoopCall, LoopClient, RequestBuilder, ResponseListener, ResponseView,
};
use crate::http::Fields;
use crate::link::Event;
use crate::net::{AnyLoop, Context, Handler, LocalWaker};
use crate::wire::Instant;
use crate::wire::partly_shown;

/// A listener of an event source on a loop, called on the loop's thread.
///
/// ```
/// use barewire::client::{EventListener, LoopEventSource, MessageEvent};
///
/// struct Print;
///
/// impl EventListener for Print {
///     fn event(&mut self, event: &MessageEvent, _source: &LoopEventSource) {
///         println!("{}: {}", event.event, event.data);
///     }
/// }
/// ```
#[expect(unused_variables, reason = "the names are the documentation")]
pub trait EventListener: 'static {
    /// A stream is open.
    fn opened(&mut self, source: &LoopEventSource) {}

    /// An event has come.
    fn event(&mut self, event: &MessageEvent, source: &LoopEventSource);

    /// There is no stream, and the source waits for its next attempt.
    fn waiting(&mut self, waiting: &Waiting<'_>, source: &LoopEventSource) {}

    /// The source is over; nothing follows. An error says whether it
    /// [gave up](EventSourceError::gave_up).
    fn ended(&mut self, end: Result<&EventSourceEnd, &EventSourceError>) {}
}

/// An event source (WHATWG HTML §9.2) on a loop: an
/// [`EventSource`](super::EventSource) for a thread that must not wait. Clones are the same
/// source, which goes on when all are dropped.
///
/// ```no_run
/// use barewire::client::{ClientOptions, EventListener, EventSourceOptions, LoopClient};
/// use barewire::client::{LoopEventSource, MessageEvent};
/// use barewire::net::{Limits, Loop};
///
/// struct Print;
///
/// impl EventListener for Print {
///     fn event(&mut self, event: &MessageEvent, _source: &LoopEventSource) {
///         println!("{}", event.data);
///     }
/// }
///
/// let mut events = Loop::new(Limits::DEFAULT)?;
/// let client = LoopClient::on(&mut events, ClientOptions::new())?;
/// let request = client.get("http://127.0.0.1:8080/feed");
/// LoopEventSource::on(&mut events, &client, request, EventSourceOptions::new(), Print)?;
/// events.run()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct LoopEventSource {
    seat: Rc<Seat>,
}

/// State shared by handles, the loop's owner and the stream of the present response.
struct Seat {
    client: LoopClient,
    inner: RefCell<Inner>,
    listener: RefCell<Option<Box<dyn EventListener>>>,
    waker: OnceCell<LocalWaker>,
    is_closed: Cell<bool>,
    tries_now: Cell<bool>,
}

impl LoopEventSource {
    /// Begins a source on this loop: the stream that a request of its client asks for. What
    /// is sent, and when again, is as [`EventSource::new`](super::EventSource::new) has it.
    ///
    /// # Errors
    /// [`EventSourceError`] if the request is at fault, or the last event ID of the options
    /// cannot be sent.
    pub fn on(
        events: &mut dyn AnyLoop,
        client: &LoopClient,
        request: RequestBuilder,
        options: EventSourceOptions,
        listener: impl EventListener,
    ) -> Result<Self, EventSourceError> {
        let (request, core, silence) = begin(request, options)?;
        let seat = Rc::new(Seat {
            client: client.clone(),
            inner: RefCell::new(Inner {
                core,
                request,
                silence,
                inlet: Inlet::default(),
                cause: None,
                left: Left::default(),
                call: None,
                attempt: 0,
                has_told: false,
                is_shown: false,
            }),
            listener: RefCell::new(Some(Box::new(listener))),
            waker: OnceCell::new(),
            is_closed: Cell::new(false),
            tries_now: Cell::new(false),
        });
        let source = Self { seat };
        let owner = events.add_handler(Box::new(Owner(source.clone())));
        events.enter_owner(owner, &mut |context| {
            let waker = context.waker();
            waker.wake();
            // It is set once.
            let _ = source.seat.waker.set(waker);
        });
        Ok(source)
    }

    /// Closes it: its listener is told that it is over.
    pub fn close(&self) {
        self.seat.is_closed.set(true);
        self.seat.wake();
    }

    /// Has a source that waits for its next attempt begin it now: the network is back.
    pub fn try_now(&self) {
        if self.ready_state() == ReadyState::Connecting {
            self.seat.tries_now.set(true);
            self.seat.wake();
        }
    }

    /// Whether there is a stream at present.
    pub fn ready_state(&self) -> ReadyState {
        match self.seat.is_closed.get() {
            true => ReadyState::Closed,
            false => self.seat.inner.borrow().core.ready_state(),
        }
    }

    /// The last event ID; empty where there is none.
    pub fn last_event_id(&self) -> String {
        self.seat.inner.borrow().core.last_event_id().into()
    }

    /// Does what is to be done now; when it is to be called again at the latest.
    fn step(&self, now: Instant) -> Instant {
        loop {
            let mut inner = self.seat.inner.borrow_mut();
            if self.seat.is_closed.get() {
                inner.core.close();
            }
            if self.seat.tries_now.take() && inner.core.ready_state() == ReadyState::Connecting {
                inner.core.try_now();
            }
            match inner.core.next(now) {
                NextStep::Connect => {
                    let has_told = mem::take(&mut inner.has_told);
                    drop(inner);
                    // Its delay may be over already; that there is no stream is told all the same.
                    if !has_told {
                        self.tell_waiting(Duration::ZERO);
                    }
                    if !self.seat.is_closed.get() {
                        self.ask();
                    }
                }
                NextStep::AwaitResponse => return Instant::NEVER,
                NextStep::ReadUntil(at) if at > now => return at,
                NextStep::ReadUntil(_) => {
                    let dice = inner.request.roll();
                    inner.core.elapsed(now, dice);
                    inner.give_up();
                }
                NextStep::WaitUntil(at) => {
                    inner.give_up();
                    if mem::replace(&mut inner.has_told, true) {
                        return at;
                    }
                    drop(inner);
                    self.tell_waiting(at.saturating_since(now));
                }
                NextStep::Over => {
                    if !inner.is_shown || self.seat.is_closed.get() {
                        inner.give_up();
                        drop(inner);
                        self.tell_end();
                    }
                    return Instant::NEVER; // or the body of its error comes
                }
            }
        }
    }

    fn ask(&self) {
        let mut inner = self.seat.inner.borrow_mut();
        let inner = &mut *inner;
        inner.left.partial = None;
        inner.inlet.clear();
        inner.attempt += 1;
        let form = match inner.core.asks() {
            Resume::Get => Form::Get,
            Resume::Body(body) => Form::Body(body),
            Resume::Again | Resume::Stop => Form::Same,
        };
        let has_own = inner.request.has_own_limits();
        let request = inner
            .request
            .next(form, inner.core.fields(), &Canceller::new());
        let stream = Stream {
            source: self.clone(),
            attempt: inner.attempt,
        };
        let silence = inner.silence;
        let request = request.map(|it| it.for_stream(silence, !has_own));
        match request.and_then(|it| self.seat.client.open(it, stream)) {
            Ok(call) => inner.call = Some(call),
            Err(error) => inner.fail_by(error),
        }
    }

    fn tell(&self, act: impl FnOnce(&mut dyn EventListener)) {
        // It is not there while it is called, nor after the end.
        let Some(mut listener) = self.seat.listener.take() else {
            return;
        };
        act(&mut *listener);
        *self.seat.listener.borrow_mut() = Some(listener);
    }

    fn tell_waiting(&self, delay: Duration) {
        let (why, cause, attempts) = {
            let mut inner = self.seat.inner.borrow_mut();
            let why = inner.core.last_interruption();
            (why, inner.cause.take(), inner.core.attempts_in_vain())
        };
        let Some(why) = why else {
            return; // the first attempt
        };
        let waiting = Waiting {
            why,
            error: cause.as_ref(),
            attempts,
            delay,
        };
        self.tell(|listener| listener.waiting(&waiting, self));
        self.seat.inner.borrow_mut().cause = cause;
    }

    fn tell_end(&self) {
        let Some(mut listener) = self.seat.listener.take() else {
            return;
        };
        let mut inner = self.seat.inner.borrow_mut();
        let Some(end) = inner.core.end().cloned() else {
            return;
        };
        let EventSourceEnd::Failed(fault) = &end else {
            drop(inner);
            return listener.ended(Ok(&end));
        };
        let mut left = mem::take(&mut inner.left);
        left.last_event_id = inner.core.last_event_id().into();
        let (cause, request) = (inner.cause.take(), inner.request.shown());
        drop(inner);
        let error = EventSourceError::new(fault.clone(), cause, request, left);
        listener.ended(Err(&error));
    }

    /// Gives out the events of what has come.
    fn read(&self, attempt: u64, has_ended: bool) {
        loop {
            let found = {
                let mut inner = self.seat.inner.borrow_mut();
                if inner.attempt != attempt || self.seat.is_closed.get() {
                    return;
                }
                inner.next_event(has_ended)
            };
            match found {
                Found::Event(event) => self.tell(|listener| listener.event(&event, self)),
                Found::Other => {}
                Found::Nothing => return,
            }
        }
    }
}

impl Seat {
    fn wake(&self) {
        if let Some(waker) = self.waker.get() {
            waker.wake();
        }
    }
}

/// The state of one request's response.
struct Stream {
    source: LoopEventSource,
    attempt: u64,
}

impl Stream {
    /// Acts on the source, unless it is at another attempt by now.
    fn act<R>(&self, act: impl FnOnce(&mut Inner) -> R) -> Option<R> {
        let mut inner = self.source.seat.inner.borrow_mut();
        (inner.attempt == self.attempt).then(|| act(&mut inner))
    }
}

impl ResponseListener for Stream {
    fn head(&mut self, head: &ResponseView<'_>, _: &LoopCall) {
        let state = self.act(|inner| {
            inner.cause = None;
            let dice = inner.request.roll();
            let content_type = head.headers().get("content-type");
            let after = head.retry_after();
            let status = head.status().code();
            inner
                .core
                .response(status, content_type, after, clock::now(), dice);
            inner.is_shown = matches!(inner.core.end(), Some(EventSourceEnd::Failed(_)));
            inner.core.ready_state()
        });
        if state == Some(ReadyState::Open) {
            let source = &self.source;
            source.tell(|listener| listener.opened(source));
        }
        self.source.seat.wake();
    }

    fn chunk(&mut self, chunk: &[u8], _: &LoopCall) {
        let shows = self.act(|inner| {
            if inner.is_shown {
                let room = BODY_SHOWN.saturating_sub(inner.left.body.len());
                let chunk = chunk.get(..room).unwrap_or(chunk);
                inner.left.body.push_str(&String::from_utf8_lossy(chunk));
                inner.is_shown = inner.left.body.len() < BODY_SHOWN;
                return true;
            }
            inner.inlet.fill(chunk);
            inner.core.arrived(clock::now());
            false
        });
        if shows == Some(false) {
            self.source.read(self.attempt, false);
        }
        self.source.seat.wake();
    }

    fn end(self, _: Fields<'_>) {
        if self.act(|inner| inner.is_shown) == Some(false) {
            self.source.read(self.attempt, true);
        }
        self.act(Inner::give_up);
        self.source.seat.wake();
    }

    fn failed(self, error: Error) {
        self.act(|inner| {
            if !inner.is_shown {
                inner.fail_by(error);
            }
            inner.give_up();
        });
        self.source.seat.wake();
    }
}

/// Calls a source when it is due.
struct Owner(LoopEventSource);

impl Handler for Owner {
    fn event(&mut self, context: &mut Context<'_>, event: Event<'_>) {
        if let Event::Draining = event {
            self.0.seat.is_closed.set(true);
        }
        let now = clock::now();
        let due = self.0.step(now);
        if due < Instant::NEVER {
            context.set_alarm(context.now() + due.saturating_since(now));
        }
    }
}

partly_shown!(it: LoopEventSource { ready_state: it.ready_state() });
