//! Receiving: the calls, and the search for the next event.

mod control;
mod data;
mod message;

use super::{Connection, Phase};
use crate::http::{CallContext, Scratch, date::Date};
use crate::http2::event::Event;
use crate::http2::located_event::LocatedEvent;
use crate::http2::payload::{self, CONTROL_ROOM};
use crate::http2::reading::{Read, Reading, Rules};
use crate::http2::streams::Late;
use crate::http2::{ErrorCode, Limits, ProtocolError, StreamError};
use crate::wire::{Instant, Received, Role, Sink};

impl Connection {
    /// Takes at most one event from the front of `input`.
    ///
    /// Bytes past [`used`](Received::used) must be shown again as this call
    /// left them, with whatever arrives behind them. What the protocol itself
    /// answers is in `out` when the call returns: acknowledgements, window
    /// updates, resets, 431. To be called until it gives no event, also when
    /// the input is used up.
    ///
    /// # Errors
    /// The fault of the peer. The GOAWAY that says so is the last thing in
    /// `out`, and every later call returns the same error.
    pub fn receive<'b>(
        &mut self,
        input: &'b mut [u8],
        lent: CallContext<'b, Limits>,
        out: &mut impl Sink,
    ) -> Result<Received<Event<'b>>, ProtocolError> {
        let mut lent = lent;
        let (used, found) = self.receive_found(input, &mut lent, out)?;
        let step = found.borrow(input, lent.scratch);
        Ok(Received { used, step })
    }

    /// [Receives](Self::receive) an event as places in `input` and the scratch, and the bytes
    /// done with.
    #[inline(always)]
    pub(crate) fn receive_found(
        &mut self,
        input: &mut [u8],
        lent: &mut CallContext<'_, Limits>,
        out: &mut impl Sink,
    ) -> Result<(usize, LocatedEvent), ProtocolError> {
        if let Phase::Failed(violation) = self.phase {
            return Err(violation);
        }
        let (now, limits) = (lent.now, lent.limits);
        if self.phase == Phase::New && self.open(limits, now, out).is_err() {
            return Ok((0, LocatedEvent::Full));
        }
        // Any octet is a sign of life, and answers a ping that asked for one.
        if !input.is_empty() {
            self.clock.hear(now);
        }
        let mut receiving = Receiving {
            connection: self,
            input,
            at: 0,
            now,
            date: lent.date,
            limits,
            scratch: &mut lent.scratch,
            out,
        };
        match receiving.find() {
            Ok(found) => Ok((receiving.at, found)),
            Err(violation) => Err(self.fail(violation, out)),
        }
    }

    /// Does what a call without input would do, if that brings no event; returns whether only
    /// further input can. A `false` may be cautious, and then nothing was done.
    #[inline]
    pub(crate) fn catch_up(&mut self, out: &mut impl Sink) -> bool {
        let is_between = self.phase == Phase::Open
            && self.reading == Reading::Head
            && self.clock.is_between_frames()
            && self.goaway.refused_above().is_none();
        if !is_between || out.room() < CONTROL_ROOM {
            return false;
        }
        if self.flow.is_due() {
            self.put_updates(out);
        }
        true
    }

    /// Whether the next call needs no input: the end of content, or streams refused by GOAWAY.
    pub(crate) fn is_pending(&self) -> bool {
        matches!(self.phase, Phase::New | Phase::Open)
            && (self.reading.has_end() || self.first_refused().is_some())
    }

    /// A stream of ours that the peer will not look at, as it has said in GOAWAY.
    fn first_refused(&self) -> Option<u32> {
        let above = self.goaway.refused_above()?;
        match self.role {
            Role::Client => self.streams.first_own_above(above),
            // What a client names is the last stream that a server has pushed, and
            // we push none.
            Role::Server => None,
        }
    }

    /// Takes the end of the transport's input. Answers that are under way may
    /// still go out, as far as the windows reach: no further one will come, so
    /// [`elapsed`](Self::elapsed) resets a stream as soon as it needs one. A peer
    /// that cannot answer is not asked: it is not pinged, and need not acknowledge
    /// settings.
    ///
    /// # Errors
    /// [`ProtocolError::Incomplete`] if the input ends inside a frame, or while a
    /// message of the peer is not finished; after a failure, that failure.
    pub fn receive_eof(&mut self) -> Result<(), ProtocolError> {
        match self.phase {
            Phase::New | Phase::Open => {}
            Phase::Done => return Ok(()),
            Phase::Failed(violation) => return Err(violation),
        }
        let between = matches!(self.reading, Reading::Head | Reading::Preface);
        // A stream on which the peer may still send lacks the end of its message.
        let open = self.streams.iter().any(|stream| stream.state.receives());
        let begun = !self.clock.is_between_frames() && self.settings.is_greeted();
        if !between || open || begun {
            self.phase = Phase::Failed(ProtocolError::Incomplete);
            self.clock.stop();
            return Err(ProtocolError::Incomplete);
        }
        self.clock.end_input();
        self.settings.excuse();
        self.goaway.end_at(self.streams.last_peer());
        self.finish_drain();
        Ok(())
    }
}

