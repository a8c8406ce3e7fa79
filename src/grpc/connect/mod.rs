//! The Connect protocol: the calls of gRPC as plain HTTP, with JSON by choice.
//!
//! ```text
//!  unary      POST /a.B/C   Content-Type: application/json          {"name": "Buf"}
//!             GET  /a.B/C?connect=v1&encoding=json&message=%7B%7D
//!             200           Trailer-Cost: 237                       {"greeting": "Hello"}
//!             404           Content-Type: application/json          {"code": "not_found"}
//!  streaming  POST /a.B/D   Content-Type: application/connect+json  envelopes
//!             200                                                   envelopes, the last with
//!                                                                   the flag 2: {"error": ...}
//! ```
//!
//! A unary message is the content itself; those of streams are in envelopes, which are
//! the [frames](super::frame) of gRPC with another flag for the last. There are no
//! trailers of HTTP, so that HTTP/1.1 serves everything but streams that flow both ways.
//! [`Call`] is the side of a server and [`ClientCall`] that of a client: filters over
//! heads and bytes of content, like [`grpc::Call`](super::Call).
//!
//! Specification: <https://connectrpc.com/docs/protocol>.

mod call;
mod client_call;
mod codes;
mod content_type;
mod end_stream;
mod error_body;
mod json;
mod query;
mod timeout;

pub use call::{Call, Refusal};
pub use client_call::{ClientCall, Event, Outcome};
pub use codes::{code_from_name, code_name, http_status};
pub use content_type::{ContentType, Shape};
pub use end_stream::EndStream;
pub use error_body::ErrorBody;
pub use query::{InvalidQuery, Query};
pub use timeout::{parse_timeout, put_timeout};

const ACCEPTED: &str = if cfg!(feature = "gzip") {
    "gzip"
} else {
    "identity"
};
