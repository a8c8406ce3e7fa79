//! Layer 6: calls to other servers.
//!
//! - [`Client`] speaks HTTP: calls that block the calling thread, over a pool of
//!   connections.
//! - [`HttpCall`] is one call of HTTP without I/O, for sockets of the caller's own.
//! - [`Channel`] is where to begin with gRPC: it connects by itself, and makes calls that block,
//!   or that tell a [`CallListener`] what comes.
//! - [`Calls`] are the calls of a channel without I/O, for a loop of the caller's own,
//!   with a [`Connection`] for each connection, or any other [`RequestSender`].
//! - `GraphQl` (feature `graphql`) asks servers of GraphQL, and subscribes.
//! - [`EventSource`] follows an event stream, and comes back where it is interrupted;
//!   [`EventSourceCore`] is one without I/O.
//!
//! A [`CallListener`] is told of one call, and listens on no socket. A [`RequestSender`] is a
//! connection on which requests are sent; the layer below, for TLS and the like, is
//! [`net::Transport`](crate::net::Transport).

mod connecting;
#[cfg(feature = "envelope")]
mod envelope;
mod events;
#[cfg(feature = "graphql")]
mod graphql;
mod grpc;
mod http;
mod websocket;

#[cfg(feature = "test")]
pub(crate) use self::{grpc::Coding, http::push_pair};
pub use connecting::{
    Canceller, Connection, DialError, LinkId, Phase, Proxy, ProxyError, RequestSender, Resolver,
    Url, UrlError, Wire,
};
#[cfg(feature = "envelope")]
pub use envelope::{
    EnvelopeClient, EnvelopeCounts, EnvelopeError, EnvelopeListener, EnvelopeMessage,
    EnvelopeOptions, EnvelopePublished, EnvelopeRefusal, EnvelopeSender, EnvelopeSent,
    EnvelopeSocket, LoopEnvelopeClient, WhileAway,
};
pub use events::{
    EventListener, EventSource, EventSourceCore, EventSourceEnd, EventSourceError,
    EventSourceFault, EventSourceHandle, EventSourceLimits, EventSourceOptions, EventSourceThread,
    Interrupted, Interruption, LoopEventSource, MessageEvent, NextStep, ReadyState, Resume,
    Waiting,
};
#[cfg(feature = "graphql")]
pub use graphql::{
    GraphQl, GraphQlCredentials, GraphQlError, GraphQlEvent, GraphQlFieldError, GraphQlHandle,
    GraphQlListener, GraphQlOperation, GraphQlOptions, GraphQlResponse, GraphQlStopper,
    GraphQlSubscription, GraphQlTransport, LoopGraphQl,
};
pub use grpc::{
    CallListener, CallOptions, CallResponse, Calls, Channel, ChannelLimits, Duplex, Ending,
    GrpcChannelOptions, NextMessage, Outgoing, Removed, Requests, Responses, Sender, UsageError,
};
pub use http::{
    AsUrl, BackgroundDriver, Body, BodyReader, Client, ClientLimits, ClientOptions, DecodedBytes,
    Error, ErrorKind, HttpCall, HttpEvent, LoopCall, LoopClient, Metrics, Multipart, Part,
    RedirectError, RedirectPolicy, RequestBuilder, Response, ResponseListener, ResponseView,
    RetryPolicy, WholeResponse,
};
#[cfg(feature = "cookies")]
pub use http::{CookieJar, CookieLimits};
pub use websocket::{
    AsMessage, CloseFrame, Closed, ComeBack, Confirmation, ConnectAttempt, HandshakeError,
    LoopReconnecting, LoopWebSocket, LoopWebSockets, Message, Position, QueuePolicy, Receipt,
    ReceiptState, ReconnectError, ReconnectEvent, ReconnectLimits, ReconnectListener,
    ReconnectOptions, ReconnectSender, ReconnectTask, Reconnecting, Reconnector, ResumeHook, Seen,
    ToWrite, UnknownPolicy, WebSocket, WebSocketError, WebSocketHandshake, WebSocketListener,
    WebSocketOptions, WebSocketReceiver, WebSocketRequest, WebSocketSender,
};
