//! Faults of a stream, by the side that is to blame.

/// The peer sent more than the limits bear. Nothing else is an error in this
/// format: lines that make no sense are ignored (WHATWG HTML §9.2.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// A block, or a line outside of one, outgrew
    /// [`Limits::event`](super::Limits::event).
    #[error("event is larger than the limit (WHATWG HTML §9.2.6)")]
    EventTooLarge,
    /// An event ID outgrew [`Limits::id`](super::Limits::id).
    #[error("event ID is longer than the limit (WHATWG HTML §9.2.6)")]
    IdTooLong,
}

/// The caller asked for what cannot stand in a stream. Nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UsageError {
    /// The event type holds CR, LF or NUL, which would end its line or be
    /// lost.
    #[error("event type holds CR, LF or NUL (WHATWG HTML §9.2.5)")]
    Event,
    /// The event ID holds CR, LF or NUL: the first two would end its line, and
    /// a client ignores an ID with the third.
    #[error("event ID holds CR, LF or NUL (WHATWG HTML §9.2.6)")]
    Id,
    /// The output has too little room for the whole block.
    #[error("too little room in the output")]
    NoRoom,
}
