//! Layer 7: apps in memory, for their tests.
//!
//! [`App::test`](crate::app::App::test) puts an app in memory. All of it runs as behind
//! sockets, middleware, limits and metrics too, but on the thread of the test, without
//! sockets, and with a clock that stands still until [`advance`](TestApp::advance) winds it.
//!
//! ```
//! use barewire::app::App;
//!
//! # fn main() -> Result<(), barewire::test::TestError> {
//! let app = App::new()
//!     .get("/users/{id}", |request, reply| reply.text(request.param("id")))
//!     .test()?;
//! let response = app.get("/users/7").header("Accept", "text/plain").send()?;
//! assert_eq!((response.status().code(), &*response.text()), (200, "7"));
//! assert_eq!(app.http2().delete("/users/7").send()?.status().code(), 405);
//! # Ok(())
//! # }
//! ```
//!
//! WebSockets, event streams and calls are opened, and then send and receive:
//!
//! ```
//! use barewire::app::{App, Broadcaster, Event, Message, Service, Socket, WebSocket};
//! use barewire::client::CallOptions;
//!
//! struct Echo;
//!
//! impl WebSocket for Echo {
//!     fn message(&mut self, socket: &mut Socket<'_, '_>, message: Message<'_>) {
//!         socket.send(message);
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let news = Broadcaster::new();
//! let readers = news.clone();
//! let app = App::new()
//!     .websocket("/echo", |_request| Ok(Echo))
//!     .events("/news", move |_request| Ok(readers.subscription("reader")?))
//!     .grpc(Service::new("echo.Echo").unary("Say", |request: Vec<u8>, _call| Ok(request)))
//!     .test()?;
//!
//! let socket = app.get("/echo").websocket()?;
//! socket.send("hello")?;
//! assert_eq!(socket.receive()?.text(), Some("hello"));
//!
//! let mut events = app.http2().get("/news").events()?;
//! news.send(&Event::new("extra").id("1"))?;
//! assert_eq!(events.receive()?.map(|it| it.data).as_deref(), Some("extra"));
//!
//! let said = app.grpc().unary("/echo.Echo/Say", &b"hi".to_vec(), CallOptions::new())?;
//! let said: Vec<u8> = said.into_message();
//! assert_eq!(said, b"hi");
//! # Ok(())
//! # }
//! ```
//!
//! What waits for the clock is [started](TestRequest::start), not sent:
//!
//! ```
//! use barewire::app::{App, Deferred};
//! use std::{sync::Mutex, time::Duration};
//!
//! # fn main() -> Result<(), barewire::test::TestError> {
//! static OWED: Mutex<Vec<Deferred>> = Mutex::new(Vec::new());
//! let app = App::new()
//!     .get("/late", |_request, reply| reply.defer(|deferred| OWED.lock().unwrap().push(deferred)))
//!     .test()?;
//! let late = app.get("/late").start()?;
//! app.advance(Duration::from_secs(59))?;
//! assert!(!late.is_complete());
//! app.advance(Duration::from_secs(10))?;
//! assert_eq!(late.response()?.status().code(), 504);
//! # Ok(())
//! # }
//! ```
//!
//! Blocking work, and whatever else runs on threads of its own, is waited for in real time,
//! at most for the test's [patience](TestApp::set_patience). TLS, and clients of upstream
//! servers that an app has on its loop, are not in memory: these are tested on sockets.

mod channel;
mod engine;
mod error;
mod events;
mod exchange;
mod line;
mod request;
mod response;
mod running;
mod socket;
mod test_app;

pub use channel::{TestCall, TestChannel};
pub use error::TestError;
pub use events::TestEvents;
pub use request::TestRequest;
pub use response::TestResponse;
pub use running::TestExchange;
pub use socket::TestWebSocket;
pub use test_app::TestApp;
