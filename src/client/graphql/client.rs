//! A client of GraphQL whose calls block.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::error::Error as StdError;
use core::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::asking::{Asking, read, read_batch};
use super::session::{Introduction, Operations, TalkCell, Translate};
use super::subscription::{Feed, GraphQlStopper, GraphQlSubscription, event_options};
use super::{GraphQlError, GraphQlOperation, GraphQlOptions, GraphQlResponse, GraphQlTransport};
use crate::client::{
    Client, ConnectAttempt, ReconnectLimits, ReconnectOptions, Reconnecting, RequestBuilder,
    Response, Url, WebSocketOptions,
};
use crate::graphql::socket;
use crate::http::Status;
use crate::net::is_loop_thread;
use crate::websocket::CloseCode;

/// A client of GraphQL whose calls block the calling thread: queries and mutations over
/// HTTP, subscriptions over one WebSocket for all or over event streams. Clones are the same
/// client.
///
/// ```no_run
/// use barewire::client::{GraphQl, GraphQlEvent, GraphQlOperation};
/// use std::collections::BTreeMap;
///
/// let client = GraphQl::new("http://127.0.0.1:4000/graphql")?;
/// let hello: BTreeMap<String, String> = client.query("{ hello }")?;
///
/// let add = "mutation Add($text: String!) { add(text: $text) }";
/// let add = GraphQlOperation::new(add).variables(&BTreeMap::from([("text", "Hello")]))?;
/// let added: BTreeMap<String, u32> = client.mutation(add)?;
///
/// for event in client.subscribe("subscription { added }")? {
///     match event? {
///         GraphQlEvent::Next(response) => println!("{:?}", response.json()),
///         _ => println!("some may be missing"),
///     }
/// }
/// # Ok::<(), barewire::client::GraphQlError>(())
/// ```
///
/// # Errors
/// [`GraphQlError`] keeps apart whether there was a response, whether it was one of GraphQL,
/// and whether that has errors; then its data can still be read:
///
/// ```no_run
/// use barewire::client::{GraphQl, GraphQlError};
///
/// # let client = GraphQl::new("http://127.0.0.1:4000/graphql")?;
/// match client.query::<u32>("{ a }") {
///     Ok(data) => println!("{data}"),
///     Err(GraphQlError::Response(response)) => {
///         println!("{response}; what there is: {:?}", response.json());
///     }
///     Err(error) => println!("{error}"),
/// }
/// # Ok::<(), barewire::client::GraphQlError>(())
/// ```
#[derive(Clone)]
pub struct GraphQl {
    shared: Arc<Shared>,
}

/// What all clones share.
pub(super) struct Shared {
    http: Client,
    asking: Asking,
    /// The WebSocket, from the first subscription on.
    session: Mutex<Option<Session>>,
}

struct Session {
    socket: Reconnecting,
    operations: Arc<Operations<Feed>>,
}

impl GraphQl {
    /// A client of the server at this URL of `http` or `https`, by an HTTP client of its own.
    ///
    /// # Errors
    /// [`GraphQlError::Url`].
    pub fn new(url: &str) -> Result<Self, GraphQlError> {
        Self::with(&Client::new(), url, GraphQlOptions::new())
    }

