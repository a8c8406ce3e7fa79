//! WebSockets on a loop.
//!
//! ```text
//!   LoopWebSockets ──► Driver: the loop's owner of all connections
//!                        Seat ── wish ──► connect, cut
//!                        Link: dial, handshake ── news ──► Seat ──► a listener
//!   Seat: that of a LoopWebSocket, or of a LoopReconnecting
//! ```

mod desk;
mod driver;
mod line;
mod link;
mod queue;
mod seat;
mod socket;
mod sockets;

pub(super) use desk::Desk;
pub(super) use line::Line;
pub(super) use link::{Attempt, News};
pub(super) use seat::{Place, Seat, Wish};
pub use socket::{LoopWebSocket, WebSocketListener};
pub use sockets::LoopWebSockets;
