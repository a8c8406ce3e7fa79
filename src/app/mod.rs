//! Layer 6: routes, middleware, streams and sessions.
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
//!         .events("/news", move |_request| Ok(news.subscription("reader")?))
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
//! | event stream | [`Events`], one object for each stream | [`Events::closed`] |
//! | gRPC and gRPC-Web call | closures of a [`Service`]; [`ServerStream`] for what has no iterator | a status |
//!
//! All of them have timers, are told when a slow peer can take more, and are
//! reached from other threads by a [`Handle`]. WebSockets and event streams
//! meet in channels ([`Socket::join`], [`EventStream::join`]), which span all
//! loops; [`Hub`] publishes there from any thread. Before a server that stops ends
//! them, they hear of it ([`WebSocket::draining`], [`Events::draining`]).
//!
//! Only pages of the server's own origin open WebSockets, unless a route lets
//! others in ([`WebSocketRoute::origins`]); [`OriginGuard`] keeps foreign pages
//! from methods that change something.
//!
//! # Work that blocks
//!
//! A loop serves thousands of connections on one thread: a closure that sleeps for
//! two seconds, or waits for a database, holds all of them up. What blocks belongs
//! in [`Reply::blocking`], which runs it on one of the app's threads for such
//! work and answers with what it returns:
//!
//! ```no_run
//! use barewire::app::{App, Response};
//! use std::time::Duration;
//!
//! # fn main() -> Result<(), barewire::app::Error> {
//! App::new()
//!     .get("/slow", |_request, reply| {
//!         reply.blocking(|| {
//!             std::thread::sleep(Duration::from_secs(2)); // no other client notices
//!             Response::text("worth the wait")
//!         })
//!     })
//!     .listen("127.0.0.1:8080")?
//!     .run()
//! # }
//! ```
//!
//! A closure or an object that holds its loop up for more than 100 ms all the same
//! is counted ([`MetricsSnapshot::held`], `barewire_loop_held_total`), and a line on the
//! log names its route.
//!
//! [`Reply::defer`] is for work that has threads or callbacks of its own.
//! [`BlockingLimits`] say how many threads and waiting jobs there may be.
//!
//! # Futures
//!
//! Code that is `async` and knows no runtime is polled on the loop: a route answers by
//! [`Reply::future`], a call by [`Service::unary_async`], a session sends what
//! [`Socket::future`] and [`EventStream::future`] give, and a [`Spawner`] begins tasks beside
//! them and has the timer. With the feature `futures` a stream becomes an event stream
//! (`EventsFrom`), messages of a WebSocket (`Socket::stream`) or of a call
//! (`Service::server_streaming_async`), and is not polled while the peer does not read. Each
//! is polled once when it begins and once after each wake, is dropped with its exchange or
//! session, and counts for [`Limits::futures`](crate::net::Limits::futures).
//!
//! # Behind a proxy
//!
//! [`App::trust_proxies`] has the client's address, scheme and host take the place of the
//! proxy's, for handlers, logs, limits and the checks of origins. [`RequestIds`] and
//! [`Traces`] follow a request through services, [`AccessLog`] and `Spans` write down what
//! became of it.
//!
//! # If you know axum
//!
//! | axum | here |
//! |---|---|
//! | `Router::layer` | [`App::with`] a [`Middleware`] |
//! | `Router::nest` with a layer | [`Scoped`], for the middleware of a part of the paths |
//! | `Router::fallback` | [`App::any`] of `/{*rest}` |
//! | `State` | what a closure captures; [`App::on_each_loop`] for what is not [`Send`] |
//! | `Path` | [`Request::param`], which is empty for a name that the pattern lacks; [`Request::param_as`] |
//! | `Json`, `Query`, `Form` | `Request::json` (feature `json`); `query_as`, `form` (feature `forms`) |
//! | `Multipart` | [`Request::multipart`], [`Reply::multipart`] |
//! | `Extension` | [`Extensions`] |
//! | `Json` as a response | `Reply::json` (feature `json`), or [`Reply::json_text`] |
//! | a body that is a stream | [`Reply::stream`] |
//! | tower-http's `TraceLayer`, `SetRequestIdLayer` | `Spans` (feature `tracing`), [`RequestIds`], [`Traces`] |
//! | axum-client-ip | [`App::trust_proxies`], then [`Request::peer`] |
//! | an `async` handler | [`Reply::future`], [`Service::unary_async`] |
//! | `tokio::spawn`, `sleep`, `spawn_blocking` | [`Spawner::spawn`], [`Spawner::sleep`], [`Reply::blocking`] |
//! | `Sse::new` of a stream | `EventsFrom` (feature `futures`) |
//!
//! # The table of routes
//!
//! [`App::routes`] lists what is served in the order in which it was added: method, pattern,
//! kind, and name and types where they are known. Printed, it is a line for each route:
//!
//! ```
//! use barewire::app::{App, Route};
//!
//! let app = App::new()
//!     .get("/hello", |_request, reply| reply.text("Hello, World!"))
//!     .route(Route::post("/notes").name("add_note").collect(4096, |_request, reply| reply.text("")));
//! assert_eq!(
//!     app.routes().to_string(),
//!     "GET   /hello  handler\n\
//!      POST  /notes  handler  add_note"
//! );
//! ```
//!
//! The example package `openapi` makes an OpenAPI document of it.
//!
//! # The log
//!
//! With the feature `log`, which is on by default, what goes wrong is a line on
//! the [`log`](https://docs.rs/log) facade with the target `barewire`: a reply
//! that was given a field that cannot be sent, a panic of a handler, a reply that
//! never came, a peer that was refused. A line names the method and the pattern of
//! the route. Any logger shows them, `env_logger` for example; without one nothing
//! is written. One cause writes at most 20 lines in 10 seconds, and says then how
//! many it left out, so that no peer can fill a disk.

