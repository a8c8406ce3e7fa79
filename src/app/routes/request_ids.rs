//! Ids of requests, and traces across services.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::middleware::{Incoming, Middleware, Next};
use crate::app::exchange::reply::Reply;
use crate::app::exchange::request_id::RequestId;
use crate::http::{Field, TraceContext};
use crate::net::{Error, Network};

/// Gives every request an id: for the log, and for the client, who reads it in the
/// response's `X-Request-Id` and can name it.
///
/// An id that a trusted proxy has sent ([`App::trust_proxies`](crate::app::App::trust_proxies)),
/// or a peer of the [networks trusted](Self::trust) here, is kept; any other, a malformed one
/// and one of several are replaced by 32 hexadecimal digits, drawn at random.
///
/// ```
/// use barewire::app::{App, RequestIds};
///
/// App::new().with(RequestIds::new()).get("/", |request, reply| {
///     reply.text(request.request_id().unwrap_or_default())
/// });
/// ```
#[derive(Debug, Clone)]
pub struct RequestIds {
    header: Cow<'static, str>,
    trusted: Vec<Network>,
}

impl Default for RequestIds {
    fn default() -> Self {
        Self::new()
    }
}

impl RequestIds {
    /// Ids in `X-Request-Id`.
    pub const fn new() -> Self {
        Self {
            header: Cow::Borrowed("X-Request-Id"),
            trusted: Vec::new(),
        }
    }

    /// Keeps ids from these networks as well, such as those of one's own services.
    #[must_use]
    pub fn trust(mut self, networks: impl IntoIterator<Item = Network>) -> Self {
        self.trusted.extend(networks);
        self
    }

    /// Reads and writes another field.
    #[must_use]
    pub fn header(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.header = name.into();
        self
    }
}

impl Middleware for RequestIds {
    fn before(&self, request: &mut Incoming<'_, '_>, mut reply: Reply<'_, '_>) -> Next {
        let sent = is_from(request, &self.trusted).then(|| {
            let fields = request.headers();
            let mut sent = fields.get_all(&self.header);
            let (first, second) = (sent.next()?, sent.next());
            let text = core::str::from_utf8(first).ok();
            text.filter(|_| second.is_none()).and_then(RequestId::new)
        });
        let id = sent
            .flatten()
            .unwrap_or_else(|| RequestId::of_random(random(&mut reply)));
        drop(reply.header(&self.header, id.as_str()));
        request.insert(id);
        Next::Continue
    }

    fn ready(&self) -> Result<(), Error> {
        let field = Field {
            name: self.header.as_bytes(),
            value: b"a",
        };
        field
            .check()
            .map_err(|_| Error::Config("ids of requests need the name of a field"))
    }
}

/// Follows traces (W3C Trace Context): a request continues the trace of its `traceparent`, or
/// begins a new one, with a span of its own; [`Request::trace`](crate::app::Request::trace)
/// is to be passed on to what it calls.
///
/// ```
/// use barewire::app::{App, Response, Route, Traces};
/// # #[cfg(feature = "client")]
/// use barewire::client::Client;
///
/// # #[cfg(feature = "client")] {
/// let client = Client::new();
/// App::new().with(Traces::new()).route(Route::get("/prices").blocking(move |request| {
///     let mut upstream = client.get("http://127.0.0.1:9000/prices");
///     if let Some(trace) = request.trace() {
///         upstream = upstream.trace(trace);
///     }
///     match upstream.send().and_then(|it| it.text()) {
///         Ok(prices) => Response::text(prices),
///         Err(error) => Response::text(error.to_string()),
///     }
/// }));
/// # }
/// ```
///
/// A service at the edge, which strangers ask, may begin a trace of its own for each:
/// [`continuing_from`](Self::continuing_from).
#[derive(Debug, Clone, Default)]
pub struct Traces {
    sample: bool,
    trusted: Option<Vec<Network>>,
}

impl Traces {
    /// Continues every trace. New ones are not marked as sampled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Marks new traces as sampled: what is called is asked to record them.
    #[must_use]
    pub const fn sampled(mut self) -> Self {
        self.sample = true;
        self
    }

    /// Continues the traces of requests from these networks and from trusted proxies alone.
    #[must_use]
    pub fn continuing_from(mut self, networks: impl IntoIterator<Item = Network>) -> Self {
        self.trusted.get_or_insert_default().extend(networks);
        self
    }
}

impl Middleware for Traces {
    fn before(&self, request: &mut Incoming<'_, '_>, mut reply: Reply<'_, '_>) -> Next {
        let trusted = self.trusted.as_ref();
        let caller = trusted
            .is_none_or(|networks| is_from(request, networks))
            .then(|| TraceContext::of(&request.headers()))
            .flatten();
        let span = random(&mut reply);
        let context = match caller {
            Some(caller) => caller.child(span),
            None => TraceContext::new(random(&mut reply), span, self.sample),
        };
        // Zeros do not come by chance.
        if let Ok(context) = context {
            request.insert(context);
        }
        Next::Continue
    }
}

/// Whether a trusted proxy has sent it, or a peer of these networks.
fn is_from(request: &Incoming<'_, '_>, networks: &[Network]) -> bool {
    let ip = request.peer().and_then(|peer| peer.ip());
    let is_ours = ip.is_some_and(|ip| networks.iter().any(|it| it.contains(ip)));
    is_ours || request.proxy().is_some()
}

/// Bytes that nobody can predict.
fn random<const N: usize>(reply: &mut Reply<'_, '_>) -> [u8; N] {
    let mut bytes = [0; N];
    for part in bytes.chunks_mut(4) {
        let drawn = reply.at().context.random_bytes();
        part.copy_from_slice(drawn.get(..part.len()).unwrap_or_default());
    }
    bytes
}
