//! A client of GraphQL on a loop.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::error::Error as StdError;
use core::fmt;

use super::asking::{Asking, read, read_batch};
use super::client::reconnect;
use super::session::{Operations, Receiver, TalkCell, Translate};
use super::subscription::event_options;
use super::{GraphQlError, GraphQlOperation, GraphQlOptions, GraphQlResponse};
use crate::client::{
    ConnectAttempt, Error, EventListener, EventSourceEnd, EventSourceError, LoopClient,
    LoopEventSource, LoopReconnecting, LoopWebSockets, MessageEvent, RequestBuilder, Url,
    WebSocketOptions, WholeResponse,
};
use crate::graphql::sse::StreamEvent;
use crate::http::Status;
use crate::net::AnyLoop;

/// A listener of one subscription on a loop, called on the loop's thread.
///
/// ```
/// use barewire::client::{GraphQlListener, GraphQlResponse};
///
/// struct Print;
///
/// impl GraphQlListener for Print {
///     fn next(&mut self, response: GraphQlResponse) {
///         println!("{:?}", response.json());
///     }
/// }
/// ```
#[expect(unused_variables, reason = "the names are the documentation")]
pub trait GraphQlListener: 'static {
    /// A result has come.
    fn next(&mut self, response: GraphQlResponse);

    /// The connection was lost, and the subscription was made again: events may be missing
    /// between the last result and the next.
    fn resubscribed(&mut self) {}

    /// It is over: the server has completed it, it was stopped, or why it has failed. Nothing
    /// follows.
    fn ended(&mut self, end: Result<(), GraphQlError>) {}
}

struct Listener(Box<dyn GraphQlListener>);

impl Receiver for Listener {
    fn next(&mut self, response: GraphQlResponse) -> bool {
        self.0.next(response);
        true
    }

    fn resubscribed(&mut self) {
        self.0.resubscribed();
    }

    fn ended(mut self, end: Result<(), GraphQlError>) {
        self.0.ended(end);
    }
}

/// A client of GraphQL on a loop: a [`GraphQl`](super::GraphQl) for a thread that must not
/// wait. Clones are the same client.
///
/// ```no_run
/// use barewire::client::{ClientOptions, GraphQlListener, GraphQlOptions, GraphQlResponse};
/// use barewire::client::{LoopClient, LoopGraphQl, LoopWebSockets, WebSocketOptions};
/// use barewire::net::{Limits, Loop};
///
/// struct Print;
///
/// impl GraphQlListener for Print {
///     fn next(&mut self, response: GraphQlResponse) {
///         println!("{:?}", response.json());
///     }
/// }
///
/// let mut events = Loop::new(Limits::DEFAULT)?;
/// let http = LoopClient::on(&mut events, ClientOptions::new())?;
/// let sockets = LoopWebSockets::on(&mut events, WebSocketOptions::new());
/// let url = "http://127.0.0.1:4000/graphql";
/// let client = LoopGraphQl::new(&http, &sockets, url, GraphQlOptions::new())?;
/// client.query("{ hello }", |response| println!("{response:?}"));
/// client.subscribe("subscription { added }", Print)?;
/// events.run()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct LoopGraphQl {
    shared: Rc<Shared>,
}

struct Shared {
    http: LoopClient,
    sockets: LoopWebSockets,
    asking: Asking,
    session: RefCell<Option<Session>>,
}

struct Session {
    socket: LoopReconnecting,
    operations: Arc<Operations<Listener>>,
}

/// A subscription of a [`LoopGraphQl`], which goes on when this is dropped.
#[derive(Clone)]
pub struct GraphQlHandle {
    operations: Arc<Operations<Listener>>,
    socket: LoopReconnecting,
    id: u64,
}

impl GraphQlHandle {
    /// Stops it: the server is told so, and its listener that it is over.
    pub fn stop(&self) {
        self.operations.stop(&self.socket, self.id);
    }
}

impl fmt::Debug for GraphQlHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GraphQlHandle").field(&self.id).finish()
    }
}

type Asked = Result<(String, WebSocketOptions), Box<dyn StdError>>;

impl LoopGraphQl {
    /// A client of the server at this URL of `http` or `https`, which asks by this HTTP
    /// client and opens its WebSocket as `sockets` have it.
    ///
    /// # Errors
    /// [`GraphQlError::Url`].
    pub fn new(
        http: &LoopClient,
        sockets: &LoopWebSockets,
        url: &str,
        options: GraphQlOptions,
    ) -> Result<Self, GraphQlError> {
        let shared = Shared {
            http: http.clone(),
            sockets: sockets.clone(),
            asking: Asking::new(url, options)?,
            session: RefCell::new(None),
        };
        Ok(Self {
            shared: Rc::new(shared),
        })
    }

    /// Runs a query, and has `done` called with its response, or with why there is none. It
    /// may be sent again where its connection was lost.
    pub fn query(
        &self,
        operation: impl Into<GraphQlOperation>,
        done: impl FnOnce(Result<GraphQlResponse, GraphQlError>) + 'static,
    ) {
        self.execute(operation.into(), true, done);
    }

    /// Runs a mutation likewise. It is sent by POST, and never twice.
    pub fn mutation(
        &self,
        operation: impl Into<GraphQlOperation>,
        done: impl FnOnce(Result<GraphQlResponse, GraphQlError>) + 'static,
    ) {
        self.execute(operation.into(), false, done);
    }

