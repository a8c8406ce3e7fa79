//! Event streams: Server-Sent Events that go on until someone hangs up.
//!
//! ```text
//!  GET /ticks ──► the route's closure ──► Ok(object) ──► 200, text/event-stream
//!                        └─► Err(refusal)
//!  ◄── open, timer, mail, writable: events ── and a comment after each silence
//!  FIN ──► gone        the loop drains ──► retry: ..., and the end
//! ```

use alloc::boxed::Box;
use core::any::Any;
use core::time::Duration;

use super::event_stream::{EventStream, Pulse};
use crate::app::exchange::accept::Accept;
use crate::app::exchange::client::{Client, Count};
use crate::app::exchange::refusal::{Done, Refusal};
use crate::app::exchange::reply::Reply;
use crate::app::exchange::request::Request;
use crate::app::exchange::session::{After, Session, SessionContext};
use crate::app::publishing::handle::HandleMessage;
use crate::app::publishing::message::Message;
use crate::app::routes::endpoint::Endpoint;
use crate::app::routes::router::Verb;
use crate::app::serving::builder::App;
use crate::app::telemetry::metrics::Kind;
use crate::http::{Fields, Method};
use crate::link::EndReason;
use crate::net::Claim;
use crate::sse;

/// One event stream: an object whose fields are the session's state.
///
/// It is made by its route's closure for each request, is called on one thread
/// alone, and is dropped with the stream.
///
/// ```
/// use barewire::app::{App, EventStream, Events};
/// use barewire::sse::Event;
/// use core::time::Duration;
///
/// struct Ticker(u64);
///
/// impl Events for Ticker {
///     fn open(&mut self, stream: &mut EventStream<'_, '_>) {
///         stream.after(Duration::from_secs(1), 0);
///     }
///
///     fn timer(&mut self, stream: &mut EventStream<'_, '_>, _token: u32) {
///         self.0 += 1;
///         stream.send(&Event::new("tick").id(&self.0.to_string()));
///         stream.after(Duration::from_secs(1), 0);
///     }
/// }
///
/// App::new().events("/ticks", |request| {
///     let last = request.last_event_id().and_then(|id| id.parse().ok());
///     Ok(Ticker(last.unwrap_or(0)))
/// });
/// ```
///
/// Its methods must not sleep or wait: their loop serves others on the same
/// thread. What blocks, such as a query of a database, goes to a thread, and
/// comes back as [`mail`](Self::mail):
///
/// ```
/// # use barewire::app::{EventStream, Events};
/// # use barewire::sse::Event;
/// # use std::any::Any;
/// # use std::sync::mpsc::Sender;
/// /// A thread of the application's answers what is sent here.
/// struct Total(Sender<barewire::app::Handle>);
///
/// impl Events for Total {
///     fn open(&mut self, stream: &mut EventStream<'_, '_>) {
///         let _ = self.0.send(stream.handle()); // there: `handle.mail(total)`
///     }
///
///     fn mail(&mut self, stream: &mut EventStream<'_, '_>, mail: Box<dyn Any + Send>) {
///         if let Ok(total) = mail.downcast::<u64>() {
///             stream.send(&Event::new(&total.to_string()));
///         }
///     }
/// }
/// ```
#[expect(unused_variables, reason = "the names are the documentation")]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the object of an event stream",
    note = "implement `Events` for it: `open` is called when the stream has begun"
)]
pub trait Events {
    /// The stream is open.
    fn open(&mut self, stream: &mut EventStream<'_, '_>);

    /// A timer set with [`EventStream::after`] went off.
    fn timer(&mut self, stream: &mut EventStream<'_, '_>, token: u32) {}

    /// Something was sent with [`Handle::mail`](crate::app::Handle::mail).
    fn mail(&mut self, stream: &mut EventStream<'_, '_>, mail: Box<dyn Any + Send>) {}

    /// After a [`Wait`](crate::net::Flow::Wait): the peer has taken enough to
    /// go on.
    fn writable(&mut self, stream: &mut EventStream<'_, '_>) {}

    /// The server stops: when this returns, the client is told to come again
    /// after the route's [`retry`](EventsRoute::retry) time, and the stream ends.
    /// Events sent here arrive before that. If this method
    /// [finishes](EventStream::finish) the stream itself, nothing more is sent.
    fn draining(&mut self, stream: &mut EventStream<'_, '_>) {}

