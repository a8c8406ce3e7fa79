//! A request, as a route sees it.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::{Any, TypeId};
use core::fmt;

use super::extensions::Extensions;
use super::path::Path;
use super::pattern::Params;
use super::provenance::Provenance;
#[cfg(feature = "tracing")]
use super::request_span::RequestSpan;
use crate::http::target::{Plus, percent_decode, query_pairs};
use crate::http::{Fields, Method, RequestHead, Version};
use crate::net::{AnyLoop, Context, Error, Peer};
#[cfg(feature = "tls")]
use crate::tls::Info;

/// A request: its head, and its body as far as it has been received.
///
/// ```
/// use barewire::app::{App, Status};
///
/// App::new().put("/items/{id}", |request, reply| {
///     let id: u32 = request.param("id").parse().map_err(|_| Status::BAD_REQUEST)?;
///     let is_dry = request.query_value("dry-run").is_some(); // ?dry-run=1
///     let agent = request.header("user-agent").unwrap_or("nobody");
///     let bytes = request.body().len();
///     reply.text(format!("{agent}: {bytes} bytes for {id}, dry: {is_dry}")).ok()
/// });
/// ```
pub struct Request<'b> {
    pub(crate) head: &'b RequestHead<'b>,
    pub(crate) path: &'b Path,
    pub(crate) params: &'b Params<'b>,
    pub(crate) body: &'b [u8],
    /// The body is still to come, with its length where it is known.
    pub(crate) follows: Option<Option<u64>>,
    pub(crate) peer: &'b Option<Peer>,
    pub(crate) tls: &'b RequestTls,
    pub(crate) extensions: &'b Option<Arc<Extensions>>,
    pub(crate) locals: &'b Locals,
}

