//! Layer 1: the meaning of HTTP messages, in every version (RFC 9110).
//!
//! Heads are views: the text lies in the caller's input, the ranges of the
//! fields in the [`Scratch`] that the caller lends, and nothing is copied.
//!
//! ```text
//!  RequestHead ── method, target, version ┐
//!                                         ├─ Fields ── Field { name, value }
//!  ResponseHead ── status, version ───────┘
//! ```

mod call_context;
mod connection_fields;
mod content_length;
#[cfg(feature = "alloc")]
mod cookie;
pub mod date;
#[cfg(feature = "alloc")]
mod disposition;
mod expectation;
mod field;
#[cfg(feature = "alloc")]
mod field_buffer;
mod fields;
#[cfg(feature = "alloc")]
mod file_name;
#[cfg(feature = "net")]
pub(crate) mod forwarded;
mod head;
#[cfg(feature = "http")]
mod http_types;
#[cfg(feature = "alloc")]
mod known_requests;
mod method;
#[cfg(feature = "alloc")]
pub mod multipart;
mod origin;
#[cfg(feature = "alloc")]
mod parameters;
#[cfg(any(feature = "net", feature = "graphql"))]
mod quality;
mod response_content;
mod status;
pub mod target;
#[cfg(feature = "alloc")]
mod trace_context;
pub(crate) mod trailers;

#[cfg(feature = "alloc")]
pub use call_context::OwnedScratch;
pub use call_context::{CallContext, Scratch};
pub(crate) use connection_fields::is_of_connection;
pub use content_length::BodyLength;
pub(crate) use content_length::ContentLength;
#[cfg(feature = "alloc")]
pub use cookie::{Cookie, InvalidCookie, SameSite, cookie_pairs};
#[cfg(feature = "alloc")]
pub use disposition::attachment;
pub(crate) use expectation::Expectation;
pub use field::{Field, FieldRange, InvalidField};
#[cfg(feature = "alloc")]
pub(crate) use field_buffer::ContentTypeLine;
#[cfg(feature = "alloc")]
pub use field_buffer::FieldBuffer;
pub(crate) use fields::Special;
pub use fields::{Fields, FieldsIter, List};
#[cfg(feature = "alloc")]
pub use file_name::safe_file_name;
pub use head::{Content, InvalidVersion, RequestHead, ResponseHead, Version};
#[cfg(feature = "alloc")]
pub(crate) use known_requests::{Bounds, KnownRequests, Place};
pub use method::{InvalidMethod, Method};
pub use origin::{InvalidOrigin, Origin};
#[cfg(any(feature = "net", feature = "graphql"))]
pub(crate) use quality::quality;
pub(crate) use response_content::Asks;
pub use response_content::{ContentFraming, ResponseContent, SentLength};
pub use status::{InvalidStatus, Status};
pub use target::Target;
#[cfg(feature = "alloc")]
pub use trace_context::{InvalidTrace, TraceContext};
