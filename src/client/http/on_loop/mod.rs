//! The HTTP client on a loop.
//!
//! ```text
//!   LoopClient ──open──► News ──► Driver ◄──events── connections of the loop
//!   LoopCall: cancel, pause, write ─┘ │ ▲
//!                                     │ └── Call (no I/O): what is done next
//!   ResponseListener ◄──told──────────┘
//!                                     └──► State (no I/O): which connection is taken
//! ```
//!
//! Everything is on the loop's thread. What the application does is noted, and done by the
//! driver, so that a listener may do whatever it likes while it is called.

mod call;
mod client;
mod connecting;
mod driver;
mod elapsing;
mod links;
mod listener;
mod news;
mod placing;
mod running;
mod stepping;
mod ticket;
mod whole;

pub use call::LoopCall;
pub use client::LoopClient;
pub use listener::{ResponseListener, ResponseView};
pub use whole::WholeResponse;