/// The result of a step through the input: an event, if there is one already.
type Outcome = Result<Option<LocatedEvent>, ProtocolError>;

struct Receiving<'c, 's, O> {
    connection: &'c mut Connection,
    input: &'c mut [u8],
    /// The bytes of the input that are done with.
    at: usize,
    now: Instant,
    date: Option<&'c Date>,
    limits: &'c Limits,
    scratch: &'c mut Scratch<'s>,
    out: &'c mut O,
}

impl<O: Sink> Receiving<'_, '_, O> {
    fn find(&mut self) -> Result<LocatedEvent, ProtocolError> {
        if let Some(found) = self.next_refused() {
            return Ok(found);
        }
        loop {
            if self.connection.phase == Phase::Done {
                self.at = self.input.len();
                return Ok(LocatedEvent::Done);
            }
            // Any frame may have to be answered, and its answer cannot be put off: so none is
            // read without room for one.
            if self.out.room() < CONTROL_ROOM {
                return Ok(LocatedEvent::Full);
            }
            if self.connection.flow.is_due() {
                self.connection.put_updates(self.out);
            }
            let found = match self.connection.reading {
                Reading::Preface => self.preface()?,
                Reading::Skip(left) => self.skip(left),
                Reading::Data(data) => self.data(data)?,
                Reading::Head => {
                    let start = self.at;
                    let found = self.known_request()?;
                    if self.at == start {
                        self.frame()?
                    } else {
                        found
                    }
                }
                Reading::Block(_) => self.frame()?,
            };
            if let Some(found) = found {
                return Ok(found);
            }
        }
    }

    /// The part of the input that is not used up.
    #[inline(always)]
    fn rest(&mut self) -> &mut [u8] {
        &mut self.input[self.at..] // it grows only by what was looked at
    }

    fn preface(&mut self) -> Outcome {
        let rest = &self.input[self.at..]; // see `rest`
        let missing = self.connection.reading.preface(rest, &mut self.at)?;
        Ok((missing > 0).then_some(LocatedEvent::Need(missing)))
    }

    fn skip(&mut self, left: u32) -> Option<LocatedEvent> {
        let rest = &self.input[self.at..]; // see `rest`
        let is_all = self.connection.reading.skip(left, rest, &mut self.at);
        (!is_all).then_some(LocatedEvent::Need(1))
    }

    fn frame(&mut self) -> Outcome {
        let start = self.at;
        let connection = &mut *self.connection;
        let rules = Rules {
            role: connection.role,
            is_greeted: connection.settings.is_greeted(),
            frame: connection.settings.own().frame,
            limits: self.limits,
        };
        let rest = &mut self.input[start..]; // see `rest`
        let read = connection.reading.frame(rest, &mut self.at, &rules)?;
        self.note_begun(matches!(
            read,
            Read::Need { begun: true, .. } | Read::Part(..)
        ));
        match read {
            Read::Need { more, .. } => Ok(Some(LocatedEvent::Need(more))),
            Read::Dropped => Ok(None),
            Read::Data(head) => self.begin_data(head),
            Read::Control(head, body) => self.control(head, start + body.start..start + body.end),
            Read::Block(block, octets) => {
                self.finish_block(block, start + octets.start..start + octets.end)
            }
            Read::Part(mut block, octets) => {
                let Self {
                    connection,
                    input,
                    scratch,
                    ..
                } = self;
                let octets = &input[start + octets.start..start + octets.end]; // within
                let own = connection.settings.own();
                let decoding = &mut connection.decoding;
                let used = decoding.skim(&mut block, octets, own, scratch)?;
                connection.reading = Reading::Block(block);
                self.at += used;
                Ok(None)
            }
        }
    }

    #[inline]
    fn note_begun(&mut self, begun: bool) {
        if self.connection.settings.is_greeted() {
            let clock = &mut self.connection.clock;
            clock.note_begun(begun, self.limits, self.now);
        }
    }

    fn late(&mut self, late: Late) -> Outcome {
        match late {
            Late::Crossed => Ok(None),
            Late::Perhaps => {
                let flood = &mut self.connection.flood;
                flood.error(self.limits, self.now).map(|()| None)
            }
        }
    }

    /// Ends a stream over an error of the peer (RFC 9113 §5.4.2).
    fn stream_error(&mut self, stream: u32, error: StreamError) -> Outcome {
        self.connection.flood.error(self.limits, self.now)?;
        payload::put_reset(stream, error.code(), self.out);
        self.connection.remove(stream, true, self.now);
        Ok(Some(LocatedEvent::StreamError { stream, error }))
    }

    fn next_refused(&mut self) -> Option<LocatedEvent> {
        self.connection.goaway.refused_above()?;
        let Some(stream) = self.connection.first_refused() else {
            self.connection.goaway.note_ended();
            return None;
        };
        self.connection.remove(stream, false, self.now);
        Some(LocatedEvent::Reset {
            stream,
            code: ErrorCode::REFUSED_STREAM,
        })
    }
}

#[cfg(test)]
mod tests;
