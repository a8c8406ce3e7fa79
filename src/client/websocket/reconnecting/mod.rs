//! WebSockets that reconnect.
//!
//! ```text
//!   Reconnector: what to do, what to write, what becomes of messages    without I/O
//!   Reconnecting: the same on a thread, with a listener
//!   LoopReconnecting: the same on a loop
//! ```

mod core;
mod event;
mod handle;
mod limits;
mod listener;
mod on_loop;
mod options;
mod placing;
mod policy;
mod queue;
mod receipt;
mod resume;
mod schedule;
mod sender;
mod thread;

pub use self::core::Reconnector;
pub use event::{ConnectAttempt, ReconnectError, ReconnectEvent, ReconnectTask, ToWrite};
pub use handle::Reconnecting;
pub use limits::ReconnectLimits;
pub use listener::ReconnectListener;
pub use on_loop::LoopReconnecting;
pub use options::ReconnectOptions;
pub use policy::{Closed, ComeBack, Confirmation, QueuePolicy, UnknownPolicy};
pub use receipt::{Receipt, ReceiptState};
pub use resume::{Position, ResumeHook, Seen};
pub use sender::ReconnectSender;
