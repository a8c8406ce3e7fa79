//! Many exchanges on one connection: HTTP/2 behind the link's one vocabulary.
//!
//! ```text
//!              ┌──────────────── Multiplex ─────────────────┐
//!   input ──►  │ http2::Connection                          │
//!              │    │ stream 1: collected ──► BufferedRequest        │ ──► Request
//!              │    │ stream 3: streamed, held ──► inbox    │ ──► Body
//!              │    └ stream 5: a WebSocket, its own inbox  │ ──► Message
//!   output ◄─  │ turns ◄── outbox of each stream            │ ◄── write, finish
//!              └────────────────────────────────────────────┘
//! ```
//!
//! The machine holds no byte of any message; what the owner does not want yet
//! lies in the inbox of its stream and is not given back to the peer's window
//! until the owner has seen it. What window and socket do not take lies in the
//! outbox of its stream; the streams send in turns.

mod awaited_answer;
mod buffered_event;
mod complete_content;
mod end;
mod receive;
mod send;
mod socket;
mod starving;
mod state;
mod stream;
mod time;

pub(crate) use awaited_answer::PeerProgress;
pub(super) use receive::ReceiveContext;
pub(super) use state::Multiplex;
