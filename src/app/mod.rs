//! Layer 5: routes, middleware, streams and sessions.
//!
//! ```no_run
//! use barewire::app::{App, Broadcaster, Message, Service, Socket, WebSocket};
//!
//! struct Echo;
//!
//! impl WebSocket for Echo {
//!     fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
//!         socket.send(message);
//!     }
//! }
//!
//! fn main() -> Result<(), barewire::net::Error> {
//!     let news = Broadcaster::new();
//!     App::new()
//!         .get("/hello", |_request, reply| reply.text("Hello, World!"))
//!         .get("/users/{id}", |request, reply| reply.text(request.param("id")))
//!         .post("/echo", |request, reply| reply.body(request.content_type(), request.body()))
//!         .websocket("/ws/echo", |_request| Ok(Echo))
//!         .events("/news", move |_request| Ok(news.subscription("reader")))
//!         .grpc(Service::new("echo.Echo").unary("Say", |request: Vec<u8>, _call| Ok(request)))
//!         .listen("127.0.0.1:8080")?
//!         .run()
//! }
//! ```
//!
//! # The way of a request
//!
//! ```text
//!  head ─► Middleware::before ─► Router ─► collect the body, stream it, or refuse
//!                 │ may answer     │ 404, 405, OPTIONS       │
//!                 ▼                ▼                         ▼
//!            ┌─────────────────── the route's closure(&Request, Reply) ─► Done
//!            │         │                 │                  │
//!            │      refusal            whole       a session: stream, deferred,
//!            ▼         ▼                 ▼             WebSocket, events, call
//!         Middleware::after ─► the reply's head ─► metrics ─► the wire
//! ```
//!
//! Routes and middleware are shared by all loops. A session is an object of its
//! own loop: it is made there, called there alone, and dropped there.
//!
//! # Sessions
//!
//! | kind | what an application writes | its end |
//! |---|---|---|
//! | WebSocket | [`WebSocket`], one object for each connection | [`WebSocket::closed`] |
//! | event stream | [`Events`], one object for each stream | [`Events::gone`] |
//! | gRPC-Web | closures of a [`Service`]; [`ServerStream`] for what has no iterator | a status |
//!
//! All of them have timers, are told when a slow peer can take more, and are
//! reached from other threads by a [`Handle`]. WebSockets and event streams
//! meet in rooms ([`Socket::join`], [`EventStream::join`]), which span all
//! loops; [`Hub`] publishes there from any thread.

mod access_log;
mod activity;
mod broadcaster;
mod builder;
mod call;
mod call_session;
mod client;
mod codec;
mod cors;
mod counter;
mod defer;
mod directory;
mod door;
mod endpoint;
mod event_stream;
mod events;
mod exposition;
mod groups;
mod handle;
mod handler;
mod histogram;
mod hub;
mod inbox;
mod json;
mod later;
mod membership;
mod message;
mod methods;
mod metrics;
mod middleware;
mod params;
mod path;
mod pattern;
mod record;
mod refusal;
mod reply;
mod reply_head;
mod request;
mod respond;
mod response;
mod responses;
mod room_limits;
mod rooms;
mod route;
mod router;
mod scrape;
mod server;
mod service;
mod session;
mod shared;
mod site;
mod socket;
mod stream;
mod subscription;
mod upgrade;
mod way;
mod websocket;

pub use crate::net::Flow;
pub use access_log::AccessLog;
pub use activity::SessionSnapshot;
pub use broadcaster::Broadcaster;
pub use builder::App;
pub use call::Call;
#[cfg(feature = "prost")]
pub use codec::Proto;
pub use codec::{CallStatus, Payload};
pub use cors::Cors;
pub use defer::Deferred;
pub use event_stream::EventStream;
pub use events::{Events, EventsRoute};
pub use handle::{Handle, Undelivered};
pub use histogram::{DURATION_BOUNDS, Durations};
pub use hub::Hub;
pub use json::put_json_string;
pub use later::Later;
pub use message::{Message, Post};
pub use metrics::{Kind, Metrics, Requests, Snapshot};
pub use middleware::{Incoming, InvalidPath, Middleware, Next};
pub use record::Record;
pub use refusal::{Answer, Done, Refusal};
pub use reply::Reply;
pub use reply_head::ReplyHead;
pub use request::Request;
pub use response::Response;
pub use responses::{ResponseStream, ServerStream};
pub use room_limits::{RoomError, RoomLimits};
pub use route::Route;
pub use server::{Server, ServerHandle};
pub use service::Service;
pub use socket::Socket;
pub use stream::{Stream, StreamHandle, Streaming};
pub use subscription::Subscription;
pub use upgrade::WebSocketRoute;
pub use websocket::{Closed, WebSocket};
