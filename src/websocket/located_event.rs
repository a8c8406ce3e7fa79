//! Events before they are borrowed.

use super::{CloseCode, Event, Kind};
use crate::http::Scratch;
use crate::wire::{Step, simd};

/// An event as a place in the input: first byte and one past the last.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LocatedEvent {
    pub(super) what: What,
    pub(super) from: usize,
    pub(super) to: usize,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum What {
    Message(Kind),
    Chunk {
        kind: Kind,
        last: bool,
    },
    /// An inflated message: a place in the inflater's buffer.
    #[cfg(feature = "alloc")]
    Inflated(Kind),
    #[cfg(feature = "alloc")]
    InflatedChunk {
        kind: Kind,
        last: bool,
    },
    Ping,
    Pong,
    Close(Option<CloseCode>),
    Need(usize),
    Done,
}

impl LocatedEvent {
    /// No event, and none that is still to come.
    pub(super) const DONE: Self = Self {
        what: What::Done,
        from: 0,
        to: 0,
    };

    pub(super) const fn need(more: usize) -> Self {
        Self {
            what: What::Need(more),
            from: 0,
            to: 0,
        }
    }

    pub(crate) const fn is_event(&self) -> bool {
        !matches!(self.what, What::Need(_) | What::Done)
    }

    /// The event itself, borrowed from the input that it was found in, or from what was
    /// lent meanwhile.
    #[inline]
    pub(crate) fn borrow<'b>(self, input: &'b mut [u8], scratch: Scratch<'b>) -> Step<Event<'b>> {
        #[cfg(feature = "alloc")]
        let input = match self.what {
            What::Inflated(_) | What::InflatedChunk { .. } => scratch.into_plain(),
            _ => input,
        };
        #[cfg(not(feature = "alloc"))]
        let _ = scratch;
        let payload = input.get_mut(self.from..self.to).unwrap_or_default();
        Step::Event(match self.what {
            What::Message(kind) => Event::Message { kind, payload },
            What::Chunk { kind, last } => Event::Chunk {
                kind,
                payload,
                last,
            },
            #[cfg(feature = "alloc")]
            What::Inflated(kind) => Event::Message { kind, payload },
            #[cfg(feature = "alloc")]
            What::InflatedChunk { kind, last } => Event::Chunk {
                kind,
                payload,
                last,
            },
            What::Ping => Event::Ping(payload),
            What::Pong => Event::Pong(payload),
            What::Close(code) => Event::Close {
                code,
                // Checked when the frame was parsed.
                reason: simd::as_text(payload).unwrap_or_default(),
            },
            What::Need(more) => return Step::Need(more),
            What::Done => return Step::Done,
        })
    }
}
