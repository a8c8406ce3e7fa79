//! HTTP/1.1 (RFC 9112): a connection without I/O, in either role.
//!
//! ```text
//!  request  = method SP target SP version CRLF *( field CRLF ) CRLF [ body ]
//!  response = version SP status SP [ reason ] CRLF *( field CRLF ) CRLF [ body ]
//!  field    = name ":" OWS value OWS
//!  body     = Content-Length bytes | *chunk last-chunk trailers CRLF | until close
//! ```
//!
//! A [`Connection`] reads heads and bodies where the caller keeps them and
//! writes into the caller's output. It is strict: a bare CR or LF, a folded
//! line, white space before a colon, a control character, two lengths, a length
//! beside a transfer coding end the connection, with an answer that says so.
//! All framing is decided in one place, `length`.
//!
//! ```
//! use barewire::http::{Fields, CallContext, OwnedScratch, ResponseHead, Status};
//! use barewire::http1::{Connection, Event, Limits};
//! use barewire::wire::{Instant, Role, Step};
//!
//! let now = Instant::START;
//! let mut connection = Connection::new(Role::Server, now);
//! let mut scratch = OwnedScratch::new(100);
//! let mut input = *b"GET /hello HTTP/1.1\r\nHost: example.org\r\n\r\n";
//! let mut out = Vec::new();
//!
//! let lent = CallContext {
//!     now,
//!     date: None,
//!     mask_key: [0; 4],
//!     limits: &Limits::DEFAULT,
//!     scratch: scratch.lend(),
//! };
//! let received = connection.receive(&mut input, lent, &mut out)?;
//! let Step::Event(Event::Request { head, .. }) = received.step else {
//!     panic!("a whole request came");
//! };
//! assert_eq!(head.target.path(), "/hello");
//!
//! let response = ResponseHead::new(Status::OK, Fields::EMPTY);
//! connection.send_whole(&response, b"Hello!", None, now, &mut out)?;
//! assert_eq!(out, b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nHello!");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod chunked;
mod connection;
mod encode;
mod error;
mod event;
mod head;
mod length;
mod limits;
mod lines;
mod semantics;
mod start_line;
mod state;

pub use crate::http::BodyLength;
pub use connection::Connection;
pub use error::{ProtocolError, UsageError};
pub use event::{Closing, Event};
pub use limits::Limits;