impl<'b> Request<'b> {
    /// The method. With HEAD, a GET route answers as to GET, and its body is
    /// left out on the wire.
    pub const fn method(&self) -> Method<'b> {
        self.head.method
    }

    /// The path, percent-encoded as it was sent.
    pub const fn path(&self) -> &'b str {
        self.head.target.path()
    }

    /// The parameter `{name}` or `{*name}` of the route's pattern, percent-decoded;
    /// empty if it has no such parameter.
    pub fn param(&self, name: &str) -> &'b str {
        let span = self.params.span(name, self.path).unwrap_or_default();
        self.path.text().get(span).unwrap_or_default()
    }

    /// The query, percent-encoded as it was sent.
    pub const fn query(&self) -> Option<&'b str> {
        self.head.target.query()
    }

    /// The query's names and values in order, decoded as forms are: `+` is a
    /// space. What does not decode is given as it was sent.
    pub fn query_pairs(&self) -> impl Iterator<Item = (Cow<'b, str>, Cow<'b, str>)> + use<'b> {
        let decode =
            |text: &'b str| percent_decode(text, Plus::Space).unwrap_or(Cow::Borrowed(text));
        let pairs = query_pairs(self.query().unwrap_or_default());
        pairs.map(move |(name, value)| (decode(name), decode(value)))
    }

    /// The value of the first pair of this name in the query, decoded.
    pub fn query_value(&self, name: &str) -> Option<Cow<'b, str>> {
        self.query_pairs()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value)
    }

    /// The fields.
    pub const fn headers(&self) -> Fields<'b> {
        self.head.fields
    }

    /// The value of the first field of this name, if it is UTF-8.
    pub fn header(&self, name: &str) -> Option<&'b str> {
        self.head.fields.get_str(name)
    }

    /// The body's media type; `application/octet-stream` where none is given
    /// (RFC 9110 §8.3).
    pub fn content_type(&self) -> &'b str {
        self.header("content-type")
            .filter(|it| !it.is_empty())
            .unwrap_or("application/octet-stream")
    }

    /// The complete body. Empty if there is none, and while it is still to
    /// come ([`is_streamed`](Self::is_streamed)).
    pub const fn body(&self) -> &'b [u8] {
        self.body
    }

    /// Whether the body comes in pieces, to the object that the reply is
    /// [streamed](crate::app::Reply::stream) by.
    pub const fn is_streamed(&self) -> bool {
        self.follows.is_some()
    }

    /// The length of the body in bytes, where it is known.
    pub const fn content_length(&self) -> Option<u64> {
        match self.follows {
            Some(length) => length,
            None => Some(self.body.len() as u64),
        }
    }

    /// The client's address: the peer's, or the one that trusted proxies name
    /// ([`App::trust_proxies`](crate::app::App::trust_proxies)).
    pub const fn peer(&self) -> Option<Peer> {
        *self.peer
    }

    /// The trusted proxy that sent the request, where there is one. One that speaks
    /// the PROXY protocol alone is not seen here.
    pub fn proxy(&self) -> Option<Peer> {
        self.extensions().get().map(|told: &Provenance| told.proxy)
    }

    /// The scheme that the client used: `https` if the request came by TLS, or if a
    /// trusted proxy says so; else `http`.
    pub fn scheme(&self) -> &'static str {
        scheme_of(self.extensions(), self.tls)
    }

    /// Scheme and authority as the client has them, for references that must be absolute:
    /// `https://example.com`. `None` for a request without a host.
    ///
    /// ```
    /// use barewire::app::{App, Refusal};
    /// use barewire::http::Status;
    ///
    /// App::new().post("/orders", |request, reply| {
    ///     let base = request.base_url().ok_or(Status::BAD_REQUEST)?;
    ///     let reply = reply.status(Status::CREATED);
    ///     Ok::<_, Refusal>(reply.header("Location", format!("{base}/orders/7")).empty())
    /// });
    /// ```
    pub fn base_url(&self) -> Option<String> {
        let authority = self.authority()?;
        Some(alloc::format!("{}://{authority}", self.scheme()))
    }

    /// The TLS that the request came by: its version, the client's certificates and
    /// more. `None` if it came in the clear, also from a proxy that had it by TLS.
    #[cfg(feature = "tls")]
    pub fn tls(&self) -> Option<&'b crate::tls::Info> {
        self.tls.info()
    }

    /// The values that middleware has attached to the request with
    /// [`Incoming::insert`](crate::app::Incoming::insert): typed, and no client can
    /// forge them.
    pub fn extensions(&self) -> &'b Extensions {
        self.extensions.as_deref().unwrap_or(Extensions::none())
    }

    /// The span of the request, where [`Spans`](crate::app::Spans) open them; a disabled one
    /// otherwise. The route's closure runs inside it; work that goes on elsewhere enters it
    /// itself.
    ///
    /// ```
    /// use barewire::app::{App, Response, Route, Spans};
    ///
    /// App::new().with(Spans::new()).route(Route::get("/slow").blocking(|request| {
    ///     let span = request.span();
    ///     let _entered = span.enter();
    ///     tracing::info!("on a thread for blocking work");
    ///     Response::text("done")
    /// }));
    /// ```
    #[cfg(feature = "tracing")]
    pub fn span(&self) -> tracing::Span {
        let opened = self.extensions().get();
        opened.map_or_else(tracing::Span::none, |it: &RequestSpan| it.0.clone())
    }

    /// The value of this type that [`App::on_each_loop`](crate::app::App::on_each_loop)
    /// has made for the loop that serves the request.
    pub fn local<T: 'static>(&self) -> Option<&'b T> {
        self.locals.get()
    }

    /// The host and port that the request is meant for.
    pub fn authority(&self) -> Option<&'b str> {
        self.head.authority()
    }

    /// The version of HTTP.
    pub const fn version(&self) -> Version {
        self.head.version
    }

    /// The id of the last event that a client of an event stream has seen
    /// (WHATWG HTML §9.2.4).
    pub fn last_event_id(&self) -> Option<&'b str> {
        self.header("last-event-id")
    }

    /// The subprotocols that a request for a WebSocket offers, the client's
    /// favourite first (RFC 6455 §1.9).
    pub fn subprotocols(&self) -> impl Iterator<Item = &'b str> + use<'b> {
        let list = self.head.fields.list("sec-websocket-protocol");
        list.filter_map(|name| core::str::from_utf8(name).ok())
    }

    /// The head.
    pub const fn head(&self) -> &RequestHead<'b> {
        self.head
    }
}

