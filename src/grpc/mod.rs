//! gRPC calls and gRPC-Web, over any version of HTTP.
//!
//! A body is a row of messages, each after a prefix of five bytes (gRPC over
//! HTTP2, "Length-Prefixed-Message"):
//!
//! ```text
//!  +------+-------------------+------------------+
//!  | flag | length, big-endian|     message      |
//!  | 1 B  |        4 B        |   length bytes   |
//!  +------+-------------------+------------------+
//!    0 as it is, 1 compressed; in gRPC-Web also 0x80: trailers
//! ```
//!
//! Native gRPC ends with HTTP trailers that carry `grpc-status`. gRPC-Web
//! needs no HTTP/2: its trailers are the last frame of the body, and in its
//! text form the body is base64, which may be padded between and inside of
//! frames. [`Mode`] names the three forms; [`Call`] is the side of a server
//! and [`ClientCall`] that of a client, both filters over HTTP heads and body
//! bytes, so that HTTP/1.1 and HTTP/2 share them.
//!
//! A server calls [`Call::open`] and [`Call::request`] with the head, then
//! [`receive`](Call::receive) with the body and [`receive_eof`](Call::receive_eof) at
//! its end. It answers, also between these, with [`send_head`](Call::send_head),
//! [`send_message`](Call::send_message) and last
//! [`send_status`](Call::send_status); [`announce`](Call::announce) comes before the
//! head. A client sends first ([`send_head`](ClientCall::send_head),
//! [`send_message`](ClientCall::send_message)) and then takes the response:
//! [`receive_head`](ClientCall::receive_head), [`receive`](ClientCall::receive), and
//! [`receive_trailers`](ClientCall::receive_trailers) or
//! [`receive_eof`](ClientCall::receive_eof). The two directions change nothing of each
//! other, because a stream of messages may flow both ways together. Deadlines are
//! the caller's: a filter has no time of its own.
//!
//! ```
//! use barewire::grpc::{Compression, Limits, frame};
//! use barewire::wire::Step;
//!
//! let mut body = Vec::new();
//! frame::encode_message(b"hello", &mut body).unwrap();
//! assert_eq!(body, b"\0\0\0\0\x05hello");
//!
//! let mut decoder = frame::Decoder::native(Compression::Absent);
//! let received = decoder.receive(&mut body, &Limits::DEFAULT).unwrap();
//! let Step::Event(frame::Frame::Message(message)) = received.step else { panic!() };
//! assert_eq!(message.bytes, b"hello");
//! ```

mod body;
#[cfg(feature = "alloc")]
mod call;
#[cfg(feature = "alloc")]
mod client_call;
#[cfg(feature = "alloc")]
mod codec;
#[cfg(feature = "alloc")]
pub mod connect;
#[cfg(feature = "alloc")]
mod details;
mod encoding;
mod error;
pub mod frame;
#[cfg(feature = "gzip")]
mod gzip;
mod limits;
#[cfg(feature = "alloc")]
mod lines;
pub mod metadata;
#[cfg(feature = "alloc")]
pub(crate) mod protobuf;
mod protocol;
#[cfg(feature = "alloc")]
mod request_head;
mod status;
mod text;
pub mod timeout;
pub mod web;

pub use body::Body;
#[cfg(feature = "alloc")]
pub use call::Call;
#[cfg(feature = "alloc")]
pub use client_call::{ClientCall, Event, Trailers};
#[cfg(feature = "json")]
pub use codec::Json;
#[cfg(all(feature = "alloc", feature = "prost"))]
pub use codec::Proto;
#[cfg(feature = "alloc")]
pub use codec::{CallStatus, Payload};
#[cfg(feature = "alloc")]
pub use details::Detail;
#[cfg(feature = "alloc")]
pub(crate) use details::from_field as details_from_field;
pub use encoding::Encoding;
pub use error::{ProtocolError, Refusal, UsageError};
pub(crate) use frame::MessagePlace;
pub use frame::{Compression, Message};
#[cfg(feature = "gzip")]
pub use gzip::Gzip;
pub use limits::Limits;
#[cfg(feature = "alloc")]
pub use lines::Ending;
pub use protocol::Protocol;
#[cfg(feature = "alloc")]
pub use request_head::Request;
#[cfg(feature = "alloc")]
pub(crate) use request_head::RequestFields;
#[cfg(feature = "alloc")]
pub use status::percent_decode;
pub use status::{Code, Status, percent_encode};
pub use web::{ContentType, Mode};
