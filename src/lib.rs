//! Hand-written wire protocols with no framework underneath: servers and clients of HTTP/1.1,
//! HTTP/2, WebSocket, Server-Sent Events, gRPC, Connect and GraphQL, and the codecs alone.
//!
//! # A server
//!
//! ```no_run
//! use barewire::app::{App, Message, Socket, WebSocket};
//!
//! struct Echo;
//!
//! impl WebSocket for Echo {
//!     fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
//!         socket.send(message);
//!     }
//! }
//!
//! fn main() -> Result<(), barewire::app::Error> {
//!     App::new()
//!         .get("/hello/{name}", |request, reply| reply.text(request.param("name")))
//!         .websocket("/echo", |_request| Ok(Echo))
//!         .listen("127.0.0.1:8080")?
//!         .run()
//! }
//! ```
//!
//! One mio loop per thread serves everything on one port. A closure must not wait: what does goes
//! to a thread by `Reply::blocking`, or is a future on the loop. The page of [app](app/index.html)
//! goes on from here, and `docs/guide` in the repository, with a program for each chapter.
//!
//! # A client
//!
//! ```no_run
//! use barewire::client::Client;
//!
//! # fn main() -> Result<(), barewire::client::Error> {
//! let response = Client::new().get("http://127.0.0.1:8080/hello/Ann").send()?;
//! println!("{}: {}", response.status(), response.text()?);
//! # Ok(())
//! # }
//! ```
//!
//! It needs neither a runtime nor a thread of its own. The page of [client](client/index.html)
//! has those of WebSocket, event streams, gRPC and GraphQL.
//!
//! # The codecs alone
//!
//! Under both lie machines: bytes go in, events come out, replies are bytes again. They have no
//! I/O, clock, thread or buffer of their own, and run over any transport, on a microcontroller
//! too. The WebSocket frame codec, on nothing but arrays:
//!
//! ```
//! use barewire::websocket::{Kind, encode_message};
//! use barewire::wire::Slice;
//!
//! let mut memory = [0; 16];
//! let mut out = Slice::new(&mut memory);
//! encode_message(Kind::Text, b"hello", &mut out);
//! assert_eq!(out.written(), b"\x81\x05hello");
//! ```
//!
//! # The map
//!
//! A module imports only from layers with a lower number; `http2` also from `hpack`.
//!
//! | layer | modules | needs |
//! |---|---|---|
//! | 0 | [`wire`]: cursor, sink, time, ASCII, UTF-8, vector kernels | `core` |
//! | 1 | [`http`]: method, status, fields, target, date, heads | `core` |
//! | 2 | [`http1`], [`websocket`], [`sse`], [`grpc`], [`hpack`]: machines and codecs | `core` |
//! | 2 | `http2`: the machine of HTTP/2, feature `alloc` | `alloc` |
//! | 2 | `envelope`, `graphql`, `redis`: conversations of those names, each by its feature | `std` |
//! | 3 | [link](link/index.html): one whole connection, feature `alloc` | `alloc` |
//! | 4 | [net](net/index.html): the mio loop, feature `net` | `std` |
//! | 5 | [tls](tls/index.html): TLS by rustls, feature `tls` | `std` |
//! | 6 | [app](app/index.html): routes, sockets, event streams, services, channels, feature `net` | `std` |
//! | 6 | [client](client/index.html): calls to other servers, feature `client` | `std` |
//! | 6 | [codegen](codegen/index.html): typed services from `.proto` files, for build scripts, feature `codegen` | `std` |
//! | 7 | [test](test/index.html): apps in memory, for their tests, feature `test` | `std` |
//!
//! # `Limits` and `Event`, by their modules
//!
//! Several modules have a type of these names. Import the module, and write `http1::Limits`.
//!
//! | module | its `Limits` bound | its `Event` is |
//! |---|---|---|
//! | `http1`, `http2` | heads, bodies, streams of one connection | what its machine has found |
//! | `websocket` | frames and messages of one connection | a message, a ping, a close |
//! | `sse` | events that a client takes | an event to be sent, which `app` re-exports |
//! | `grpc` | messages of one call | a step of one call of a client |
//! | `graphql` | documents, operations, messages | |
//! | `link` | one connection, whatever it speaks: the three above by name | what happens on it |
//! | `net` | one loop: connections, memory, backlogs | |
//!
//! # Features
//!
//! `std`, `net`, `client`, `files`, `gzip`, `deflate` and `log` are on by default. Features add, and
//! never change what is there.
//!
//! | feature | adds |
//! |---|---|
//! | `alloc` | what owns memory in layers 0 to 2, the HTTP/2 machine, and `link` |
//! | `std` | `alloc` with the standard library |
//! | `net` | `net` and `app`: mio, socket2, getrandom, rustix |
//! | `client` | `client`: HTTP, WebSocket, event streams and gRPC |
//! | `test` | `test`: apps in memory, for their tests |
//! | `cookies` | a cookie jar for HTTP clients: cookie, psl |
//! | `signed-cookies` | cookies of servers that their holder cannot change: hmac, sha2 |
//! | `json` | values as JSON in requests, responses and replies: serde, serde_json, serde_path_to_error |
//! | `forms` | queries, forms and parameters of paths as values: serde, serde_html_form, form_urlencoded, serde_path_to_error |
//! | `envelope` | channels for browsers without a library, and their client: serde, serde_json, uuid |
//! | `redis` | channels of several processes, through Redis or Valkey |
//! | `futures` | streams of futures-core as event streams, messages and calls |
//! | `graphql` | `graphql`: its transports, and `client::GraphQl`: serde, serde_json, sha2 |
//! | `graphql-server` | `App::graphql`, for any executor |
//! | `async-graphql` | executors that are schemas of async-graphql |
//! | `idna` | hosts outside of ASCII in the URLs of clients: idna |
//! | `files` | directories that `app` serves, and files that Linux sends |
//! | `http` | conversions from and to the types of the http crate |
//! | `http2` | nothing; HTTP/2 needs `alloc` alone |
//! | `gzip` | gzip of bodies, events and gRPC messages: flate2, zlib-rs |
//! | `brotli` | br of bodies and events: brotli |
//! | `zstd` | zstd of bodies and events: libzstd |
//! | `deflate` | compressed WebSocket messages: zlib-rs |
//! | `log` | lines on the `log` facade about what goes wrong on a server |
//! | `signals` | SIGTERM and SIGINT have a server drain: signal-hook |
//! | `systemd` | sockets from systemd, and messages to it: listenfd, sd-notify |
//! | `prost` | messages made by prost as gRPC messages |
//! | `tracing` | a span for every exchange, on the `tracing` facade |
//! | `proto-json` | JSON for services of Protocol Buffers, by their descriptors |
//! | `codegen` | `codegen`, in build scripts: protox, prost-build |
//! | `tls` | `tls`: servers and clients over TLS, by rustls with ring |
//! | `tls-aws-lc` | aws-lc-rs beside ring |
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
// Layers 0 to 4 hold what only the layers above them call.
#![cfg_attr(not(feature = "client"), allow(dead_code, unused_imports))]
#![warn(clippy::alloc_instead_of_core, clippy::std_instead_of_core)]

