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
//! # Inside
//!
//! [`Connection`] is a list of parts, each of which owns its own state; the calls
//! put them together:
//!
//! ```text
//!   input --> Reading ------> receive: control | data | message --> Event
//!             (frames)              |
//!                Settings  Decoding |  Streams  Flow      Flood       GoAway  Clock
//!                          (HPACK)     (table)  (windows) (budgets)   (end)   (deadlines)
//!                          Encoding |
//!                                   |
//!   call ---> send | content | reply -------------------------------> output
//! ```
//!
//! Why the windows of streams are opened by [`Connection::consume`] and not as their
//! bytes arrive: what is given out is held by the caller until it is used, and a peer
//! is to send no more than the caller will hold. Why header blocks are decoded even
//! for streams that are refused, and kept in step when they are too large: both sides'
//! HPACK tables change with every block, wanted or not.
//!
//! Faults are told apart by whose they are and how far they
//! reach: a [`ProtocolError`] ends the connection with GOAWAY, a [`StreamError`]
//! its stream with RST_STREAM and is reported as
//! [`Event::StreamError`], and a [`UsageError`] is our own side's. What a peer may cost
//! is in [`Limits`]; there is none for tiny DATA frames, because they cost
//! nothing but their octets: they are joined where they lie.

mod block;
mod clock;
mod closed;
mod connection;
mod cost;
mod data_frames;
mod decoding;
mod encoding;
mod error;
mod event;
mod fields;
mod flood;
mod flow;
mod frame;
mod goaway;
mod head;
mod known_blocks;
mod known_heads;
mod limits;
mod located_event;
mod payload;
mod reading;
mod schedule;
mod settings;
mod state;
mod stream;
mod streams;
mod table;
mod window;

pub use crate::http::BodyLength;
pub use connection::Connection;
pub(crate) use cost::Answer;
pub use error::{ErrorCode, ProtocolError, StreamError, UsageError};
pub use event::Event;
pub(crate) use flood::Spent;
pub use frame::PREFACE;
pub use limits::Limits;
pub(crate) use located_event::LocatedEvent;
pub(crate) use table::{Numbered, Table};
