//! Layer 2: GraphQL's transports. They carry operations; an executor runs them.
//!
//! ```text
//!   HTTP       http::Received  ──► Request ──► executor ──► JSON, http::status
//!   WebSocket  socket::Server  ──► Request ──► executor ──► next, error, complete
//!   events     http or sse::Reservation ──► … ──► next, complete
//! ```
//!
//! - [`http`]: GET and POST (GraphQL over HTTP), batches, uploads, and the rule against
//!   forms of other sites.
//! - [`socket`]: `graphql-transport-ws` and the legacy `graphql-ws`, for both sides.
//! - [`sse`]: graphql-sse, with a connection for each operation or one for all.
//! - [`Documents`]: persisted queries and trusted documents.
//!
//! Nothing here does I/O, reads a clock or draws a number. Variables, extensions and results
//! pass as they were written. What can go wrong is a [`RequestError`] with its status, or a
//! [`socket::Closing`] with its close code; what is bounded is in [`Limits`].

mod document;
mod error;
pub mod http;
mod limits;
mod persisted;
mod request;
pub mod socket;
pub mod sse;

pub use document::OperationType;
pub use error::{RequestError, write_error};
pub use limits::Limits;
pub use persisted::{Documents, document_hash};
pub use request::Request;
