//! The answers of a machine's `receive`.
//!
//! The caller owns the input and the output. A machine looks at the front of
//! the input, takes at most one event from it and says how many bytes are
//! used up. The rest comes again, in front of what arrives next, exactly as
//! the call left it.

/// The side of a connection that a machine plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The side that opened the connection.
    Client,
    /// The side that accepted it.
    Server,
}

/// The answer of one call of `receive`.
#[derive(Debug, PartialEq, Eq)]
pub struct Received<E> {
    /// Bytes at the front of the input that are done with. The caller drops
    /// them before the next call. May be more than zero without an event.
    pub used: usize,
    /// The result of the call.
    pub step: Step<E>,
}

impl<E> Received<E> {
    /// `used` bytes made one event.
    #[inline]
    pub const fn event(used: usize, event: E) -> Self {
        Self {
            used,
            step: Step::Event(event),
        }
    }

    /// `used` bytes are done with; `more` further ones are needed.
    #[inline]
    pub const fn need(used: usize, more: usize) -> Self {
        Self {
            used,
            step: Step::Need(more),
        }
    }

    /// Turns the event of the answer into another vocabulary.
    #[inline]
    pub fn map<F>(self, f: impl FnOnce(E) -> F) -> Received<F> {
        Received {
            used: self.used,
            step: self.step.map(f),
        }
    }
}

/// The result of a machine's look at the front of its input.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<E> {
    /// An event, borrowed from the input and the scratch.
    Event(E),
    /// At least this many further bytes must arrive before a call is worth it.
    /// A hint, at least 1 and capped by the limits: never a reason to allocate.
    Need(usize),
    /// Our side must act first: a reply is owed, or a body is not wanted yet.
    /// The caller keeps the rest and stops reading.
    Paused,
    /// The output has less room than one control reply. The caller flushes and
    /// calls again with the same input.
    Full,
    /// No more input will be looked at.
    Done,
}

impl<E> Step<E> {
    /// Turns the event of the step into another vocabulary.
    #[inline]
    pub fn map<F>(self, f: impl FnOnce(E) -> F) -> Step<F> {
        match self {
            Self::Event(event) => Step::Event(f(event)),
            Self::Need(more) => Step::Need(more),
            Self::Paused => Step::Paused,
            Self::Full => Step::Full,
            Self::Done => Step::Done,
        }
    }
}
