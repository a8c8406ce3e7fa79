//! A request, as a route sees it.

use alloc::borrow::Cow;
use alloc::sync::Arc;
use core::fmt;

use super::extensions::Extensions;
use super::params::Params;
use super::path::Path;
use super::request_tls::RequestTls;
use crate::http::target::{Plus, percent_decode, query_pairs};
use crate::http::{Fields, Method, RequestHead, Version};
use crate::net::Peer;

/// A request: its head, and its body as far as it has been received.
pub struct Request<'b> {
    pub(in crate::app) head: &'b RequestHead<'b>,
    pub(in crate::app) path: &'b Path,
    pub(in crate::app) params: &'b Params<'b>,
    pub(in crate::app) body: &'b [u8],
    /// The body is still to come, with its length where it is known.
    pub(in crate::app) follows: Option<Option<u64>>,
    pub(in crate::app) peer: &'b Option<Peer>,
    pub(in crate::app) tls: &'b RequestTls,
    pub(in crate::app) extensions: &'b Option<Arc<Extensions>>,
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

    /// What the route's pattern calls `{name}` or `{*name}`, percent-decoded;
    /// empty where it has no such parameter.
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

    /// The peer's address.
    pub const fn peer(&self) -> Option<Peer> {
        *self.peer
    }

    /// The TLS that the request came by: its version, the client's certificates and
    /// more. `None` if it came in the clear, also from a proxy that had it by TLS.
    #[cfg(feature = "tls")]
    pub fn tls(&self) -> Option<&'b crate::tls::Info> {
        self.tls.info()
    }

    /// What middleware has put to the request with
    /// [`Incoming::insert`](crate::app::Incoming::insert): typed values that no
    /// client can forge.
    pub fn extensions(&self) -> &'b Extensions {
        self.extensions.as_deref().unwrap_or(Extensions::none())
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

/// What was asked for, with names and values as text; the length of the body
/// instead of the body.
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
