//! The client that blocks.

use alloc::sync::Arc;

use super::as_url::AsUrl;
use super::builder::RequestBuilder;
use super::error::Error;
use super::metrics::Metrics;
use super::options::ClientOptions;
use super::request::OwnedMethod;
use super::shared_state::Shared;
#[cfg(feature = "graphql")]
use crate::http::FieldBuffer;
use crate::http::{InvalidMethod, Method};

/// The methods that begin a request, of the clients that block and of those on a loop.
macro_rules! request_methods {
    () => {
        /// Begins a GET (RFC 9110 §9.3.1).
        pub fn get(&self, url: impl AsUrl) -> RequestBuilder {
            self.begin(Ok(OwnedMethod::Named(Method::GET)), url)
        }

        /// Begins a HEAD (RFC 9110 §9.3.2).
        pub fn head(&self, url: impl AsUrl) -> RequestBuilder {
            self.begin(Ok(OwnedMethod::Named(Method::HEAD)), url)
        }

        /// Begins a POST (RFC 9110 §9.3.3).
        pub fn post(&self, url: impl AsUrl) -> RequestBuilder {
            self.begin(Ok(OwnedMethod::Named(Method::POST)), url)
        }

        /// Begins a PUT (RFC 9110 §9.3.4).
        pub fn put(&self, url: impl AsUrl) -> RequestBuilder {
            self.begin(Ok(OwnedMethod::Named(Method::PUT)), url)
        }

        /// Begins a PATCH (RFC 5789).
        pub fn patch(&self, url: impl AsUrl) -> RequestBuilder {
            self.begin(Ok(OwnedMethod::Named(Method::PATCH)), url)
        }

        /// Begins a DELETE (RFC 9110 §9.3.5).
        pub fn delete(&self, url: impl AsUrl) -> RequestBuilder {
            self.begin(Ok(OwnedMethod::Named(Method::DELETE)), url)
        }

        /// Begins a request of any method but CONNECT.
        pub fn request(&self, method: &str, url: impl AsUrl) -> RequestBuilder {
            self.begin(OwnedMethod::parse(method), url)
        }
    };
}
pub(super) use request_methods;

/// An HTTP client whose calls block the calling thread, and no other.
///
/// A clone shares connections and settings: make one, and give clones to threads. A
/// call needs no other thread: the one that calls writes the request and waits for the
/// response itself. On a thread that runs a loop it fails immediately.
///
/// ```no_run
/// use barewire::client::Client;
///
/// let client = Client::new();
/// let response = client.get("http://example.org/").send()?.error_for_status()?;
/// println!("{} in {:?}", response.status(), response.elapsed());
/// println!("{}", response.text()?);
/// # Ok::<(), barewire::client::Error>(())
/// ```
///
/// HTTP/2 is spoken where TLS agrees on it: the threads share one connection then, and one
/// of those that wait waits for all
/// ([`http2_prior_knowledge`](ClientOptions::http2_prior_knowledge) for servers of `http`).
///
/// # Connections at rest
///
/// Between calls no thread reads from a connection. One that is about to be used is
/// looked at first: one that its server has closed is of no use, nor is one on which
/// something came that no request has asked for, as it would be taken for the next
/// response. A request that may be repeated is sent again, once, on a fresh connection,
/// if the server closed the one at rest just then. [`close_idle`](Self::close_idle)
/// closes them all, and [`close_dead`](Self::close_dead) those that are of no use any
/// more. [`drive_in_background`](Self::drive_in_background) does that on a thread, for
/// servers that want their pings answered while nobody calls.
#[derive(Debug, Clone)]
pub struct Client(pub(super) Arc<Shared>);

impl Client {
    /// A client with [default options](ClientOptions::new).
    pub fn new() -> Self {
        Self(Arc::new(Shared::new(ClientOptions::new())))
    }

    /// A client with these options.
    ///
    /// # Errors
    /// The first fault of what was given: a URL that is not valid, a field that cannot
    /// stand on the wire.
    pub fn with(mut options: ClientOptions) -> Result<Self, Error> {
        match options.fault.take() {
            Some(fault) => Err(fault),
            None => Ok(Self(Arc::new(Shared::new(options)))),
        }
    }

    request_methods! {}

    fn begin(&self, method: Result<OwnedMethod, InvalidMethod>, url: impl AsUrl) -> RequestBuilder {
        RequestBuilder::new(self.0.clone(), method, url)
    }

    /// The fields that the handshake of a WebSocket has of the client's own.
    #[cfg(feature = "graphql")]
    pub(in crate::client) fn upgrade_fields(&self) -> &FieldBuffer {
        self.0.upgrade_fields()
    }

    #[cfg(all(feature = "graphql", feature = "cookies"))]
    pub(in crate::client) fn cookie_jar(&self) -> Option<Arc<crate::client::CookieJar>> {
        self.0.cookie_jar()
    }

    /// Closes all connections at rest.
    pub fn close_idle(&self) {
        self.0.pool.close_idle();
    }

    /// Closes the connections at rest that are too old, or that their server has closed.
    pub fn close_dead(&self) {
        self.0.pool.close_dead();
    }

    /// The counters so far.
    pub fn metrics(&self) -> Metrics {
        self.0.metrics(self.0.pool.counts())
    }
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}
