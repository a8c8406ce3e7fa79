//! HTTP/2 (RFC 9113) as a machine without I/O, in both roles.
//!
//! A connection carries frames, each for one of many streams; a stream carries
//! one exchange:
//!
//! ```text
//!   client: preface, SETTINGS      server: SETTINGS
//!
//!   | length (24) | type (8) | flags (8) |R| stream (31) | payload ...
//!
//!   HEADERS [CONTINUATION ...]      the head, compressed by HPACK
//!   DATA ...                        content, under two windows
//!   [HEADERS]                       trailers
//! ```
//!
//! [`Connection`] remembers the settings of both sides, both compression
//! tables, the windows, and of each open stream some 70 bytes. It holds no
//! byte of any message: a header block is put together in the caller's input,
//! content is lent as it comes, and what is to be sent is taken as far as the
//! windows and a fair share allow. Extended CONNECT (RFC 8441) is an ordinary
//! request with a protocol; PRIORITY is ignored; pushes are refused.
//!
//! What can go wrong is told apart by whose fault it is and how far it
//! reaches: a [`ProtocolError`] ends the connection with GOAWAY, an error of one
//! stream ends that stream with RST_STREAM and is reported as
//! [`Event::Reset`], and a [`UsageError`] is our own side's. What a peer may cost
//! is in [`Limits`]; there is none for tiny DATA frames, because they cost
//! nothing but their octets: they are joined where they lie.

mod assemble;
mod block;
mod complete_request;
mod complete_response;
mod connection;
mod control;
mod cost;
mod data;
mod error;
mod event;
mod fields;
mod flood;
mod frame;
mod head;
mod known_blocks;
mod known_heads;
mod limits;
mod located_event;
mod message;
mod payload;
mod receive;
mod schedule;
mod send;
mod settings;
mod state;
mod streams;
mod table;
mod time;
mod window;

pub(crate) use complete_response::Answer;
pub use connection::Connection;
pub use error::{ErrorCode, ProtocolError, UsageError};
pub use event::{BodyLength, Event};
pub(crate) use flood::Spent;
pub use frame::PREFACE;
pub use limits::Limits;
pub(crate) use located_event::LocatedEvent;
pub(crate) use table::{Numbered, Table};
