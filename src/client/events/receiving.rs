//! The body of a response as the events of a source.

use core::time::Duration;

use super::core::{EventSourceCore, Stage};
use super::{EventSourceEnd, EventSourceFault, Interruption};
use crate::sse::{self, Decoded, Message, Text};
use crate::wire::{Instant, Received, Step, ascii};

impl EventSourceCore {
    /// Takes at most one event from the front of `input`, as
    /// [`Decoder::receive`] does: what is left over comes again, in front of what
    /// arrives next. [`Step::Done`] says that the source is over.
    pub fn receive<'b>(&mut self, input: &'b mut [u8]) -> Received<Decoded<'b>> {
        if !matches!(self.stage, Stage::Open { .. }) {
            return done(input.len());
        }
        let all = input.len();
        let received = self.decoder.receive(input, &self.sse);
        self.take(received, all)
    }

    /// Takes the end of the body, behind `input`, what [`receive`](Self::receive) has
    /// left of it. Gives what `receive` would still give, then an event that the end cuts
    /// ([`Decoded::Cut`], which counts as not dispatched), then [`Step::Done`].
    pub fn receive_end<'b>(
        &mut self,
        input: &'b mut [u8],
        now: Instant,
        dice: u32,
    ) -> Received<Decoded<'b>> {
        let all = input.len();
        let Stage::Open { cut, .. } = self.stage else {
            return done(all);
        };
        // What is left of a stream has begun an event, unless it is a comment.
        let is_begun = input.first().is_some_and(|&b| b != b':');
        let received = self.decoder.receive_end(input, &self.sse);
        match received {
            Ok(ref it) if it.step == Step::Done => {
                let why = match cut || is_begun {
                    true => Interruption::CutInEvent,
                    false => Interruption::Ended,
                };
                self.interrupt(why, Duration::ZERO, now, dice);
                done(all)
            }
            received => self.take(received, all),
        }
    }

    /// Notes what the decoder has found.
    fn take<'b>(
        &mut self,
        received: Result<Received<Decoded<'b>>, sse::ProtocolError>,
        all: usize,
    ) -> Received<Decoded<'b>> {
        let received = match received {
            Ok(received) => received,
            Err(violation) => {
                self.fail(EventSourceFault::Event(violation));
                return done(all);
            }
        };
        let Step::Event(decoded) = &received.step else {
            return received;
        };
        match decoded {
            Decoded::Message(message) => {
                if let Some(id) = message.id {
                    self.note_id(id, decoded);
                }
                (self.of_use, self.had_events) = (true, true);
                if self.is_end_data(message) {
                    self.stage = Stage::Over(EventSourceEnd::Marker);
                    return done(all);
                }
                if self.is_end_event(message) {
                    self.stage = Stage::Over(EventSourceEnd::Marker);
                }
            }
            Decoded::LastEventId(id) => {
                self.note_id(*id, decoded);
                self.of_use = true;
            }
            Decoded::ReconnectionTime(_) => self.reconnection.observe(decoded),
            // Its server has left out the last blank line.
            Decoded::Cut { message, .. } if self.is_end_data(message) => {
                self.stage = Stage::Over(EventSourceEnd::Marker);
                return done(all);
            }
            Decoded::Cut { .. } => {
                if let Stage::Open { cut, .. } = &mut self.stage {
                    *cut = true;
                }
            }
        }
        received
    }

    /// Takes over an ID. One that no field can carry is ignored, as WHATWG HTML §9.2.6
    /// ignores one with NUL: the server is asked to go on behind the one before.
    fn note_id(&mut self, id: Text<'_>, decoded: &Decoded<'_>) {
        if ascii::is_field_value(id.as_bytes()) {
            self.reconnection.observe(decoded);
        }
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
const fn done<E>(used: usize) -> Received<E> {
    Received {
        used,
        step: Step::Done,
    }
}
