//! What an event source says of itself.

use crate::wire::Instant;

/// What an event source has its owner do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextStep {
    /// Send the request.
    Connect,
    /// Nothing, until then.
    WaitUntil(Instant),
    /// Wait for the response to the request.
    AwaitResponse,
    /// Read the body of the response. At this time, if there is one, call
    /// [`elapsed`](super::EventSourceCore::elapsed).
    ReadUntil(Instant),
    /// Nothing: the source is over. [`end`](super::EventSourceCore::end) says why.
    Over,
}

/// The state of an event source, as `readyState` has it (WHATWG HTML §9.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadyState {
    /// There is no stream at present, and there is to be one again.
    Connecting,
    /// The stream is open.
    Open,
    /// It is over.
    Closed,
}