#[cfg(any(feature = "alloc", test))]
extern crate alloc;
// Tests may use it whatever the features.
#[cfg(any(feature = "std", feature = "codegen", test))]
extern crate std;

#[cfg(feature = "net")]
pub mod app;
#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "codegen")]
pub mod codegen;
#[cfg(feature = "net")]
mod coding;
#[cfg(feature = "envelope")]
pub mod envelope;
#[cfg(feature = "graphql")]
pub mod graphql;
pub mod grpc;
pub mod hpack;
pub mod http;
pub mod http1;
#[cfg(feature = "alloc")]
pub mod http2;
#[cfg(feature = "alloc")]
pub mod link;
#[cfg(feature = "net")]
pub mod net;
#[cfg(feature = "redis")]
pub mod redis;
pub mod sse;
#[cfg(feature = "test")]
pub mod test;
#[cfg(feature = "tls")]
pub mod tls;
pub mod websocket;
pub mod wire;

/// The README's example compiles.
#[cfg(all(doctest, feature = "tls", feature = "client"))]
#[doc = include_str!("../README.md")]
struct Readme;

/// The examples of docs/channels.md compile.
#[cfg(all(doctest, feature = "client", feature = "envelope"))]
#[doc = include_str!("../docs/channels.md")]
struct Channels;

/// The examples of docs/proxies.md compile.
#[cfg(all(doctest, feature = "net"))]
#[doc = include_str!("../docs/proxies.md")]
struct Proxies;

/// The examples of docs/graphql.md compile.
#[cfg(all(doctest, feature = "async-graphql"))]
#[doc = include_str!("../docs/graphql.md")]
struct GraphQl;

/// The examples of docs/clients.md compile.
#[cfg(all(doctest, feature = "client"))]
#[doc = include_str!("../docs/clients.md")]
struct Clients;
