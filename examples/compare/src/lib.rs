//! Which protocol, measured: one program that runs them all on the same tasks.
//!
//! ```text
//!   cells ──► plan ──► measure ──► drive ──► client ══════════► server
//!  what makes            │         rates     one loop   (relay)  another process
//!    sense               ▼
//!                 report: a table, JSON, a page
//! ```
//!
//! The server is this program once more, in a process of its own. The relay stands between
//! the two where bytes are counted or a bad network is wanted, and nowhere else.

pub mod arguments;
pub mod board;
pub mod cells;
pub mod claims;
pub mod client;
pub mod drive;
pub mod machine;
pub mod measure;
pub mod network;
pub mod payload;
pub mod plan;
pub mod process;
pub mod relay;
pub mod report;
pub mod server;
pub mod wire;

/// A result whose error is text for the user of the program.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;
