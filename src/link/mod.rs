//! Layer 3: one whole connection without I/O.
//!
//! A [`Link`] holds the machine of whatever protocol its connection speaks at
//! the moment and gives all of them one vocabulary: an [`Event`] in, a call
//! out. Protocols change underneath (a request becomes a WebSocket) without a
//! byte lost, because what the old machine has not used is what the new one is
//! fed next.
//!
//! ```text
//!            ┌────────────────────── Link ──────────────────────┐
//!  input ──► │ Protocol: Http1 ──upgrade──► WebSocket │ Raw      │ ──► Event
//!  output ◄─ │ Parked: a request whose body is being collected   │ ◄── respond, write,
//!            └───────────────────────────────────────────────────┘     send, close
//! ```
//!
//! The exchange goes: `Request` with its content in whole, or with `Follows`.
//! In the second case the owner decides at once: [`Link::collect`] keeps the
//! request until its body is complete and gives it again in whole,
//! [`Link::accept_body`] has the body come in `Body` events, and a response
//! refuses it.

mod error;
mod event;
mod limits;
mod parked;
mod protocol;
mod receive;
mod reply;
mod timing;

pub use error::{Misuse, Violation};
pub use event::{Event, Gone};
pub use limits::Limits;
pub use parked::{Parked, Shelf};
pub use protocol::{Closing, Lent, Link};
pub use reply::{Body, Snapshot};
