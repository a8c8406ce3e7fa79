//! Event streams of servers elsewhere (WHATWG HTML §9.2).
//!
//! ```text
//!   EventSource ──asks, reads──► RequestBuilder, Response (client::http)
//!        │  │
//!        │  └─ listeners, a thread of its own, a handle for other threads
//!        ▼
//!   EventSourceCore (no I/O) ──► sse::Decoder
//!        └─ delays, rules, markers, limits
//! ```

mod control;
mod core;
mod delay;
mod ending;
mod error;
mod inlet;
mod limits;
mod listeners;
mod listening;
mod message_event;
mod options;
mod receiving;
mod resume;
mod source;
mod steps;
mod thread;

pub use self::core::EventSourceCore;
pub use control::EventSourceHandle;
pub use ending::{EventSourceEnd, EventSourceFault, Interruption};
pub use error::EventSourceError;
pub use limits::EventSourceLimits;
pub use listeners::Waiting;
pub use message_event::MessageEvent;
pub use options::EventSourceOptions;
pub use resume::{Interrupted, Resume};
pub use source::EventSource;
pub use steps::{NextStep, ReadyState};
pub use thread::EventSourceThread;