    /// The stream is over, and not by [`finish`](EventStream::finish): nothing
    /// can be sent any more. Not called if one of the others panicked.
    fn gone(&mut self, stream: &mut EventStream<'_, '_>, why: EndReason) {}
}

/// What makes the object of a stream, or refuses it.
type Open<E> = dyn Fn(&Request<'_>) -> Result<Accept<E>, Refusal> + Send + Sync;

/// A route of event streams with options.
pub struct EventsRoute<E> {
    open: Box<Open<E>>,
    verb: Verb,
    collect: Option<usize>,
    heartbeat: Duration,
    retry: Duration,
    sessions: Count,
}

impl<E> core::fmt::Debug for EventsRoute<E> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self {
            heartbeat,
            retry,
            sessions,
            ..
        } = self;
        f.debug_struct("EventsRoute")
            .field("heartbeat", heartbeat)
            .field("retry", retry)
            .field("sessions", sessions)
            .finish_non_exhaustive()
    }
}

impl<E: Events + 'static> EventsRoute<E> {
    /// A route with the default options. `open` makes the object of a stream,
    /// or refuses the request.
    pub fn new(open: impl Fn(&Request<'_>) -> Result<E, Refusal> + Send + Sync + 'static) -> Self {
        Self::accepting(move |request| open(request).map(Accept::new))
    }

    /// Like [`new`](Self::new), but `open` also adds fields to the head of the
    /// answer: see [`Accept`].
    pub fn accepting(
        open: impl Fn(&Request<'_>) -> Result<Accept<E>, Refusal> + Send + Sync + 'static,
    ) -> Self {
        Self {
            open: Box::new(open),
            verb: Verb::One(Method::GET.as_str().into()),
            collect: None,
            heartbeat: Duration::from_secs(15),
            retry: Duration::from_secs(3),
            sessions: Count::default(),
        }
    }

    /// Serves this method instead of GET: POST for streams that answer a
    /// request with a body, which `open` finds in
    /// [`Request::body`](crate::app::Request::body). Browsers' `EventSource` can
    /// only GET; `fetch` and other clients can read the answer to a POST as well.
    ///
    /// ```
    /// use barewire::app::{App, EventStream, Events, EventsRoute};
    /// use barewire::http::Method;
    /// use barewire::sse::Event;
    ///
    /// struct Words(Vec<String>);
    ///
    /// impl Events for Words {
    ///     fn open(&mut self, stream: &mut EventStream<'_, '_>) {
    ///         for word in &self.0 {
    ///             stream.send(&Event::new(word));
    ///         }
    ///         stream.finish();
    ///     }
    /// }
    ///
    /// let words = EventsRoute::new(|request| {
    ///     let text = String::from_utf8_lossy(request.body());
    ///     Ok(Words(text.split(' ').map(String::from).collect()))
    /// });
    /// App::new().events_route("/words", words.method(Method::POST));
    /// ```
    #[must_use]
    pub fn method(mut self, method: Method<'_>) -> Self {
        self.verb = Verb::One(method.as_str().into());
        self
    }

    /// Serves every method that has no route of its own on the same pattern.
    #[must_use]
    pub fn any_method(mut self) -> Self {
        self.verb = Verb::Any;
        self
    }

    /// Bytes up to which the body of a request is collected, instead of the
    /// app's [`collect_limit`](App::collect_limit). A longer one is refused with
    /// 413.
    #[must_use]
    pub const fn collect(mut self, limit: usize) -> Self {
        self.collect = Some(limit);
        self
    }

    /// How long a stream may be silent before a comment is sent, which no
    /// client shows: so that proxies keep the connection, and a peer that is
    /// gone without a word is found. Default 15 s, what WHATWG HTML §9.2.8
    /// advises.
    #[must_use]
    pub const fn heartbeat(mut self, silence: Duration) -> Self {
        self.heartbeat = silence;
        self
    }

    /// How long clients are told to wait before they come again when the
    /// server stops. Default 3 s.
    #[must_use]
    pub const fn retry(mut self, time: Duration) -> Self {
        self.retry = time;
        self
    }

    /// Answers a request: with a stream, or not.
    pub(crate) fn answer(
        &self,
        request: &Request<'_>,
        reply: Reply<'_, '_>,
    ) -> Result<Done, Refusal> {
        let accept = (self.open)(request)?;
        let mut reply = reply.set_header("Content-Type", "text/event-stream");
        // nginx would hold events back.
        for (name, value) in [("Cache-Control", "no-cache"), ("X-Accel-Buffering", "no")] {
            if !accept.has(name) {
                reply = reply.set_header(name, value);
            }
        }
        let (object, _, mut reply) = accept.open(reply)?;
        if request.method() == Method::HEAD {
            return Ok(reply.open(false, Box::new(HeadOnly)));
        }
        let claim = reply.place()?;
        let client = Client::new(reply.at(), Kind::Events, &self.sessions);
        let pulse = Pulse::new(self.heartbeat);
        let session = EventsSession {
            object,
            client,
            pulse,
            retry: self.retry,
            _claim: claim,
        };
        Ok(reply.open(true, Box::new(session)))
    }
}

impl App {
    /// Serves event streams. `open` makes the object of a stream, or refuses
    /// the request.
    #[must_use]
    pub fn events<E: Events + 'static>(
        self,
        pattern: &str,
        open: impl Fn(&Request<'_>) -> Result<E, Refusal> + Send + Sync + 'static,
    ) -> Self {
        self.events_route(pattern, EventsRoute::new(open))
    }

    /// Serves event streams with options.
    #[must_use]
    pub fn events_route<E: Events + 'static>(self, pattern: &str, route: EventsRoute<E>) -> Self {
        let (verb, collect) = (route.verb.clone(), route.collect);
        let mut endpoint = Endpoint::new(move |request, reply| route.answer(request, reply));
        endpoint.collect = collect;
        self.serve(verb, pattern, endpoint)
    }
}