mod blocking;
mod channels;
#[cfg(feature = "envelope")]
mod envelope;
mod event_streams;
mod exchange;
mod extract;
#[cfg(all(unix, feature = "files"))]
mod files;
mod forms;
mod futures;
#[cfg(feature = "graphql-server")]
mod graphql;
mod guards;
mod publishing;
#[cfg(feature = "redis")]
mod redis;
mod routes;
mod services;
mod serving;
mod sockets;
mod telemetry;

// What the signatures and traits here name, so that nobody has to look for it.
pub use crate::coding::Coding;
pub use crate::wire::durations::{DURATION_BOUNDS, Durations};
#[doc(no_inline)]
pub use crate::{
    grpc::Code,
    http::multipart::{MultipartError, MultipartLimits, PartHead},
    http::{Cookie, FieldBuffer, Fields, InvalidField, Method, SameSite, Status, Version},
    link::{Charge, EndReason, Full},
    net::{Address, Error, Exchange, Flow, ListenOptions, Peer, Sleep},
    sse::Event,
    websocket::CloseCode,
    wire::Instant,
};
pub use blocking::handle::BlockingThreads;
pub use blocking::pool::BlockingLimits;
pub use blocking::session::Job;
pub use blocking::session::LaterAnswer;
pub use blocking::writer::BodyWriter;
#[doc(no_inline)]
pub use bytes::Bytes;
pub use channels::ask::{Ask, Decision, Verdict};
pub use channels::backplane::{Backplane, Inlet, Later, Line, Past};
pub use channels::channel_limits::{ChannelError, ChannelLimits};
pub use channels::format::{Delivery, Format};
pub use channels::history::History;
pub use channels::options::ChannelOptions;
pub use channels::position::{Epoch, InvalidEpoch, Position};
pub use channels::presence::{PresenceCount, Present};
pub use channels::publication::{Notice, Publication};
pub use channels::slow::{Missed, SlowMembers};
#[cfg(feature = "envelope")]
pub use envelope::{
    call::EnvelopeCall,
    envelope_hub::EnvelopeHub,
    metrics::{EnvelopeConnection, EnvelopeSnapshot},
    session::EnvelopeSession,
};
pub use event_streams::event_stream::EventStream;
pub use event_streams::events::Events;
#[cfg(feature = "futures")]
pub use event_streams::events_from::EventsFrom;
pub use event_streams::events_route::EventsRoute;
pub use event_streams::subscription::Subscription;
pub use exchange::accept::Accept;
#[cfg(feature = "signed-cookies")]
pub use exchange::cookie_key::{CookieKey, ShortSecret};
pub use exchange::defer::Deferred;
pub use exchange::entity_tag::{Conditions, EntityTag};
pub use exchange::extensions::Extensions;
pub use exchange::json::put_json_string;
pub use exchange::record::Record;
pub use exchange::refusal::{Answer, Done, Refusal};
pub use exchange::rendering::problem_json;
pub use exchange::reply::Reply;
pub use exchange::reply_end::ReplyEnd;
pub use exchange::reply_head::ReplyHead;
pub use exchange::request::Request;
pub use exchange::request_id::RequestId;
pub use exchange::response::Response;
pub use exchange::retry_after::RetryAfter;
pub use exchange::stream::{Stream, Streaming};
pub use exchange::stream_handle::StreamHandle;
pub use extract::extract_error::ExtractError;
#[cfg(feature = "forms")]
pub use extract::form_limits::FormLimits;
#[cfg(all(unix, feature = "files"))]
pub use files::files::Files;
pub use forms::multipart::{Multipart, Part};
pub use forms::receiving::MultipartHandler;
pub use forms::spool::{Spool, SpooledFile, SpooledForm};
pub use futures::jobs::FutureId;
pub use futures::kept::FutureError;
pub use futures::spawner::Spawner;
#[cfg(feature = "async-graphql")]
pub use graphql::adapter::{AsyncGraphQl, ConnectionInit};
#[cfg(feature = "graphql-server")]
pub use graphql::{
    executor::{Executor, GraphQlConnection, Operation},
    response::GraphQlResponse,
    route::GraphQl,
    uploads::GraphQlUpload,
};
pub use guards::allowances::Allowance;
pub use guards::basic_auth::{BasicAuth, BasicUser};
pub use guards::bearer_auth::BearerAuth;
pub use guards::credentials::constant_time_eq;
pub use guards::rate_limit::{RateLimit, RateLimited};
pub use guards::security_headers::SecurityHeaders;
pub use publishing::broadcast_limits::{BroadcastError, BroadcastLimits};
pub use publishing::broadcaster::Broadcaster;
pub use publishing::handle::{Handle, HandleError};
pub use publishing::hub::Hub;
pub use publishing::join::{ChannelAnswer, Join, Joined, Published, Standing};
pub use publishing::message::Message;
pub use publishing::post::Post;
#[cfg(feature = "redis")]
pub use redis::{RedisBackplane, RedisLimits, RedisMetrics, RedisOptions, WhileRedisAway};
pub use routes::access_log::AccessLog;
pub use routes::compression::Compression;
pub use routes::compression::CompressionLimits;
pub use routes::cors::Cors;
pub use routes::decompression::Decompression;
pub use routes::decompression::DecompressionLimits;
pub use routes::middleware::{Incoming, InvalidPath, Middleware, Next};
pub use routes::origin_guard::{ForeignOrigin, OriginGuard};
pub use routes::request_ids::{RequestIds, Traces};
pub use routes::route::Route;
pub use routes::scoped::Scoped;
#[cfg(feature = "tracing")]
pub use routes::spans::Spans;
pub use routes::table::{RouteInfo, RouteKind, Routes};
pub use routes::trusted_proxies::{Forwarded, TrustedProxies};
pub use services::call::Call;
#[cfg(feature = "prost")]
pub use services::codec::Proto;
pub use services::codec::{CallStatus, Payload};
pub use services::conversation::Conversation;
pub use services::descriptors::{InvalidDescriptors, NotDescribed};
pub use services::health::{Health, ServingStatus};
pub use services::interceptor::{CallEnd, Interceptor};
pub use services::later::{DeferredResponse, ResponseSender};
pub use services::reflection::Reflection;
pub use services::responses::{ResponseStream, ServerStream};
pub use services::service::Service;
pub use services::typed::{BoxConversation, StreamingResponse, UnaryResponse};
pub use serving::builder::App;
pub use serving::life::Readiness;
pub use serving::server::{Server, ServerHandle};
pub use sockets::socket::Socket;
pub use sockets::upgrade::WebSocketRoute;
pub use sockets::websocket::{SocketEnd, WebSocket};
pub use telemetry::activity::SessionSnapshot;
pub use telemetry::channel_totals::ChannelTotals;
pub use telemetry::codings::{CodingCount, Direction};
pub use telemetry::metrics::{Kind, Metrics, MetricsSnapshot, RequestCount};
