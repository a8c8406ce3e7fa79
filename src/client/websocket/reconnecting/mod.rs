//! WebSockets that reconnect.
//!
//! ```text
//!   Reconnector: what to do, what to write, what becomes of messages    without I/O
//! ```

mod core;
mod event;
mod limits;
mod options;
mod policy;
mod queue;
mod receipt;
mod resume;
mod schedule;

pub use self::core::Reconnector;
pub use event::{ConnectAttempt, ReconnectError, ReconnectEvent, ReconnectTask, ToWrite};
pub use limits::ReconnectLimits;
pub use options::ReconnectOptions;
pub use policy::{Closed, ComeBack, Confirmation, QueuePolicy, UnknownPolicy};
pub use receipt::{Receipt, ReceiptState};
pub use resume::{Position, ResumeHook, Seen};