/// Answers HEAD with the head that GET would have (RFC 9110 §9.3.2).
struct HeadOnly;

impl Session for HeadOnly {
    fn opened(&mut self, at: &mut SessionContext<'_, '_>) -> After {
        // Refused only if the exchange is over.
        let _ = at.context.finish(Fields::EMPTY);
        After::End
    }
}

/// An event stream on its loop.
struct EventsSession<E> {
    object: E,
    client: Client,
    pulse: Pulse,
    retry: Duration,
    _claim: Claim,
}

impl<E: Events> EventsSession<E> {
    /// Calls the object with its stream.
    fn call(
        &mut self,
        at: &mut SessionContext<'_, '_>,
        call: impl FnOnce(&mut E, &mut EventStream<'_, '_>),
    ) -> After {
        let mut stream = EventStream::new(at.reborrow(), &mut self.client, &mut self.pulse);
        call(&mut self.object, &mut stream);
        match stream.is_finished() {
            true => After::End,
            false => After::Keep,
        }
    }
}

impl<E: Events> Session for EventsSession<E> {
    fn kind(&self) -> Kind {
        Kind::Events
    }

    fn content(&self) -> u64 {
        self.client.membership.activity().bytes_sent() + self.pulse.comments
    }

    fn opened(&mut self, at: &mut SessionContext<'_, '_>) -> After {
        self.call(at, |object, stream| {
            stream.beat();
            object.open(stream);
        })
    }

    fn writable(&mut self, at: &mut SessionContext<'_, '_>) -> After {
        self.call(at, |object, stream| object.writable(stream))
    }

    fn timer(&mut self, at: &mut SessionContext<'_, '_>, token: u64) -> After {
        self.call(at, |object, stream| match u32::try_from(token) {
            Ok(token) => object.timer(stream, token),
            Err(_) => stream.beat(),
        })
    }

    fn mail(&mut self, at: &mut SessionContext<'_, '_>, mail: Box<dyn Any + Send>) -> After {
        let Ok(handle_message) = mail.downcast::<HandleMessage>() else {
            return After::Keep; // nobody else knows the session's address
        };
        self.call(at, |object, stream| match *handle_message {
            HandleMessage::Send(kind, payload) => {
                if let Some(text) = Message::received(kind, &payload).as_text() {
                    stream.send(&sse::Event::new(text));
                }
            }
            HandleMessage::Close(..) => stream.finish(),
            HandleMessage::Mail(mail) => object.mail(stream, mail),
        })
    }

    fn draining(&mut self, at: &mut SessionContext<'_, '_>) -> After {
        let retry = self.retry;
        self.call(at, |object, stream| {
            object.draining(stream);
            if !stream.is_finished() {
                stream.send(&sse::Event::EMPTY.retry(retry));
                stream.finish();
                object.gone(stream, EndReason::Drained);
            }
        })
    }

    fn gone(&mut self, at: &mut SessionContext<'_, '_>, why: EndReason) -> After {
        self.call(at, |object, stream| object.gone(stream, why));
        After::End
    }
}
