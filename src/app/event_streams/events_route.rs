//! Routes of event streams.

use alloc::boxed::Box;
use core::time::Duration;

use super::event_stream::Pulse;
use super::events::Events;
use super::events_session::{EventsSession, HeadOnly};
use super::own_state::OwnState;
use crate::app::exchange::accept::Accept;
use crate::app::exchange::client::{Client, Count};
use crate::app::exchange::refusal::{Done, Refusal};
use crate::app::exchange::reply::Reply;
use crate::app::exchange::request::Request;
use crate::app::futures::jobs::Jobs;
use crate::app::routes::endpoint::Endpoint;
use crate::app::routes::router::Verb;
use crate::app::routes::table::RouteKind;
use crate::app::serving::builder::App;
use crate::app::telemetry::metrics::Kind;
use crate::coding::stream::Position;
use crate::http::Method;

/// A function that makes the object of a stream, or refuses it.
type Open<E> = dyn Fn(&Request<'_>) -> Result<Accept<E>, Refusal> + Send + Sync;

/// A route of event streams with options.
pub struct EventsRoute<E> {
    open: Box<Open<E>>,
    verb: Verb,
    collect: Option<usize>,
    heartbeat: Duration,
    retry: Duration,
    is_compressed: bool,
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
            is_compressed: true,
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

    /// Sends its streams as they are, whatever
    /// [`Compression`](crate::app::Compression) says: see
    /// [`Route::uncompressed`](crate::app::Route::uncompressed).
    #[must_use]
    pub const fn uncompressed(mut self) -> Self {
        self.is_compressed = false;
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
        self.begin(accept, request, reply)
    }

    /// Answers a request with this stream.
    pub(crate) fn begin(
        &self,
        accept: Accept<E>,
        request: &Request<'_>,
        reply: Reply<'_, '_>,
    ) -> Result<Done, Refusal> {
        let mut reply = reply.set_header("Content-Type", "text/event-stream");
        if !self.is_compressed {
            reply = reply.uncompressed();
        }
        // nginx would hold events back.
        for (name, value) in [("Cache-Control", "no-cache"), ("X-Accel-Buffering", "no")] {
            if !accept.has(name) {
                reply = reply.set_header(name, value);
            }
        }
        let (object, _, mut reply) = accept.open(reply)?;
        if request.method() == Method::HEAD {
            return Ok(reply.open(false, |_, _| Box::new(HeadOnly)));
        }
        let claim = reply.place()?;
        Ok(reply.open(true, |at, chosen| {
            let position = chosen.map(|it| Position::new(it.coding, it.level));
            let delivery = object.delivery();
            let sessions = &self.sessions;
            let client = Client::coded(at, Kind::Events, sessions, delivery, position);
            let pulse = Pulse::new(self.heartbeat);
            let retry = self.retry;
            let own = OwnState::new(chosen.is_some_and(|it| it.is_dedicated));
            Box::new(EventsSession {
                object,
                client,
                pulse,
                own,
                jobs: Jobs::new(),
                retry,
                _claim: claim,
            })
        }))
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
        self.serve(RouteKind::Events, verb, pattern, endpoint)
    }
}
