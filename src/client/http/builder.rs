//! Requests as they are put together.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;
use core::time::Duration;

use super::as_url::AsUrl;
use super::body::Body;
use super::call::{Call, Step};
use super::error::{Error, ErrorKind};
use super::exchange::Exchange;
use super::http_call::HttpCall;
use super::limits::ClientLimits;
use super::multipart;
use super::multipart::Multipart;
use super::redirect::RedirectPolicy;
use super::request::{OwnedMethod, Request};
use super::response::Response;
use super::shared_state::Shared;
use crate::client::connecting::{Canceller, Phase, basic, clock};
use crate::http::{Fields, InvalidMethod, Status, TraceContext};
use crate::net::is_loop_thread;
use crate::wire::Instant;
use crate::wire::partly_shown;

/// The hook that is told of interim responses.
pub(super) type Hook = Box<dyn FnMut(Status, Fields<'_>) + Send>;

/// A request that is being put together. What is wrong with it is told by
/// [`send`](Self::send), before anything is sent.
///
/// ```no_run
/// use barewire::client::Client;
/// use std::time::Duration;
///
/// let response = Client::new()
///     .post("https://example.org/search")
///     .query("page", 2)
///     .bearer_auth("token")
///     .header("Accept", "text/csv")
///     .timeout(Duration::from_secs(5))
///     .form([("q", "tea"), ("sort", "price")])
///     .send()?;
/// # Ok::<(), barewire::client::Error>(())
/// ```
#[must_use = "nothing is sent before `send`"]
pub struct RequestBuilder {
    client: Arc<Shared>,
    request: Result<Request, Error>,
    hook: Option<Hook>,
}

impl RequestBuilder {
    pub(super) fn new(
        client: Arc<Shared>,
        method: Result<OwnedMethod, InvalidMethod>,
        url: impl AsUrl,
    ) -> Self {
        let refused = |kind| Error::new(Phase::Request, kind);
        let request = match (method, url.to_url(client.base.as_ref())) {
            (Err(error), _) => Err(refused(ErrorKind::Method(error))),
            (_, Err(error)) => Err(refused(ErrorKind::Url(error))),
            (Ok(_), Ok(url)) if url.is_websocket() => {
                let text = "a URL of ws or wss is for a WebSocket";
                Err(refused(ErrorKind::Usage(text)))
            }
            (Ok(method), Ok(url)) => Ok(Request::new(method, url)),
        };
        Self {
            client,
            request,
            hook: None,
        }
    }

    pub(super) const fn made(client: Arc<Shared>, request: Request) -> Self {
        Self {
            client,
            request: Ok(request),
            hook: None,
        }
    }

    pub(super) fn into_all(self) -> Result<(Arc<Shared>, Request, Option<Hook>), Error> {
        Ok((self.client, self.request?, self.hook))
    }

    /// The request and its client, without the hook for interim responses.
    pub(super) fn into_parts(self) -> Result<(Arc<Shared>, Request), Error> {
        Ok((self.client, self.request?))
    }

    fn change(mut self, change: impl FnOnce(&mut Request) -> Result<(), ErrorKind>) -> Self {
        if let Ok(request) = &mut self.request
            && let Err(kind) = change(request)
        {
            let error = Error::new(Phase::Request, kind);
            self.request = Err(error.of(request.method.get().as_str(), &request.url));
        }
        self
    }

    /// Adds a field. One of a name that the client adds by itself takes its place.
    /// `Connection: close` has the connection carry no further request; over HTTP/2 it is
    /// left out, as others may be on the connection.
    pub fn header(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.change(|request| request.fields.push(name, value).map_err(ErrorKind::Field))
    }

    /// Makes the request a part of a trace (W3C Trace Context): sends `traceparent` and
    /// `tracestate`.
    ///
    /// ```
    /// use barewire::client::Client;
    /// use barewire::http::TraceContext;
    ///
    /// let trace = TraceContext::new([7; 16], [1; 8], true)?;
    /// let request = Client::new().get("http://127.0.0.1/prices").trace(&trace);
    /// # Ok::<(), barewire::http::InvalidTrace>(())
    /// ```
    pub fn trace(self, context: &TraceContext) -> Self {
        self.change(|request| {
            let parent = request.fields.set("traceparent", format!("{context}"));
            let state = match context.state() {
                "" => Ok(()),
                state => request.fields.set("tracestate", state),
            };
            parent.and(state).map_err(ErrorKind::Field)
        })
    }

    /// Adds `name=value` to the query, percent-encoded as in forms.
    pub fn query(self, name: &str, value: impl fmt::Display) -> Self {
        self.change(|request| {
            let mut query = String::from(request.url.query().unwrap_or_default());
            multipart::push(name, &format!("{value}"), &mut query);
            request.url = request.url.with_query(&query).map_err(ErrorKind::Url)?;
            Ok(())
        })
    }

    /// Sets the body. A POST, PUT or PATCH without one says that it has none.
    pub fn body(self, body: impl Into<Body>) -> Self {
        self.change(|request| {
            request.body = body.into();
            Ok(())
        })
    }

    /// Sets the body to the pairs of a form (`application/x-www-form-urlencoded`).
    pub fn form<N: AsRef<str>, V: AsRef<str>>(
        self,
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        self.change(|request| {
            let mut text = String::new();
            for (name, value) in pairs {
                multipart::push(name.as_ref(), value.as_ref(), &mut text);
            }
            request.body = Body::from(text);
            request.describe("application/x-www-form-urlencoded")
        })
    }

    /// Sets the body to a value as JSON.
    #[cfg(feature = "json")]
    pub fn json(self, value: &(impl serde::Serialize + ?Sized)) -> Self {
        self.change(|request| {
            request.body = Body::from(serde_json::to_vec(value).map_err(ErrorKind::Json)?);
            request.describe("application/json")
        })
    }

    /// Sets the body to the parts of a form (`multipart/form-data`).
    pub fn multipart(self, parts: Multipart) -> Self {
        self.change(|request| {
            let (body, content_type) = parts.into_body()?;
            request.body = body;
            let set = request.fields.set("Content-Type", content_type);
            set.map_err(ErrorKind::Field)
        })
    }

    /// Sets Authorization to user and password (RFC 7617), in place of those of the URL.
    pub fn basic_auth(self, user: &str, password: &str) -> Self {
        self.change(|request| {
            if user.contains(':') {
                return Err(ErrorKind::Usage("a user's name has no colon (RFC 7617 §2)"));
            }
            let value = basic(user, password);
            let set = request.fields.set("Authorization", value);
            set.map_err(ErrorKind::Field)
        })
    }

    /// Sets Authorization to a bearer token (RFC 6750 §2.1).
    pub fn bearer_auth(self, token: &str) -> Self {
        self.change(|request| {
            let set = request
                .fields
                .set("Authorization", format!("Bearer {token}"));
            set.map_err(ErrorKind::Field)
        })
    }

    /// Bounds the whole call, to the last byte of the body: by
    /// [`ClientLimits::total_time`], for this request.
    pub fn timeout(self, time: Duration) -> Self {
        self.change_limits(|limits| limits.total_time = time)
    }

    /// Replaces the limits for this request: see [`ClientLimits`] for those that it
    /// cannot raise, and those that stay the client's.
    pub fn limits(self, own: ClientLimits) -> Self {
        self.change_limits(|limits| *limits = own)
    }

    /// Bounds the body only by this silence, and the call not at all if it is to have no limit.
    pub(crate) fn for_stream(self, silence: Duration, endless: bool) -> Self {
        self.change_limits(|limits| {
            limits.silence_time = silence;
            if endless {
                limits.total_time = Duration::MAX;
            }
        })
    }

    fn change_limits(self, change: impl FnOnce(&mut ClientLimits)) -> Self {
        let present = self.client.policy.limits;
        self.change(|request| {
            change(request.limits.get_or_insert_with(|| Box::new(present)));
            Ok(())
        })
    }

    /// Sets which redirects this request follows.
    pub fn redirects(self, redirects: RedirectPolicy) -> Self {
        self.change(|request| {
            request.redirects = Some(redirects);
            Ok(())
        })
    }

    /// Says whether the request may be sent twice. By default one may whose method is
    /// idempotent (RFC 9110 §9.2.2), and one with a field `Idempotency-Key`.
    pub fn repeatable(self, may_be_repeated: bool) -> Self {
        self.change(|request| {
            request.repeatable = Some(may_be_repeated);
            Ok(())
        })
    }

    /// Leaves the response's body as it comes, whatever its Content-Encoding, and asks for
    /// none.
    pub fn without_decoding(self) -> Self {
        self.change(|request| {
            request.decodes = false;
            Ok(())
        })
    }

    /// Holds the body back until the server asks for it, by `Expect: 100-continue` (RFC
    /// 9110 §10.1.1): a server that refuses does not get it.
    pub fn expect_continue(self) -> Self {
        self.change(|request| {
            request.expects_continue = true;
            Ok(())
        })
    }

    /// Lets `canceller` end the call, even while its body is received.
    pub fn canceller(self, canceller: &Canceller) -> Self {
        self.change(|request| {
            request.canceller = Some(canceller.clone());
            Ok(())
        })
    }

    /// Calls `hook` for each interim response (1xx), such as 103 (Early Hints).
    pub fn on_informational(
        mut self,
        hook: impl FnMut(Status, Fields<'_>) + Send + 'static,
    ) -> Self {
        self.hook = Some(Box::new(hook));
        self.change(|request| {
            request.wants_informational = true;
            Ok(())
        })
    }

    /// Makes it a call without I/O, that begins at `now`: the client's connections and
    /// proxies are not used, and its cookies, budgets and counters are. Interim responses
    /// are events then, if [`on_informational`](Self::on_informational) was called.
    ///
    /// # Errors
    /// The fault of the request.
    pub fn into_call(self, now: Instant) -> Result<HttpCall, Error> {
        Ok(HttpCall::new(
            self.client,
            self.request?.without_pieces()?,
            now,
        ))
    }

    /// Sends the request, and waits for the head of the response. The body comes when it
    /// is asked for.
    ///
    /// # Errors
    /// [`Error`] says how far it was, what went wrong, and whether the server may have
    /// acted on the request. A response is no error, whatever its status.
    pub fn send(self) -> Result<Response, Error> {
        let request = self.request?;
        if is_loop_thread() {
            let error = Error::new(Phase::Request, ErrorKind::OnLoop);
            return Err(error.of(request.method.get().as_str(), &request.url));
        }
        let request = request.without_pieces()?;
        let shared = self.client;
        let call = Call::new(request, shared.policy.clone(), clock::now());
        let mut exchange = Exchange::new(call, shared);
        let mut hook = self.hook;
        loop {
            match exchange.advance() {
                Step::Informational(head) => {
                    if let Some(hook) = &mut hook {
                        hook(head.status, head.fields.as_fields());
                        exchange.tick();
                    }
                }
                Step::Failed(error) => return Err(error),
                // The head comes in front of all else.
                _ => return Ok(Response::new(exchange)),
            }
        }
    }
}

impl Request {
    /// The request, unless its body is written in pieces: only a client on a loop can do that.
    fn without_pieces(self) -> Result<Self, Error> {
        if self.body.feed().is_none() {
            return Ok(self);
        }
        let text = "a body that is written in pieces is for a client on a loop";
        let error = Error::new(Phase::Request, ErrorKind::Usage(text));
        Err(error.of(self.method.get().as_str(), &self.url))
    }

    /// Names the type of the body, unless the caller has.
    fn describe(&mut self, media_type: &'static str) -> Result<(), ErrorKind> {
        if self.fields.as_fields().contains("content-type") {
            return Ok(());
        }
        let pushed = self.fields.push("Content-Type", media_type);
        pushed.map_err(ErrorKind::Field)
    }
}

partly_shown!(it: RequestBuilder { request });
