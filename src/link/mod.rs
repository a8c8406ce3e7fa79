//! Layer 3: one whole connection without I/O.
//!
//! A [`Link`] holds the machine of whatever protocol its connection speaks at
//! the moment and gives all of them one vocabulary: an [`Event`] in, a call
//! out. Protocols change underneath (a request becomes a WebSocket) without a
//! byte lost, because what the old machine has not used is what the new one is
//! fed next.
//!
//! ```text
//!            ┌────────────────────── Link ───────────────────────┐
//!  input ──► │ Protocol: Http1 ──upgrade──► WebSocket │ Raw       │ ──► Event
//!            │             └──preface──► Http2, many streams     │
//!  output ◄─ │ Exchange: the present one; a stream has its own   │ ◄── respond, write,
//!            └───────────────────────────────────────────────────┘     send, close
//! ```
//!
//! The exchange goes: `Request` with its complete content, or with `Follows`.
//! In the second case the owner decides immediately: [`Link::collect`] keeps the
//! request until its body is complete and gives it again,
//! [`Link::accept_body`] has the body come in `Body` events, and a response
//! refuses it.
//!
//! Calls name the exchange by its stream. On HTTP/2 that is the stream's own
//! number, and the exchanges of one connection know nothing of each other; a
//! connection that speaks one at a time has one at a time.

mod account;
mod body;
mod drain_buffer;
mod error;
mod event;
mod exchanges;
mod handing_on;
mod limits;
mod message;
mod multiplex;
mod owner;
mod protocol;
mod receive;
mod reply;
mod resting;
mod segments;
mod shared;
mod spent;
mod starving;
mod timing;

pub(crate) use crate::websocket::deflate::Session;
use account::Promise;
pub use account::{Account, Charge, Full};
#[cfg(feature = "net")]
pub(crate) use account::{LITTLE, Pace};
pub use body::Body;
pub(crate) use drain_buffer::DrainBuffer;
pub use error::{ProtocolError, UsageError};
pub use event::{EndReason, Event, Unreachable};
pub use exchanges::{BufferedRequest, RequestPool};
pub use limits::Limits;
pub(crate) use message::{Packing, encode_message, is_worth_packing, pack_message};
pub(crate) use multiplex::PeerProgress;
pub(crate) use owner::{EventContext, Lender, LinkOwner, Loan, MessageRun, pass_on};
pub use protocol::{CallContext, Closing, Link};
pub use reply::Snapshot;
pub(crate) use resting::Idle;
pub(crate) use resting::Resting;
pub(crate) use segments::{Reference, SEGMENT, SHARED_FROM, Segment, Segments, Stored, clamp};
pub(crate) use spent::Spent;
