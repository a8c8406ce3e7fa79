//! The client, in the hands of who uses it.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::LoopCall;
use super::driver::Driver;
use super::listener::{Listening, ResponseListener};
use super::news::{Desk, News};
use super::running::Running;
use super::ticket::Ticket;
use super::whole::{Whole, WholeResponse};
use crate::client::connecting::Phase;
use crate::client::http::as_url::AsUrl;
use crate::client::http::builder::{Hook, RequestBuilder};
use crate::client::http::client::{Client, request_methods};
use crate::client::http::error::{Error, ErrorKind};
use crate::client::http::metrics::Metrics;
use crate::client::http::options::ClientOptions;
use crate::client::http::request::{OwnedMethod, Request};
#[cfg(feature = "graphql")]
use crate::http::FieldBuffer;
use crate::http::{InvalidMethod, Method};
use crate::net::AnyLoop;
use crate::wire::partly_shown;

/// An HTTP client on a loop: its calls tell a [`ResponseListener`] what comes, on the
/// loop's thread, and nothing blocks. Redirects, further attempts, deadlines, limits and the
/// rules of connections are those of [`Client`].
///
/// It stays on its thread; a clone shares connections and settings. For an app,
/// [`App::on_each_loop`](crate::app::App::on_each_loop) makes one for each loop:
///
/// ```no_run
/// use barewire::app::{App, Response};
/// use barewire::client::{Client, LoopClient};
/// use barewire::http::Status;
///
/// let shared = Client::new(); // its settings and counters; the connections are each loop's
/// App::new()
///     .threads(2)
///     .on_each_loop(move |events| Ok(shared.on(events)))
///     .get("/weather", |request, reply| {
///         let client = request.local::<LoopClient>().expect("made on each loop");
///         reply.defer(|deferred| {
///             let asked = client.get("http://127.0.0.1:9000/weather");
///             client.send_then(asked, move |answer| {
///                 deferred.send(match answer.and_then(|it| it.text()) {
///                     Ok(text) => Response::text(&text),
///                     Err(error) => Response::text(&error.to_string()).status(Status::BAD_GATEWAY),
///                 });
///             });
///         })
///     });
/// ```
#[derive(Clone)]
pub struct LoopClient {
    desk: Rc<Desk>,
    _leaving: Rc<Leaving>,
}

/// Closes the connections when the last clone of the client is dropped.
struct Leaving(Rc<Desk>);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.note(News::Leave);
    }
}

impl Client {
    /// A client on a loop with the settings of this one, its cookies, counters and known
    /// names. Its connections are its own.
    pub fn on(&self, events: &mut dyn AnyLoop) -> LoopClient {
        let desk = Rc::new(Desk::new(self.0.clone()));
        let profile = events.add_profile((*self.0.link).clone());
        let driver = Driver::new(desk.clone(), profile, events.remote());
        let owner = events.add_handler(Box::new(driver));
        events.enter_owner(owner, &mut |context| {
            // It is set once.
            let _ = desk.asked.waker.set(context.waker());
        });
        LoopClient {
            _leaving: Rc::new(Leaving(desk.clone())),
            desk,
        }
    }
}

impl LoopClient {
    /// A client on a loop, with these options.
    ///
    /// # Errors
    /// Those of [`Client::with`].
    pub fn on(events: &mut dyn AnyLoop, options: ClientOptions) -> Result<Self, Error> {
        Ok(Client::with(options)?.on(events))
    }

    request_methods! {}

    fn begin(&self, method: Result<OwnedMethod, InvalidMethod>, url: impl AsUrl) -> RequestBuilder {
        RequestBuilder::new(self.desk.client.clone(), method, url)
    }

    /// Sends a request that this client, or the one that it shares its settings with, has
    /// begun, and has `listener` told what comes of it. Never blocks.
    ///
    /// # Errors
    /// The fault of the request: no listener is told then.
    pub fn open(
        &self,
        request: RequestBuilder,
        listener: impl ResponseListener,
    ) -> Result<LoopCall, Error> {
        let (request, hook) = self.check(request)?;
        Ok(self.start(request, hook, Box::new(listener)))
    }

    /// Sends a request, and has `done` called with the whole response, or with why there is
    /// none. Its body may have
    /// [`ClientLimits::collected`](crate::client::ClientLimits::collected) bytes. Never
    /// blocks.
    ///
    /// A fault of the request is told to `done` before this returns `None`.
    pub fn send_then(
        &self,
        request: RequestBuilder,
        done: impl FnOnce(Result<WholeResponse, Error>) + 'static,
    ) -> Option<LoopCall> {
        let (request, hook) = match self.check(request) {
            Ok(checked) => checked,
            Err(error) => {
                done(Err(error));
                return None;
            }
        };
        let limits = request.limits.as_deref();
        let most = limits.unwrap_or(&self.desk.client.policy.limits).collected;
        let whole = Whole {
            done,
            most,
            body: Vec::new(),
            too_large: None,
        };
        Some(self.start(request, hook, Box::new(whole)))
    }

    fn check(&self, request: RequestBuilder) -> Result<(Request, Option<Hook>), Error> {
        let (client, request, hook) = request.into_all()?;
        let kind = if !Arc::ptr_eq(&client, &self.desk.client) {
            ErrorKind::Usage("the request was begun by a client with other settings")
        } else if self.desk.is_gone.get() {
            ErrorKind::LoopEnded
        } else {
            return Ok((request, hook));
        };
        let error = Error::new(Phase::Request, kind);
        Err(error.of(request.method.get().as_str(), &request.url))
    }

    fn start(
        &self,
        mut request: Request,
        hook: Option<Hook>,
        listener: Box<dyn Listening>,
    ) -> LoopCall {
        request.wants_informational = true;
        let ticket = Rc::new(Ticket::new(
            self.desk.asked.clone(),
            request.body.feed().cloned(),
        ));
        let policy = self.desk.client.policy.clone();
        let running = Running::new(request, policy, listener, ticket.clone(), hook);
        self.desk.note(News::Open(Box::new(running)));
        LoopCall { ticket }
    }

    /// The fields that the handshake of a WebSocket has of the client's own.
    #[cfg(feature = "graphql")]
    pub(in crate::client) fn upgrade_fields(&self) -> &FieldBuffer {
        self.desk.client.upgrade_fields()
    }

    #[cfg(all(feature = "graphql", feature = "cookies"))]
    pub(in crate::client) fn cookie_jar(&self) -> Option<Arc<crate::client::CookieJar>> {
        self.desk.client.cookie_jar()
    }

    /// Closes all connections at rest.
    pub fn close_idle(&self) {
        self.desk.note(News::CloseIdle);
    }

    /// The counters so far: calls and bytes by all that share the settings of this
    /// client, and the connections of this one. Over TLS, bytes sent by clients on a
    /// loop are counted without what TLS adds.
    pub fn metrics(&self) -> Metrics {
        self.desk.client.metrics(self.desk.counts.get())
    }
}

partly_shown!(LoopClient);
