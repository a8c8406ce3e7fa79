//! How a client of GraphQL asks.

use alloc::string::String;
use alloc::sync::Arc;

use crate::client::{Closed, ComeBack, EventSourceLimits, WebSocketOptions};
use crate::graphql::Limits;
use crate::graphql::socket::CloseCode;
use crate::wire::partly_shown;

/// Over what subscriptions come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GraphQlTransport {
    /// One WebSocket for all: `graphql-transport-ws`, or the legacy `graphql-ws` where the
    /// server chooses that.
    #[default]
    WebSocket,
    /// An event stream for each (graphql-sse, distinct connections).
    Events,
}

/// Whether the WebSocket's handshake has the HTTP client's cookies and `Authorization`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GraphQlCredentials {
    /// Never.
    Omit,
    /// If its URL has the scheme, host and port of the requests', `wss` being `https`.
    #[default]
    SameOrigin,
    /// Wherever it goes.
    Include,
}

type Init = Arc<dyn Fn() -> Result<String, serde_json::Error> + Send + Sync>;

/// How a client of GraphQL asks.
///
/// ```
/// use barewire::client::{GraphQlOptions, GraphQlTransport};
///
/// let options = GraphQlOptions::new()
///     .get_queries()
///     .persisted_queries()
///     .connection_init(|| std::collections::BTreeMap::from([("token", "secret")]));
/// let by_events = GraphQlOptions::new().transport(GraphQlTransport::Events);
/// ```
#[derive(Clone)]
pub struct GraphQlOptions {
    pub(super) transport: GraphQlTransport,
    pub(super) get_queries: bool,
    pub(super) persisted: bool,
    pub(super) socket_url: Option<String>,
    pub(super) socket: WebSocketOptions,
    pub(super) credentials: GraphQlCredentials,
    pub(super) init: Option<Init>,
    pub(super) attempts: Option<u32>,
    pub(super) limits: Limits,
    pub(super) events: EventSourceLimits,
    pub(super) waiting: usize,
}

impl GraphQlOptions {
    /// POST for everything, subscriptions over a WebSocket at the same URL, and any number
    /// of attempts to reconnect.
    pub fn new() -> Self {
        Self {
            transport: GraphQlTransport::WebSocket,
            get_queries: false,
            persisted: false,
            socket_url: None,
            socket: WebSocketOptions::new(),
            credentials: GraphQlCredentials::SameOrigin,
            init: None,
            attempts: None,
            limits: Limits::DEFAULT.with_message(16 << 20),
            events: EventSourceLimits::DEFAULT,
            waiting: 1_024,
        }
    }

    /// Sets over what subscriptions come.
    #[must_use]
    pub const fn transport(mut self, transport: GraphQlTransport) -> Self {
        self.transport = transport;
        self
    }

    /// Asks for queries by GET, so that they can be cached.
    #[must_use]
    pub const fn get_queries(mut self) -> Self {
        self.get_queries = true;
        self
    }

    /// Names documents by their SHA-256, and sends them where the server does not know them
    /// (automatic persisted queries). Operations with extensions of their own, and batches,
    /// send their documents.
    #[must_use]
    pub const fn persisted_queries(mut self) -> Self {
        self.persisted = true;
        self
    }

    /// Sets the URL of the WebSocket, of `ws` or `wss`.
    #[must_use]
    pub fn socket_url(mut self, url: impl Into<String>) -> Self {
        self.socket_url = Some(url.into());
        self
    }

    /// Sets how the WebSocket is opened. Its subprotocols are set by this client. On a loop
    /// [`LoopWebSockets`](crate::client::LoopWebSockets) has them.
    #[must_use]
    pub fn socket(mut self, options: WebSocketOptions) -> Self {
        self.socket = options;
        self
    }

    /// Sets whether the WebSocket's handshake has the HTTP client's credentials. Other
    /// fields of that client it always has.
    #[must_use]
    pub const fn credentials(mut self, credentials: GraphQlCredentials) -> Self {
        self.credentials = credentials;
        self
    }

    /// Sets what `connection_init` says, a value that is a JSON object. It is asked anew for
    /// each connection, before the attempt.
    #[must_use]
    pub fn connection_init<T: serde::Serialize>(
        mut self,
        payload: impl Fn() -> T + Send + Sync + 'static,
    ) -> Self {
        self.init = Some(Arc::new(move || serde_json::to_string(&payload())));
        self
    }

    /// Gives up once so many attempts to connect have failed in a row: see
    /// [`ReconnectOptions::attempts`](crate::client::ReconnectOptions::attempts).
    #[must_use]
    pub const fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = Some(attempts);
        self
    }

    /// Sets the limits on what a server sends over the WebSocket. A message may have 16 MiB
    /// by default.
    #[must_use]
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the limits of event streams.
    #[must_use]
    pub const fn event_limits(mut self, limits: EventSourceLimits) -> Self {
        self.events = limits;
        self
    }

    /// Sets how many results of a [`Subscription`](super::GraphQlSubscription) may wait to
    /// be read, 1,024 by default, and together [`Limits::message`] bytes. One more ends it.
    #[must_use]
    pub const fn waiting(mut self, results: usize) -> Self {
        self.waiting = results;
        self
    }

    /// When to come back: not after a code that [says](CloseCode::is_fatal) that it would be
    /// in vain.
    pub(super) fn come_back(closed: &Closed) -> ComeBack {
        match closed {
            Closed::ByPeer { code, .. } if CloseCode::is_fatal(code.get()) => ComeBack::Never,
            // A server that goes away closes normally.
            Closed::ByPeer { code, .. } if code.get() == 1000 => ComeBack::Retry,
            closed => ComeBack::after(closed),
        }
    }
}

impl Default for GraphQlOptions {
    fn default() -> Self {
        Self::new()
    }
}

partly_shown!(it: GraphQlOptions { transport, get_queries, persisted, socket_url, credentials, attempts, waiting });
