//! Executors of operations.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::any::Any;
use core::future::{Future, ready};
use core::pin::Pin;
use core::task::{Context, Poll};

use futures_core::Stream;

use super::response::GraphQlResponse;
use super::uploads::GraphQlUpload;
use crate::app::exchange::extensions::Extensions;
use crate::app::futures::spawner::Spawner;
use crate::graphql::{OperationType, Request};
use crate::link::Charge;
use crate::wire::partly_shown;

/// An operation to be executed.
pub struct Operation {
    /// The request: its document is there, also where the client has named it by a hash.
    pub request: Request<'static>,
    /// Its kind, as far as it can be told without parsing the document; where it cannot, the
    /// executor will find the fault.
    pub operation_type: Option<OperationType>,
    /// Files among its variables, if it came by a multipart request.
    pub uploads: Vec<GraphQlUpload>,
    /// The client's payload of `connection_init`, a JSON object, on a WebSocket.
    pub init: Option<Arc<str>>,
    /// What middleware has attached to the request, or to that which opened the WebSocket, and
    /// what [`Executor::connect`] has.
    pub extensions: Option<Arc<Extensions>>,
    /// Tasks and timers of the loop that the operation is executed on.
    pub spawner: Spawner,
    /// For the request's text, until the operation is over.
    pub(super) charge: Charge,
}

partly_shown!(it: Operation { operation_type, query: it.request.query.len() });

impl Operation {
    /// Takes the charge, which is to be held until the operation is over.
    pub(super) fn take_charge(&mut self) -> Charge {
        core::mem::replace(&mut self.charge, Charge::NONE)
    }
}

/// A client that has opened a WebSocket, and is to be accepted: see [`Executor::connect`].
pub struct GraphQlConnection {
    /// What it says of itself, the payload of `connection_init`: a JSON object.
    pub payload: Option<Arc<str>>,
    /// Tasks and timers of the loop.
    pub spawner: Spawner,
    pub(super) extensions: Option<Arc<Extensions>>,
}

partly_shown!(it: GraphQlConnection { extensions: it.extensions() });

impl GraphQlConnection {
    /// What middleware has attached to the request that opened the WebSocket.
    pub fn extensions(&self) -> &Extensions {
        self.extensions.as_deref().unwrap_or(Extensions::none())
    }

    /// Attaches a value, such as who the client is, to each [`Operation`] that follows.
    pub fn insert<T: Any + Send + Sync>(&mut self, value: T) {
        Arc::make_mut(self.extensions.get_or_insert_default()).insert(value);
    }
}

/// Executes operations of GraphQL: a library's schema (`AsyncGraphQl`, with the feature
/// `async-graphql`), or, for one of one's own, this trait.
///
/// Futures and streams are polled on the loop and dropped if the client goes or stops the
/// operation. Should one panic, the client gets an error for its operation, and the connection
/// goes on.
///
/// ```
/// use barewire::app::{App, Executor, GraphQl, GraphQlResponse, Operation};
///
/// /// Knows one query.
/// struct Hello;
///
/// impl Executor for Hello {
///     async fn execute(&self, operation: Operation) -> GraphQlResponse {
///         match &*operation.request.query {
///             "{ hello }" => GraphQlResponse::new(r#"{"data":{"hello":"world"}}"#.into(), true),
///             _ => GraphQlResponse::error("no such field", "GRAPHQL_VALIDATION_FAILED"),
///         }
///     }
/// }
///
/// App::new().graphql("/graphql", GraphQl::new(Hello));
/// ```
pub trait Executor: Send + Sync + 'static {
    /// Executes a query or a mutation.
    fn execute(&self, operation: Operation) -> impl Future<Output = GraphQlResponse>;

    /// Executes a subscription: one response for each event, which the client is told as it
    /// reads them. By default there are none.
    fn subscribe(
        &self,
        operation: Operation,
    ) -> impl Stream<Item = GraphQlResponse> + use<Self> + 'static
    where
        Self: Sized,
    {
        let _ = operation;
        let error = GraphQlResponse::error("there are no subscriptions", "BAD_REQUEST");
        Once(Some(error))
    }

    /// A client has opened a WebSocket: accepts it with a JSON object for it or none. It may
    /// wait, until [`Limits::init_time`](crate::graphql::Limits::init_time) is over; what the
    /// client asks for meanwhile is refused, or, by the legacy protocol, waits too. By default
    /// all are accepted. [`GraphQl::on_connect`](crate::app::GraphQl::on_connect) has an
    /// example.
    ///
    /// # Errors
    /// Refuses it: the reason, of at most 123 bytes, is told, and the code is 4403.
    fn connect(
        &self,
        connection: &mut GraphQlConnection,
    ) -> impl Future<Output = Result<Option<String>, String>> {
        let _ = connection;
        ready(Ok(None))
    }
}

/// An executor, and what accepts its clients.
pub(super) struct OnConnect<E, F> {
    pub(super) executor: E,
    pub(super) accept: F,
}

impl<E, F> Executor for OnConnect<E, F>
where
    E: Executor,
    F: AsyncFn(&mut GraphQlConnection) -> Result<Option<String>, String> + Send + Sync + 'static,
{
    fn execute(&self, operation: Operation) -> impl Future<Output = GraphQlResponse> {
        self.executor.execute(operation)
    }

    fn subscribe(
        &self,
        operation: Operation,
    ) -> impl Stream<Item = GraphQlResponse> + use<E, F> + 'static {
        self.executor.subscribe(operation)
    }

    fn connect(
        &self,
        connection: &mut GraphQlConnection,
    ) -> impl Future<Output = Result<Option<String>, String>> {
        (self.accept)(connection)
    }
}

/// A stream of one response.
struct Once(Option<GraphQlResponse>);

impl Stream for Once {
    type Item = GraphQlResponse;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.take())
    }
}
