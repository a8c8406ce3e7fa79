//! The route of GraphQL.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use super::executor::{Executor, GraphQlConnection, OnConnect};
use super::over_events::Source;
use super::over_socket::GraphQlSocket;
use super::reserved::{Reserved, Single};
use super::shared::Shared;
use crate::app::event_streams::events_route::EventsRoute;
use crate::app::exchange::accept::Accept;
use crate::app::exchange::refusal::{Done, Refusal};
use crate::app::exchange::reply::Reply;
use crate::app::exchange::request::Request;
use crate::app::routes::endpoint::Endpoint;
use crate::app::routes::router::Verb;
use crate::app::routes::table::RouteKind;
use crate::app::serving::builder::App;
use crate::app::sockets::upgrade::WebSocketRoute;
use crate::graphql::socket::Protocol;
use crate::graphql::{Documents, Limits};
use crate::http::{Method, Status};
#[cfg(feature = "deflate")]
use crate::websocket::deflate::Policy;
#[cfg(feature = "deflate")]
use crate::wire::codec::Compression;

/// A route of GraphQL with options: one path for all its transports.
///
/// | request | answer |
/// |---|---|
/// | GET and POST (GraphQL over HTTP) | `application/graphql-response+json` or `application/json`, as Accept says |
/// | the same, with `text/event-stream` in Accept (graphql-sse) | an event for each response |
/// | PUT, then GET, POST and DELETE with a token (graphql-sse, single connection) | the responses of all operations, on one stream |
/// | a WebSocket that speaks `graphql-transport-ws` or `graphql-ws` | its messages |
/// | a mutation by GET, another method | 405 |
/// | a POST that is no JSON; a form (where [uploads](Limits::uploads) are taken) without a header that a browser asks for first | 415 |
/// | a WebSocket of another page's | 403 |
/// | an operation that takes longer than its [time](Self::timeout) | an error of GraphQL, with 504 |
///
/// ```
/// # use barewire::app::{Executor, GraphQlResponse, Operation};
/// # struct Hello;
/// # impl Executor for Hello {
/// #     async fn execute(&self, _: Operation) -> GraphQlResponse {
/// #         GraphQlResponse::new(r#"{"data":null}"#.into(), true)
/// #     }
/// # }
/// use barewire::app::{App, GraphQl};
/// use barewire::graphql::{Documents, Limits};
///
/// let mut documents = Documents::new();
/// documents.trust("hello", "{ hello }");
/// let route = GraphQl::new(Hello)
///     .limits(Limits::DEFAULT.with_batch(10))
///     .documents(documents)
///     .origins(["https://example.com"]);
/// App::new().graphql("/graphql", route);
/// ```
pub struct GraphQl<E> {
    executor: E,
    limits: Limits,
    documents: Documents,
    time: Duration,
    origins: Option<Vec<String>>,
    #[cfg(feature = "deflate")]
    deflate: Option<(Policy, Compression)>,
}

impl<E> fmt::Debug for GraphQl<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            limits,
            time,
            origins,
            ..
        } = self;
        f.debug_struct("GraphQl")
            .field("limits", limits)
            .field("timeout", time)
            .field("origins", origins)
            .finish_non_exhaustive()
    }
}

impl<E: Executor> GraphQl<E> {
    /// A route with the default options, on which pages of its own origin open WebSockets.
    pub fn new(executor: E) -> Self {
        Self {
            executor,
            limits: Limits::DEFAULT,
            documents: Documents::new(),
            time: Duration::from_secs(30),
            origins: None,
            #[cfg(feature = "deflate")]
            deflate: None,
        }
    }

    /// Accepts clients that open WebSockets, or refuses them with 4403 and a reason, in place
    /// of the executor's own [`connect`](Executor::connect). It may wait, for a database or
    /// another server: the limit on that is [`Limits::init_time`].
    ///
    /// ```
    /// # use barewire::app::{App, Executor, GraphQl, GraphQlResponse, Operation};
    /// # struct Hello;
    /// # impl Executor for Hello {
    /// #     async fn execute(&self, _: Operation) -> GraphQlResponse {
    /// #         GraphQlResponse::new(r#"{"data":null}"#.into(), true)
    /// #     }
    /// # }
    /// use barewire::app::GraphQlConnection;
    ///
    /// /// Who a client is: operations find this among their extensions.
    /// struct User(String);
    ///
    /// /// Stands for a question to a database.
    /// async fn user_of(payload: &str) -> Option<User> {
    ///     (payload == r#"{"token":"secret"}"#).then(|| User("Ann".into()))
    /// }
    ///
    /// let route = GraphQl::new(Hello).on_connect(async |client: &mut GraphQlConnection| {
    ///     let payload = client.payload.clone().unwrap_or_default();
    ///     let user = user_of(&payload).await.ok_or("who are you?")?;
    ///     client.insert(user);
    ///     Ok(None)
    /// });
    /// App::new().graphql("/graphql", route);
    /// ```
    #[must_use]
    pub fn on_connect<F>(self, accept: F) -> GraphQl<impl Executor>
    where
        F: AsyncFn(&mut GraphQlConnection) -> Result<Option<String>, String>
            + Send
            + Sync
            + 'static,
    {
        GraphQl {
            executor: OnConnect {
                executor: self.executor,
                accept,
            },
            limits: self.limits,
            documents: self.documents,
            time: self.time,
            origins: self.origins,
            #[cfg(feature = "deflate")]
            deflate: self.deflate,
        }
    }

