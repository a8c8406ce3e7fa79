//! Event streams of servers elsewhere (WHATWG HTML §9.2).

mod core;
mod delay;
mod ending;
mod limits;
mod options;
mod receiving;
mod resume;
mod steps;

pub use self::core::EventSourceCore;
pub use ending::{EventSourceEnd, EventSourceFault, Interruption};
pub use limits::EventSourceLimits;
pub use options::EventSourceOptions;
pub use resume::{Interrupted, Resume};
pub use steps::{NextStep, ReadyState};
