//! Connections at rest, packed: what they are, and when that happens.
//!
//! ```text
//!                        rests, and too many are whole
//!   whole: a box of some 200 bytes ----------> packed: HTTP/1.1 or a WebSocket, 40 bytes
//!     link, peer, input, output  <----------           HTTP/2, the machine alone
//!                        something happens to it
//! ```
//!
//! `docs/resting-connections.md` is the page on it. `connections` is the table
//! of all connections, `warmth` knows which of the whole ones stay whole,
//! `resting` and `idle` are the two short forms.

pub(super) mod connections;
mod resting;
pub(super) mod warmth;