    /// What one client may send and have executed.
    #[must_use]
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The documents that clients may name, or to which they are bound.
    #[must_use]
    pub fn documents(mut self, documents: Documents) -> Self {
        self.documents = documents;
        self
    }

    /// How long a query or a mutation may take. Default 30 s.
    #[must_use]
    pub const fn timeout(mut self, time: Duration) -> Self {
        self.time = time;
        self
    }

    /// Lets pages of these origins open WebSockets, beside those of its own: see
    /// [`WebSocketRoute::origins`].
    #[must_use]
    pub fn origins<O: Into<String>>(mut self, origins: impl IntoIterator<Item = O>) -> Self {
        self.origins = Some(origins.into_iter().map(Into::into).collect());
        self
    }

    /// Compresses messages of WebSockets for clients that offer permessage-deflate: see
    /// [`WebSocketRoute::deflate`]. Without this nothing is.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub const fn deflate(mut self, policy: Policy, compression: Compression) -> Self {
        self.deflate = Some((policy, compression));
        self
    }
}

/// A route as it is served.
pub(super) struct Route<E: Executor> {
    pub(super) shared: Arc<Shared<E>>,
    pub(super) reserved: Reserved,
    pub(super) events: EventsRoute<Source<E>>,
    sockets: WebSocketRoute<GraphQlSocket<E>>,
}

impl<E: Executor> Route<E> {
    /// Opens the stream of a token.
    pub(super) fn open_reserved(
        &self,
        token: &str,
        request: &Request<'_>,
        reply: Reply<'_, '_>,
    ) -> Result<Done, Refusal> {
        let single = Single::new(self.shared.clone(), self.reserved.clone(), token);
        let accept = Accept::new(Source::Single(single));
        self.events.begin(accept, request, reply)
    }

    fn answer(&self, request: &Request<'_>, reply: Reply<'_, '_>) -> Result<Done, Refusal> {
        let asks = request.head().protocol.is_some()
            || request.headers().list_contains("upgrade", "websocket");
        match asks && matches!(request.method(), Method::GET | Method::CONNECT) {
            true => self.sockets.answer(request, reply),
            false => self.answer_http(request, reply),
        }
    }
}

impl App {
    /// Serves GraphQL, by all its transports.
    #[must_use]
    pub fn graphql<E: Executor>(mut self, pattern: &str, route: GraphQl<E>) -> Self {
        let GraphQl {
            executor,
            limits,
            documents,
            time,
            origins,
            #[cfg(feature = "deflate")]
            deflate,
        } = route;
        let shared = Arc::new(Shared::new(executor, limits, documents, time));
        let of_socket = shared.clone();
        let names = Protocol::ALL.map(Protocol::name);
        let mut sockets = WebSocketRoute::new(move |request: &Request<'_>| {
            Ok(GraphQlSocket::new(
                of_socket.clone(),
                request.extensions.clone(),
            ))
        })
        .protocols(names);
        if let Some(origins) = origins {
            sockets = sockets.origins(origins);
        }
        #[cfg(feature = "deflate")]
        if let Some((policy, compression)) = deflate {
            sockets = sockets.deflate(policy, compression);
        }
        let sockets = self.prepare_websocket(sockets);
        let route = Arc::new(Route {
            shared,
            reserved: Reserved::default(),
            // Its streams are opened by what a request asks for.
            events: EventsRoute::new(|_| Err(Status::NOT_FOUND.into())),
            sockets,
        });
        for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE] {
            let route = route.clone();
            let endpoint = Endpoint::new(move |request, reply| route.answer(request, reply));
            let endpoint = endpoint.collecting(limits.message);
            let endpoint = match method {
                Method::GET => endpoint.upgrading(),
                _ => endpoint,
            };
            self = self.serve(
                RouteKind::GraphQl,
                Verb::One(method.as_str().into()),
                pattern,
                endpoint,
            );
        }
        self
    }
}