    /// A client that asks by this HTTP client, with its fields, cookies and limits.
    ///
    /// # Errors
    /// [`GraphQlError::Url`].
    pub fn with(http: &Client, url: &str, options: GraphQlOptions) -> Result<Self, GraphQlError> {
        let shared = Shared {
            http: http.clone(),
            asking: Asking::new(url, options)?,
            session: Mutex::new(None),
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// Runs a query. It may be sent again where its connection was lost.
    ///
    /// # Errors
    /// [`GraphQlError`]; [`GraphQlError::Response`] also where there is data beside errors.
    pub fn query<T: serde::de::DeserializeOwned>(
        &self,
        operation: impl Into<GraphQlOperation>,
    ) -> Result<T, GraphQlError> {
        self.execute(operation.into(), true)?.into_data()
    }

    /// Runs a mutation. It is sent by POST, and never twice.
    ///
    /// # Errors
    /// Those of [`query`](Self::query).
    pub fn mutation<T: serde::de::DeserializeOwned>(
        &self,
        operation: impl Into<GraphQlOperation>,
    ) -> Result<T, GraphQlError> {
        self.execute(operation.into(), false)?.into_data()
    }

    /// Runs several operations by one request. The server has to allow batches.
    ///
    /// # Errors
    /// [`GraphQlError`] of the request; [`GraphQlError::Response`] if it was answered by one
    /// response of errors.
    pub fn batch(
        &self,
        operations: &[GraphQlOperation],
    ) -> Result<Vec<GraphQlResponse>, GraphQlError> {
        let asked = self.shared.asking.batch(self.begin(), operations);
        let (status, content_type, body) = take(asked.send()?)?;
        read_batch(status, content_type.as_deref(), body, operations.len())
    }

    fn execute(
        &self,
        operation: GraphQlOperation,
        is_query: bool,
    ) -> Result<GraphQlResponse, GraphQlError> {
        let asking = &self.shared.asking;
        let (first, second) = asking.attempts(operation);
        let ask = |operation, by_get| {
            let asked = asking.one(self.begin(), operation, is_query, by_get);
            let (status, content_type, body) = take(asked.send()?)?;
            read(status, content_type.as_deref(), body)
        };
        let response = ask(&first, asking.options.get_queries)?;
        match second {
            Some(second) if response.lacks_document() => ask(&second, false),
            _ => Ok(response),
        }
    }

    fn begin(&self) -> impl Fn(&str, &Url) -> RequestBuilder + '_ {
        |method, url| self.shared.http.request(method, url)
    }

    /// Subscribes. The WebSocket is opened by the first subscription, on a thread of its own,
    /// and serves all; after a connection was lost they are made again.
    ///
    /// # Errors
    /// [`GraphQlError::Socket`], [`GraphQlError::Full`], [`GraphQlError::OnLoop`]; what goes
    /// wrong later is an item of the iterator.
    pub fn subscribe(
        &self,
        operation: impl Into<GraphQlOperation>,
    ) -> Result<GraphQlSubscription, GraphQlError> {
        if is_loop_thread() {
            return Err(GraphQlError::OnLoop);
        }
        let (operation, asking) = (operation.into(), &self.shared.asking);
        if asking.options.transport == GraphQlTransport::Events {
            let asked = asking.stream(self.begin(), &operation);
            return GraphQlSubscription::of_events(asked, event_options(&asking.options));
        }
        let mut place = self.shared.lock();
        let session = match place.take() {
            Some(session) if session.operations.talk.lock().over.is_none() => session,
            _ => self.shared.connect()?,
        };
        let Session { socket, operations } = place.insert(session);
        let feed = Feed::new(asking.options.waiting, asking.options.limits.message);
        let (operations, socket) = (operations.clone(), socket.sender().clone());
        let id = operations.subscribe(&socket, operation, feed.clone())?;
        let stopper = GraphQlStopper::of_socket(operations, socket, id);
        Ok(GraphQlSubscription::of_socket(
            feed,
            stopper,
            self.shared.clone(),
        ))
    }
}

impl fmt::Debug for GraphQl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GraphQl").field(&self.shared.asking).finish()
    }
}

type Asked = Result<(String, WebSocketOptions), alloc::boxed::Box<dyn StdError + Send + Sync>>;

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Option<Session>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connect(&self) -> Result<Session, GraphQlError> {
        let (asking, http) = (self.asking.clone(), self.http.clone());
        let talk = TalkCell::new(asking.options.limits);
        let operations = Operations::new(talk.clone());
        let options = reconnect(&asking, &talk);
        let ask = move |_: &ConnectAttempt| -> Asked {
            let init = asking
                .options
                .init
                .as_ref()
                .map(|init| init())
                .transpose()?;
            let mut talk = talk.lock();
            talk.init = init;
            let offers = talk.offers();
            drop(talk);
            let socket =
                asking.upgrade(asking.options.socket.clone(), offers, http.upgrade_fields())?;
            #[cfg(feature = "cookies")]
            let socket = asking.share_cookies(socket, http.cookie_jar());
            Ok((asking.socket_url.as_str().into(), socket))
        };
        let translate = Translate(operations.clone());
        let socket = Reconnecting::connect_by(ask, options, translate)?;
        Ok(Session { socket, operations })
    }
}

/// How the WebSocket reconnects.
pub(super) fn reconnect(asking: &Asking, talk: &Arc<TalkCell>) -> ReconnectOptions {
    let overdue = socket::CloseCode::ConnectionAcknowledgementTimeout;
    let limits = ReconnectLimits::DEFAULT.with_resume(asking.options.limits.ack_time);
    let options = ReconnectOptions::new()
        .limits(limits)
        .close_overdue(CloseCode::new(overdue.code()), overdue.reason())
        .resume(Introduction(talk.clone()));
    let talk = talk.clone();
    let options = options.come_back(move |closed| talk.lock().come_back(closed));
    match asking.options.attempts {
        Some(attempts) => options.attempts(attempts),
        None => options,
    }
}

type Taken = (Status, Option<String>, String);

fn take(response: Response) -> Result<Taken, GraphQlError> {
    let content_type = response.header("content-type").map(String::from);
    Ok((response.status(), content_type, response.text()?))
}
