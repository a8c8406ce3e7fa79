//! One exchange, whatever carries it.
//!
//! ```text
//!                  ┌──────────── Exchange ────────────┐
//!   the peer's ──► │ intake ─┬─ kept: BufferedRequest ─┼──► Request, TooLarge
//!   content        │         └─────────────────────────┼──► Body, End
//!   time ────────► │ due ─────────────────────────────┼──► Overdue
//!                  └──────────────────────────────────┘
//! ```
//!
//! HTTP/1.1 is a multiplex of one stream: a link has the record of its one exchange,
//! which each stream of HTTP/2 has too. What becomes of the peer's content, and of a
//! response that is owed, is written here for both. What HTTP/2 adds, flow control
//! and turns, is [`multiplex`](super::multiplex)'s: there the peer's content is held
//! up ([`Receiving`]) and ours waits ([`Sending`]), which HTTP/1.1 leaves in its
//! input and writes straight to its output. Each buffer carries the charge for its
//! memory.

mod buffered_request;
mod exchange;
mod outbox;
mod receiving;
mod sending;

pub use buffered_request::{BufferedRequest, RequestPool};
pub(super) use exchange::{Exchange, Intake};
pub(super) use outbox::{Bounded, NextBytes, Outbox};
pub(super) use receiving::Receiving;
pub(super) use sending::Sending;