/// The request line and the headers as text; the length of the body instead of the
/// body.
impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let params = self.params.names.iter();
        let params = params.map(|name| (name, self.param(name)));
        f.debug_struct("Request")
            .field("method", &self.method().as_str())
            .field("path", &self.path())
            .field("query", &self.query())
            .field("params", &Pairs(params))
            .field("version", &self.version())
            .field("peer", &self.peer())
            .field("fields", &self.headers())
            .field("content_length", &self.content_length())
            .field("extensions", self.extensions())
            .finish()
    }
}

/// Pairs that `Debug` shows as a map.
struct Pairs<I>(I);

impl<K: fmt::Debug, V: fmt::Debug, I: Iterator<Item = (K, V)> + Clone> fmt::Debug for Pairs<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.clone()).finish()
    }
}

/// The scheme that the client used.
pub(crate) fn scheme_of(extensions: &Extensions, tls: &RequestTls) -> &'static str {
    let told = extensions.get().and_then(|told: &Provenance| told.scheme);
    match told {
        Some(scheme) => scheme,
        None if tls.is_secure() => "https",
        None => "http",
    }
}

/// Makes one value of each loop.
pub(crate) type MakeLocal =
    Box<dyn Fn(&mut dyn AnyLoop, &mut Locals) -> Result<(), Error> + Send + Sync>;

/// The values of one loop, one of each type. They stay on its thread.
#[derive(Default)]
pub(crate) struct Locals {
    values: Vec<(TypeId, Box<dyn Any>)>, // few: looked through one by one
}

impl Locals {
    pub(crate) const fn new() -> Self {
        Self { values: Vec::new() }
    }

    pub(crate) fn insert<T: 'static>(&mut self, value: T) {
        let id = TypeId::of::<T>();
        self.values.retain(|(other, _)| *other != id);
        self.values.push((id, Box::new(value)));
    }

    pub(super) fn get<T: 'static>(&self) -> Option<&T> {
        let wanted = TypeId::of::<T>();
        let (_, found) = self.values.iter().find(|(id, _)| *id == wanted)?;
        found.downcast_ref()
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct RequestTls {
    #[cfg(feature = "tls")]
    info: Option<Arc<Info>>,
}

impl RequestTls {
    /// That of the connection at hand.
    #[inline(always)]
    pub(crate) fn of(context: &Context<'_>) -> Self {
        #[cfg(feature = "tls")]
        if let Some(details) = context.transport_details() {
            let info = details.clone().downcast().ok();
            return Self { info };
        }
        let _ = context;
        Self::default()
    }

    #[cfg(feature = "tls")]
    pub(crate) fn info(&self) -> Option<&Info> {
        self.info.as_deref()
    }

    #[cfg(feature = "tls")]
    const fn is_secure(&self) -> bool {
        self.info.is_some()
    }

    #[cfg(not(feature = "tls"))]
    #[expect(clippy::unused_self, reason = "as where there is TLS")]
    const fn is_secure(&self) -> bool {
        false
    }

    /// Whether this connection's certificate is not for the request's authority.
    #[inline(always)]
    pub(crate) fn is_misdirected(&self, head: &RequestHead<'_>) -> bool {
        #[cfg(feature = "tls")]
        if let Some(info) = &self.info {
            let host = head.fields.get("host");
            if head.target.authority().is_none() && host.is_some_and(|it| info.is_named(it)) {
                return false;
            }
            return head.authority().is_some_and(|it| !info.is_for(it));
        }
        let _ = head;
        false
    }
}
