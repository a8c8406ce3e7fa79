//! Layer 6: calls to other servers.
//!
//! - [`Client`] speaks HTTP: calls that block the calling thread, over a pool of
//!   connections.
//! - [`Channel`] is where to begin with gRPC: it connects by itself, and makes calls that block,
//!   or that tell a [`CallListener`] what comes.
//! - [`Calls`] are the calls of a channel without I/O, for a loop of the caller's own,
//!   with a [`Connection`] for each connection, or any other [`Transport`].
//! - [`EventSource`] follows an event stream, and comes back where it is interrupted;
//!   [`EventSourceCore`] is one without I/O.
//!
//! A [`CallListener`] is told of one call, and listens on no socket. A [`Transport`] is a
//! connection on which requests are sent; the layer below, for TLS and the like, is
//! [`net::Transport`](crate::net::Transport).

mod connecting;
mod events;
mod grpc;
mod http;
mod websocket;

pub use connecting::{
    Canceller, Connection, DialError, LinkId, Phase, Proxy, ProxyError, Resolver, Transport, Url,
    UrlError, Wire,
};
pub use events::{
    EventSource, EventSourceCore, EventSourceEnd, EventSourceError, EventSourceFault,
    EventSourceHandle, EventSourceLimits, EventSourceOptions, EventSourceThread, Interrupted,
    Interruption, MessageEvent, NextStep, ReadyState, Resume, Waiting,
};
pub use grpc::{
    CallListener, CallOptions, CallResponse, Calls, Channel, ChannelLimits, ChannelOptions, Duplex,
    Ending, NextMessage, Outgoing, Removed, Requests, Responses, Sender, UsageError,
};
pub use http::{
    AsUrl, Body, BodyReader, Client, ClientLimits, ClientOptions, Error, ErrorKind, Metrics,
    Multipart, Part, RedirectError, RedirectPolicy, RequestBuilder, Response, RetryPolicy,
};
#[cfg(feature = "cookies")]
pub use http::{CookieJar, CookieLimits};
pub use websocket::{
    AsMessage, CloseFrame, Closed, ComeBack, Confirmation, ConnectAttempt, HandshakeError, Message,
    Position, QueuePolicy, Receipt, ReceiptState, ReconnectError, ReconnectEvent, ReconnectLimits,
    ReconnectListener, ReconnectOptions, ReconnectSender, ReconnectTask, Reconnecting, Reconnector,
    ResumeHook, Seen, ToWrite, UnknownPolicy, WebSocket, WebSocketError, WebSocketHandshake,
    WebSocketOptions, WebSocketReceiver, WebSocketRequest, WebSocketSender,
};