    /// Runs several operations by one request. The server has to allow batches.
    pub fn batch(
        &self,
        operations: &[GraphQlOperation],
        done: impl FnOnce(Result<Vec<GraphQlResponse>, GraphQlError>) + 'static,
    ) {
        let count = operations.len();
        let asked = self.shared.asking.batch(self.begin(), operations);
        self.shared.http.send_then(asked, move |answer| {
            done(take(answer).and_then(|(status, content_type, body)| {
                read_batch(status, content_type.as_deref(), body, count)
            }));
        });
    }

    fn execute(
        &self,
        operation: GraphQlOperation,
        is_query: bool,
        done: impl FnOnce(Result<GraphQlResponse, GraphQlError>) + 'static,
    ) {
        let by_get = self.shared.asking.options.get_queries;
        match self.shared.asking.attempts(operation) {
            (only, None) => self.ask(&only, is_query, by_get, done),
            (first, Some(second)) => {
                let client = self.clone();
                self.ask(&first, is_query, by_get, move |answer| match answer {
                    Ok(response) if response.lacks_document() => {
                        client.ask(&second, is_query, false, done);
                    }
                    answer => done(answer),
                });
            }
        }
    }

    fn ask(
        &self,
        operation: &GraphQlOperation,
        is_query: bool,
        by_get: bool,
        done: impl FnOnce(Result<GraphQlResponse, GraphQlError>) + 'static,
    ) {
        let asked = self
            .shared
            .asking
            .one(self.begin(), operation, is_query, by_get);
        self.shared.http.send_then(asked, |answer| {
            done(take(answer).and_then(|(status, content_type, body)| {
                read(status, content_type.as_deref(), body)
            }));
        });
    }

    fn begin(&self) -> impl Fn(&str, &Url) -> RequestBuilder + '_ {
        |method, url| self.shared.http.request(method, url)
    }

    /// Subscribes over the WebSocket, which the first subscription opens and which serves
    /// all. After a connection was lost they are made again. A fault that is found later is
    /// told to the listener.
    ///
    /// # Errors
    /// [`GraphQlError::Socket`], [`GraphQlError::Full`].
    pub fn subscribe(
        &self,
        operation: impl Into<GraphQlOperation>,
        listener: impl GraphQlListener,
    ) -> Result<GraphQlHandle, GraphQlError> {
        let known = self.shared.session.borrow_mut().take();
        let session = match known {
            Some(session) if session.operations.talk.lock().over.is_none() => session,
            _ => self.shared.connect()?,
        };
        let (operations, socket) = (session.operations.clone(), session.socket.clone());
        *self.shared.session.borrow_mut() = Some(session);
        let listener = Listener(Box::new(listener));
        let id = operations.subscribe(&socket, operation.into(), listener)?;
        Ok(GraphQlHandle {
            operations,
            socket,
            id,
        })
    }

    /// Subscribes over an event stream of its own (graphql-sse, distinct connections).
    /// [`LoopEventSource::close`] stops it.
    ///
    /// # Errors
    /// [`GraphQlError::Events`].
    pub fn subscribe_events(
        &self,
        events: &mut dyn AnyLoop,
        operation: impl Into<GraphQlOperation>,
        listener: impl GraphQlListener,
    ) -> Result<LoopEventSource, GraphQlError> {
        let asking = &self.shared.asking;
        let asked = asking.stream(self.begin(), &operation.into());
        let listener = OfEvents {
            listener,
            was_open: false,
        };
        let options = event_options(&asking.options);
        let source = LoopEventSource::on(events, &self.shared.http, asked, options, listener);
        source.map_err(|error| GraphQlError::from(&error))
    }

    /// Closes the WebSocket for good: its subscriptions are over.
    pub fn close(&self) {
        if let Some(session) = self.shared.session.borrow_mut().take() {
            session.socket.close();
        }
    }
}

impl fmt::Debug for LoopGraphQl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LoopGraphQl")
            .field(&self.shared.asking)
            .finish()
    }
}

impl Shared {
    fn connect(&self) -> Result<Session, GraphQlError> {
        let (asking, http) = (self.asking.clone(), self.http.clone());
        let socket = (*self.sockets.options).clone();
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
            let socket = asking.upgrade(socket.clone(), offers, http.upgrade_fields())?;
            #[cfg(feature = "cookies")]
            let socket = asking.share_cookies(socket, http.cookie_jar());
            Ok((asking.socket_url.as_str().into(), socket))
        };
        let translate = Translate(operations.clone());
        let socket = LoopReconnecting::connect_by(&self.sockets, ask, options, translate)?;
        Ok(Session { socket, operations })
    }
}

/// A subscription over an event stream.
struct OfEvents<L> {
    listener: L,
    was_open: bool,
}

impl<L: GraphQlListener> EventListener for OfEvents<L> {
    fn opened(&mut self, _: &LoopEventSource) {
        if core::mem::replace(&mut self.was_open, true) {
            self.listener.resubscribed();
        }
    }

    fn event(&mut self, event: &MessageEvent, _: &LoopEventSource) {
        if let Some(StreamEvent::Next(result)) = StreamEvent::read(&event.event, &event.data) {
            let response = GraphQlResponse::parse(result).unwrap_or_default();
            self.listener.next(response);
        }
    }

    fn ended(&mut self, end: Result<&EventSourceEnd, &EventSourceError>) {
        self.listener.ended(match end {
            Ok(_) => Ok(()),
            Err(error) => Err(error.into()),
        });
    }
}

type Taken = (Status, Option<String>, String);

fn take(answer: Result<WholeResponse, Error>) -> Result<Taken, GraphQlError> {
    let response = answer?;
    let content_type = response.header("content-type").map(String::from);
    Ok((response.status(), content_type, response.text()?))
}
