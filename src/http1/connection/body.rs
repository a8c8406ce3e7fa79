//! Bodies as they are read.

use super::intake::{Reading, field_room};
use super::{After, BodyDemand, Connection};
use crate::http::{CallContext, Content, FieldRange, Fields, trailers};
use crate::http1::chunked::Chunked;
use crate::http1::length::Framing;
use crate::http1::lines::Head;
use crate::http1::start_line::NoLine;
use crate::http1::state::{Input, Request, Response};
use crate::http1::{Event, Limits, ProtocolError};
use crate::wire::{Instant, Received, Role, Step, shortcut};

impl Connection {
    pub(super) fn begin_body<'b>(&mut self, framing: Framing, limits: &Limits) -> Content<'b> {
        let length = self.intake.begin_body(framing);
        self.judge_rest(limits);
        Content::Follows { length }
    }

    /// Whether a body is under way that somebody reads.
    #[inline(always)]
    fn is_asked_for(&self) -> bool {
        match self.role {
            Role::Server => {
                self.exchange.request == Request::Body && self.intake.wanted == BodyDemand::Accepted
            }
            Role::Client => self.exchange.response == Response::Body,
        }
    }

    /// Whether all of a body has been given but its end, which comes without further
    /// input.
    pub(crate) fn has_end(&self) -> bool {
        self.intake.has_all() && self.is_asked_for()
    }

    /// The next piece of a body in `input` (from where, how long), if it is asked for and only
    /// a plain size line precedes it. Otherwise nothing changes.
    #[inline(always)]
    pub(super) fn next_piece(
        &mut self,
        input: &[u8],
        now: Instant,
        limits: &Limits,
    ) -> Option<(usize, usize)> {
        if !shortcut!("http1_pieces") || !self.is_asked_for() {
            return None;
        }
        let (from, len) = self.intake.next_piece(input)?;
        // What is left may now be little enough to be discarded.
        if self.intake.reading() == Reading::Fixed {
            self.judge_rest(limits);
        }
        self.pace(from + len, now, limits);
        Some((from, len))
    }

    pub(super) fn body<'b>(
        &mut self,
        input: &'b mut [u8],
        lent: CallContext<'b, Limits>,
    ) -> Result<Received<Event<'b>>, ProtocolError> {
        let from = self.intake.pass_framing(input, lent.limits)?;
        if from > 0 {
            self.pace(from, lent.now, lent.limits);
        }
        match self.intake.reading() {
            Reading::Chunked(Chunked::Trailers) => self.trailers(from, input, lent),
            Reading::Fixed if self.intake.has_all() => {
                self.end_body(lent.now);
                Ok(Received::event(0, Event::END))
            }
            Reading::Fixed | Reading::Chunked(Chunked::Data) | Reading::UntilClose => {
                Ok(self.piece(from, input, lent.now, lent.limits))
            }
            Reading::Chunked(_) | Reading::Idle | Reading::Head => Ok(Received::need(from, 1)),
        }
    }

    /// The data of the body that lies in `input` from `from` on.
    fn piece<'b>(
        &mut self,
        from: usize,
        input: &'b mut [u8],
        now: Instant,
        limits: &Limits,
    ) -> Received<Event<'b>> {
        let rest = input.get_mut(from..).unwrap_or_default();
        let len = self.intake.pass_data(rest.len());
        if len == 0 {
            return Received::need(from, 1);
        }
        self.judge_rest(limits);
        self.pace(len, now, limits);
        Received::event(
            from + len,
            Event::Body(rest.get_mut(..len).unwrap_or_default()),
        )
    }

    /// The trailer section, which ends a chunked body.
    fn trailers<'b>(
        &mut self,
        from: usize,
        input: &'b mut [u8],
        lent: CallContext<'b, Limits>,
    ) -> Result<Received<Event<'b>>, ProtocolError> {
        let text: &'b [u8] = input.get_mut(from..).unwrap_or_default();
        let ranges = field_room(lent.scratch, lent.limits);
        let mut whole = Head::<NoLine>::new();
        if !self
            .intake
            .head(text, ranges, lent.limits, &mut whole, false)?
        {
            return Ok(Received::need(from, 1));
        }
        let ranges = ranges.get_mut(..whole.lines.fields);
        let ranges = ranges.ok_or(ProtocolError::TooManyFields)?;
        let sifted = trailers::sift(text, ranges).ok_or(ProtocolError::Trailer)?;
        let ranges: &'b [FieldRange] = ranges;
        let trailers = Fields::from_ranges(text, ranges.get(..sifted.kept).unwrap_or_default());
        self.end_body(lent.now);
        Ok(Received::event(
            from + whole.lines.end,
            Event::End {
                trailers,
                dropped: sifted.dropped,
            },
        ))
    }

    /// Discards what is still to come of a body that is not wanted, then turns to the
    /// next head.
    pub(super) fn discard<'b>(
        &mut self,
        input: &'b mut [u8],
        lent: CallContext<'b, Limits>,
    ) -> Result<Received<Event<'b>>, ProtocolError> {
        if matches!(self.intake.reading(), Reading::Chunked(_)) {
            return self.discard_chunks(input, lent);
        }
        let len = self.intake.pass_data(input.len());
        self.pace(len, lent.now, lent.limits);
        if !self.intake.has_all() {
            return Ok(Received::need(len, 1));
        }
        self.end_body(lent.now);
        let rest = input.get_mut(len..).unwrap_or_default();
        let mut received = self.receive_request(rest, lent)?;
        received.used += len;
        Ok(received)
    }

    /// Discards chunks. Too many end the connection, as their number is not known before.
    fn discard_chunks<'b>(
        &mut self,
        input: &'b mut [u8],
        lent: CallContext<'b, Limits>,
    ) -> Result<Received<Event<'b>>, ProtocolError> {
        // `spent` counts extensions; data that is not wanted is no better.
        let mut lent = lent;
        let limits = Limits {
            chunk_extensions: u32::MAX,
            ..*lent.limits
        };
        let mut at = 0; // <= input.len()
        loop {
            let rest = input.get_mut(at..).unwrap_or_default();
            let part = CallContext {
                limits: &limits,
                ..lent.reborrow()
            };
            let received = self.body(rest, part)?;
            at += received.used;
            match received.step {
                Step::Event(Event::Body(data)) => {
                    // A peer that was answered may still send without end.
                    if self.intake.count_unwanted(data.len()) > lent.limits.drain {
                        self.after = After::Linger;
                        self.settle(lent.now);
                        break;
                    }
                }
                Step::Event(_) => break,
                Step::Need(_) | Step::Paused | Step::Full | Step::Done => {
                    return Ok(Received::need(at, 1));
                }
            }
        }
        let rest = input.get_mut(at..).unwrap_or_default();
        let mut received = self.receive_request(rest, lent)?;
        received.used += at;
        Ok(received)
    }

    /// Notes whether little enough of the body is left to be discarded.
    fn judge_rest(&mut self, limits: &Limits) {
        if self.after == After::Keep && self.intake.has_at_most(limits.drain) {
            self.after = After::KeepDraining;
        }
    }

    pub(super) fn end_body(&mut self, now: Instant) {
        self.exchange.take(match self.role {
            Role::Server => Input::RequestEnd,
            Role::Client => Input::ResponseEnd,
        });
        self.intake.end_line();
        self.settle(now);
    }
}
