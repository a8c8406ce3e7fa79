//! A connection of HTTP/2 among threads.
//!
//! ```text
//!   Seat of a call ──RequestSender──►┌───── lock ─────┐
//!   Seat ◄──news── Desk ◄─────events─┤ Driven         ├──written under the lock
//!                    │               └────────────────┘
//!                    └ Handover: which of the waiting threads waits for the socket
//! ```
//!
//! One of the threads that wait for their answers leads: it works for all of them, and
//! waits for the socket. What it reads it stores for the calls that it is for, and wakes
//! their threads; each looks at its own news, decodes, and calls back on its own. Content
//! that its reader has not taken stays within the window of its stream, and the
//! connection's window has room for all streams, so that no call waits for another's
//! reader.

mod connection;
mod desk;
mod handover;
mod news;
mod seat;

pub(super) use connection::SharedConnection;
pub(super) use seat::Seat;
