//! The body of a response as the events of a source.

use alloc::vec::Vec;
use core::time::Duration;

use super::core::{EventSourceCore, Stage};
use super::{EventSourceEnd, EventSourceFault, Interruption};
use crate::sse::{Decoded, Message, ProtocolError};
use crate::wire::{Instant, Received, Step};

impl EventSourceCore {
    /// Takes at most one event from the front of `input`, as
    /// [`Decoder::receive`](crate::sse::Decoder::receive) does: what is left over comes again,
    /// in front of what arrives next. [`Step::Done`] says that the source is over.
    ///
    /// # Errors
    /// [`ProtocolError`] when an event passes a limit. The source is over then.
    pub fn receive<'b>(
        &mut self,
        input: &'b mut [u8],
    ) -> Result<Received<Decoded<'b>>, ProtocolError> {
        let all = input.len();
        if !matches!(self.stage, Stage::Open { .. }) {
            return done(all);
        }
        // One variable for both answers, so that the decoder writes where the caller reads.
        let mut received = self.decoder.receive(input, &self.sse);
        if self.note(&received) {
            received = done(all);
        }
        received
    }

    /// Takes the end of the body, after `input`, what [`receive`](Self::receive) has left
    /// of it. Gives what `receive` would still give, then an event that the end cuts
    /// ([`Decoded::Cut`], which counts as not dispatched), then [`Step::Done`].
    ///
    /// # Errors
    /// Those of [`receive`](Self::receive).
    pub fn receive_end<'b>(
        &mut self,
        input: &'b mut [u8],
        now: Instant,
        dice: u32,
    ) -> Result<Received<Decoded<'b>>, ProtocolError> {
        let all = input.len();
        let Stage::Open { cut, .. } = self.stage else {
            return done(all);
        };
        // What is left of a stream has begun an event, unless it is a comment.
        let is_begun = input.first().is_some_and(|&b| b != b':');
        let received = self.decoder.receive_end(input, &self.sse);
        let is_end = matches!(&received, Ok(it) if it.step == Step::Done);
        if is_end {
            let why = match cut || is_begun {
                true => Interruption::CutInEvent,
                false => Interruption::Ended,
            };
            self.interrupt(why, Duration::ZERO, now, dice);
        }
        match self.note(&received) {
            true => done(all),
            false => received,
        }
    }

    /// Notes what the decoder has found; whether that ends the source and is not to be
    /// given out.
    #[inline(always)]
    fn note(&mut self, received: &Result<Received<Decoded<'_>>, ProtocolError>) -> bool {
        let decoded = match received {
            Ok(received) => match &received.step {
                Step::Event(decoded) => decoded,
                _ => return false,
            },
            Err(violation) => {
                self.fail(EventSourceFault::Event(*violation));
                return false;
            }
        };
        let Decoded::Message(message) = decoded else {
            return self.note_other(decoded);
        };
        // One that no field can carry is ignored, as WHATWG HTML §9.2.6 ignores one with
        // NUL: the server is asked to continue after the one before.
        if let Some(id) = message.id {
            self.reconnection.set_field_id(id);
        }
        (self.of_use, self.had_events) = (true, true);
        self.options.has_marker() && self.note_marker(message)
    }

    /// Ends the source if the event is a marker; whether that is not to be dispatched.
    #[inline]
    fn note_marker(&mut self, message: &Message<'_>) -> bool {
        let is_end = self.is_end_data(message);
        if is_end || self.is_end_event(message) {
            self.finish(EventSourceEnd::Marker);
        }
        is_end
    }

    #[cold]
    fn note_other(&mut self, decoded: &Decoded<'_>) -> bool {
        match decoded {
            // Its server has left out the last blank line.
            Decoded::Cut { message, .. } if self.is_end_data(message) => {
                self.finish(EventSourceEnd::Marker);
                return true;
            }
            Decoded::Cut { .. } => {
                if let Stage::Open { cut, .. } = &mut self.stage {
                    *cut = true;
                }
            }
            Decoded::LastEventId(id) => {
                self.reconnection.set_field_id(*id);
                self.of_use = true;
            }
            Decoded::ReconnectionTime(time) => self.reconnection.set_time(*time),
            Decoded::Message(_) => {}
        }
        false
    }

    fn is_end_data(&self, message: &Message<'_>) -> bool {
        let marker = self.options.end_data.as_deref();
        marker.is_some_and(|marker| message.data.as_bytes() == marker.as_bytes())
    }

    fn is_end_event(&self, message: &Message<'_>) -> bool {
        let marker = self.options.end_event.as_deref();
        marker.is_some_and(|marker| message.event.as_bytes() == marker.as_bytes())
    }
}

/// Nothing of the input is looked at any more.
const fn done<'b>(used: usize) -> Result<Received<Decoded<'b>>, ProtocolError> {
    Ok(Received {
        used,
        step: Step::Done,
    })
}

/// Memory that is kept while nothing is in it.
const KEPT: usize = 64 << 10;

/// The received part of a body that belongs to no event that was given out.
#[derive(Debug, Default)]
pub(super) struct Inlet {
    bytes: Vec<u8>,
    at: usize,
}

impl Inlet {
    /// The bytes in which the next event is looked for.
    pub(super) fn unread(&mut self) -> &mut [u8] {
        self.bytes.get_mut(self.at..).unwrap_or_default()
    }

    pub(super) fn take(&mut self, used: usize) {
        self.at += used;
        if self.at < self.bytes.len() {
            return;
        }
        self.at = 0;
        self.bytes.clear();
        if self.bytes.capacity() > KEPT {
            self.bytes = Vec::new();
        }
    }

    /// Adds bytes; what was done with goes, so that a byte moves at most once per piece with an
    /// event.
    pub(super) fn fill(&mut self, piece: &[u8]) {
        if self.at > 0 {
            self.bytes.drain(..self.at);
            self.at = 0;
        }
        self.bytes.extend_from_slice(piece);
    }

    pub(super) fn clear(&mut self) {
        self.take(self.bytes.len() - self.at);
    }
}

#[cfg(test)]
mod tests;
