//! Event streams of servers elsewhere (WHATWG HTML §9.2).
//!
//! ```text
//!   EventSource ──asks, reads──► RequestBuilder, Response (client::http)
//!        │  │
//!        │  └─ listeners, a thread of its own, a handle for other threads
//!        ▼
//!   EventSourceCore (no I/O) ──► sse::Decoder
//!        └─ delays, rules, markers, limits
//!   LoopEventSource: the same core on a loop, with the loop's HTTP client
//! ```

mod control;
mod core;
mod ending;
mod error;
mod limits;
mod listeners;
mod listening;
mod message_event;
mod on_loop;
mod options;
mod receiving;
mod resume;
mod source;

pub use self::core::EventSourceCore;
pub use control::EventSourceHandle;
pub use core::{NextStep, ReadyState};
pub use ending::{EventSourceEnd, EventSourceFault, Interruption};
pub use error::EventSourceError;
pub use limits::EventSourceLimits;
pub use listeners::Waiting;
pub use listening::EventSourceThread;
pub use message_event::MessageEvent;
pub use on_loop::{EventListener, LoopEventSource};
pub use options::EventSourceOptions;
pub use resume::{Interrupted, Resume};
pub use source::EventSource;
